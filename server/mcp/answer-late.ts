import type { IncomingMessage } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createShares } from '../limits/index.ts';

/** So late that who floods over some connections is slowed down to about a request a second on each, which do not all come back at once. */
const lateMs = (): number => 500 + Math.random() * 1_000;
/** Of one tenant; beyond these an answer is given at once, so that connections do not pile up. */
const mostWaiting = 64;

/**
 * Whoever is turned away with much to send is told late: until then nothing more of it is read, and the connection it came on is no use
 * for more. Resolves at once when too many wait already, or when the client goes away.
 */
export function createAnswerLate(): (tenant: string, incoming: IncomingMessage, gone: AbortSignal) => Promise<void> {
  const waiting = createShares(mostWaiting);
  return async (tenant, incoming, gone) => {
    throwAway(incoming);
    if (!waiting.fits(tenant, 1)) return;
    waiting.hold(tenant, 1);
    await sleep(lateMs(), undefined, { signal: gone, ref: false }).catch(() => undefined);
    waiting.giveBack(tenant, 1);
  };
}

/**
 * Gives back at once the memory of what came with the head, some 100 KiB a connection, and stops reading. Left to the collector it lives
 * for as long as the connection does, and a few hundred of them are what makes the collector come, which everybody waits for.
 */
function throwAway(incoming: IncomingMessage): void {
  // Whoever listens is handed piece by piece, each a buffer of its own; what is of Node's pool is shared with others.
  incoming.on('data', (piece: Buffer<ArrayBuffer>) => {
    if (piece.byteLength === piece.buffer.byteLength) piece.buffer.transfer(0);
    // Being handed one makes the connection go on, at the end of this turn.
    process.nextTick(() => incoming.socket.pause());
  });
}
