/** What people gave beforehand. */
export const standingApprovals = `
  CREATE TABLE standing_approvals (
    tenant term NOT NULL,
    id term NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('standing', 'remembered')),
    requirement TEXT NOT NULL,
    tool term NOT NULL,
    use_case term NOT NULL,
    session term,
    digest TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'denied', 'revoked', 'expired')),
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    decided_at BIGINT,
    used_at BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  CREATE INDEX standing_by_tool ON standing_approvals (tenant, tool, status, expires_at);
  CREATE INDEX standing_by_end ON standing_approvals (status, expires_at);

  CREATE TABLE standing_votes (
    tenant term NOT NULL,
    standing term NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    reason TEXT,
    at BIGINT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, standing, person),
    FOREIGN KEY (tenant, standing) REFERENCES standing_approvals (tenant, id)
  );
  `;
