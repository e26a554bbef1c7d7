import { StoreUnavailable } from '../store.ts';

/** The transaction was taken back through no fault of its own: run it again. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

/** SQLSTATE (PostgreSQL, appendix A) of what another run may not meet again. */
const passing: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
]);
/** Classes that speak of one statement: data, constraints, syntax, a trigger's refusal. */
const ofStatement: ReadonlySet<string> = new Set(['22', '23', '42', 'P0']);
/** Of those classes, what speaks of the store all the same: somebody took its tables or its rights away. */
const ofStore: ReadonlySet<string> = new Set(['42P01', '42501']);

/**
 * What a verb is told of the driver's error: `TryAgain`, `StoreUnavailable`, or, for a bug of one statement, a plain error without
 * the server's detail, which may quote a row.
 */
export function failureOf(error: unknown): Error {
  const code = sqlState(error);
  const message = error instanceof Error ? error.message : String(error);
  // The driver's own errors have no SQLSTATE: connection lost, refused, timed out.
  if (code === null) return new StoreUnavailable(`the store cannot be reached: ${message}`);
  if (passing.has(code)) return new TryAgain(`${code} ${message}`);
  if (ofStatement.has(code.slice(0, 2)) && !ofStore.has(code)) return new Error(`PostgreSQL ${code}: ${message}`);
  return new StoreUnavailable(`the store cannot be used: ${code} ${message}`);
}

function sqlState(error: unknown): string | null {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
