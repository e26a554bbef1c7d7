/** Places in groups of reviewers that are lent, and the votes cast in them. */
export const delegations = `
  CREATE TABLE delegations (
    tenant term NOT NULL,
    id term NOT NULL,
    in_group TEXT NOT NULL,
    lender TEXT NOT NULL,
    lender_name TEXT NOT NULL,
    delegate TEXT NOT NULL,
    delegate_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX delegations_by_end ON delegations (tenant, ends_at);
  CREATE INDEX delegations_by_age ON delegations (tenant, created_at, id);

  ALTER TABLE votes ADD COLUMN delegation term;
  ALTER TABLE votes ADD COLUMN lender TEXT;
  ALTER TABLE votes ADD COLUMN lender_name TEXT;
`;
