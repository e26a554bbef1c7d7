/** Only what is under way is looked for by its lease: one index entry goes when a call is settled, and none comes. */
export const inFlight = `
  DROP INDEX dispatches_by_lease;
  CREATE INDEX dispatches_in_flight ON dispatches (lease_until) WHERE status = 'dispatched';
  `;
