/** What interactive hosts are given: codes of a sponsor's consent, and what keeps their token alive. */
export const authorizations = `
  ALTER TABLE console_sessions ADD COLUMN claimed_groups TEXT NOT NULL DEFAULT '[]';

  CREATE TABLE authorization_codes (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    content TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    session TEXT,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;

  CREATE TABLE refresh_tokens (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    session TEXT NOT NULL,
    client TEXT NOT NULL,
    resource TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  CREATE INDEX refresh_tokens_by_session ON refresh_tokens (tenant, session);
`;
