import { StoreUnavailable } from '../store.ts';

/** `busy`: another process holds the lock, try again; `outage`: the file cannot be used now; `fault`: a bug of one verb. */
export type Failure = 'busy' | 'outage' | 'fault';

/** Primary result codes (sqlite.org/rescode.html) that speak of the file, the disk or the process, not of a statement. */
const outages: ReadonlySet<number> = new Set([
  3, // PERM
  7, // NOMEM
  8, // READONLY
  9, // INTERRUPT
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL
  22, // NOLFS
  26, // NOTADB
]);
const busy: ReadonlySet<number> = new Set([5, 6]);

export function classify(error: unknown): Failure {
  if (error instanceof StoreUnavailable) return 'outage';
  const primary = primaryCode(error);
  if (primary === null) return 'fault';
  if (busy.has(primary)) return 'busy';
  return outages.has(primary) ? 'outage' : 'fault';
}

export function unavailable(why: string, cause?: unknown): StoreUnavailable {
  if (cause instanceof StoreUnavailable) return cause;
  return new StoreUnavailable(cause instanceof Error ? `${why}: ${cause.message}` : why, { cause });
}

/** The low byte of SQLite's extended result code; null when the error is not SQLite's. */
function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}
