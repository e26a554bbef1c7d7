/** What 2025-era clients keep of a server, and what keeps a stream open when its token is renewed. */
export const protocolSessions = `
  /* What 2025-era clients name with Mcp-Session-Id, by its hash; never what lets anybody do anything. */
  CREATE TABLE protocol_sessions (
    tenant term NOT NULL,
    hash term NOT NULL,
    holder term NOT NULL,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, hash)
  );
  CREATE INDEX protocol_sessions_by_holder ON protocol_sessions (tenant, holder, opened_at);

  /* Until when the latest token of a session is good, which keeps its streams open. */
  CREATE TABLE renewals (
    tenant term NOT NULL,
    session term NOT NULL,
    token_until BIGINT NOT NULL,
    PRIMARY KEY (tenant, session),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  `;
