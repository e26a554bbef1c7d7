import { setTimeout as sleep } from 'node:timers/promises';

/** So late that who floods over some connections is slowed down to a request a second on each. */
const lateMs = 1_000;
/** Beyond these an answer is given at once, so that connections do not pile up. */
const mostWaiting = 64;

/**
 * Whoever is turned away with much to send is told late: until then nothing of it is read, and the connection it came on is no use for
 * more. Resolves at once when too many wait already, or when the client goes away.
 */
export function createAnswerLate(): (gone: AbortSignal) => Promise<void> {
  let waiting = 0;
  return async (gone) => {
    if (waiting >= mostWaiting) return;
    waiting += 1;
    await sleep(lateMs, undefined, { signal: gone, ref: false }).catch(() => undefined);
    waiting -= 1;
  };
}
