/** What interactive hosts are given: codes of a sponsor's consent, and what keeps their token alive. */
export const authorizations = `
  ALTER TABLE console_sessions ADD COLUMN claimed_groups TEXT NOT NULL DEFAULT '[]';

  CREATE TABLE authorization_codes (
    tenant term NOT NULL,
    hash term NOT NULL,
    content TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    session term,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );

  CREATE TABLE refresh_tokens (
    tenant term NOT NULL,
    hash term NOT NULL,
    session term NOT NULL,
    client TEXT NOT NULL,
    resource TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  CREATE INDEX refresh_tokens_by_session ON refresh_tokens (tenant, session);
`;
