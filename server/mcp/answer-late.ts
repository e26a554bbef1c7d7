import { setTimeout as sleep } from 'node:timers/promises';
import { createShares } from '../limits/index.ts';

/** So late that who floods over some connections is slowed down to about a request a second on each, which do not all come back at once. */
const lateMs = (): number => 500 + Math.random() * 1_000;
/** Of one tenant; beyond these an answer is given at once, so that connections do not pile up. */
const mostWaiting = 64;

/**
 * Whoever is turned away with much to send is told late: until then nothing of it is read, and the connection it came on is no use for
 * more. Resolves at once when too many wait already, or when the client goes away.
 */
export function createAnswerLate(): (tenant: string, gone: AbortSignal) => Promise<void> {
  const waiting = createShares(mostWaiting);
  return async (tenant, gone) => {
    if (!waiting.fits(tenant, 1)) return;
    waiting.hold(tenant, 1);
    await sleep(lateMs(), undefined, { signal: gone, ref: false }).catch(() => undefined);
    waiting.giveBack(tenant, 1);
  };
}
