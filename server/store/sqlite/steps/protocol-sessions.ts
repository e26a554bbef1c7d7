/** What 2025-era clients keep of a server, and what keeps a stream open when its token is renewed. */
export const protocolSessions = `
  /* What 2025-era clients name with Mcp-Session-Id, by its hash; never what lets anybody do anything. */
  CREATE TABLE protocol_sessions (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    holder TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT;
  CREATE INDEX protocol_sessions_by_holder ON protocol_sessions (tenant, holder, opened_at);

  /* Until when the latest token of a session is good, which keeps its streams open. */
  CREATE TABLE renewals (
    tenant TEXT NOT NULL,
    session TEXT NOT NULL,
    token_until INTEGER NOT NULL,
    PRIMARY KEY (tenant, session),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  `;
