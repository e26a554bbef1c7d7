/** Calls that a client cancelled at another broker than the one they run at. */
export const cancelledCalls = `
  CREATE TABLE cancelled_calls (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    request TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash, request)
  ) STRICT;
  `;
