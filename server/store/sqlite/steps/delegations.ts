/** Places in groups of reviewers that are lent, and the votes cast in them. */
export const delegations = `
  CREATE TABLE delegations (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    in_group TEXT NOT NULL,
    lender TEXT NOT NULL,
    lender_name TEXT NOT NULL,
    delegate TEXT NOT NULL,
    delegate_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (tenant, id)
  ) STRICT;
  CREATE INDEX delegations_by_end ON delegations (tenant, ends_at);
  CREATE INDEX delegations_by_age ON delegations (tenant, created_at, id);

  ALTER TABLE votes ADD COLUMN delegation TEXT;
  ALTER TABLE votes ADD COLUMN lender TEXT;
  ALTER TABLE votes ADD COLUMN lender_name TEXT;
`;
