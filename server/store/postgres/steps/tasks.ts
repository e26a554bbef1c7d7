/** Calls that are asked for as tasks, and how each approval was waited for. */
export const tasks = `
  ALTER TABLE approvals ADD COLUMN nonce TEXT;
  ALTER TABLE approvals ADD COLUMN rung TEXT;
  ALTER TABLE dispatches ADD COLUMN kept_until BIGINT;
  ALTER TABLE dispatches ADD COLUMN cancelled_at BIGINT;
  ALTER TABLE dispatches ADD COLUMN sealed_outcome BYTEA;
  CREATE INDEX dispatches_kept ON dispatches (kept_until) WHERE kept_until IS NOT NULL;
  `;
