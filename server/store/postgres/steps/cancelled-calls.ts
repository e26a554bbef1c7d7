/** Calls that a client cancelled at another broker than the one they run at. */
export const cancelledCalls = `
  CREATE TABLE cancelled_calls (
    tenant term NOT NULL,
    hash term NOT NULL,
    request term NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, hash, request)
  );
  `;
