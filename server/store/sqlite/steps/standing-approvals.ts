/** What people gave beforehand. */
export const standingApprovals = `
  CREATE TABLE standing_approvals (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('standing', 'remembered')),
    requirement TEXT NOT NULL,
    tool TEXT NOT NULL,
    use_case TEXT NOT NULL,
    session TEXT,
    digest TEXT NOT NULL,
    sealed BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'denied', 'revoked', 'expired')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    decided_at INTEGER,
    used_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  CREATE INDEX standing_by_tool ON standing_approvals (tenant, tool, status, expires_at);
  CREATE INDEX standing_by_end ON standing_approvals (status, expires_at);

  CREATE TABLE standing_votes (
    tenant TEXT NOT NULL,
    standing TEXT NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    reason TEXT,
    at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, standing, person),
    FOREIGN KEY (tenant, standing) REFERENCES standing_approvals (tenant, id)
  ) STRICT;
  `;
