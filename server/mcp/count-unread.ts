import type { ServerResponse } from 'node:http';
import type { Limits } from '../limits/index.ts';

/**
 * Counts an answer for as long as its client has not taken it, also one that waits behind another on its connection. What it returns
 * is to be called when the answer is given.
 */
export function countUnread(limits: Limits, tenant: string, outgoing: ServerResponse): () => void {
  let held = 0;
  const count = (): void => {
    const more = outgoing.closed ? 0 : outgoing.writableLength - held;
    if (more <= 0) return;
    if (held === 0) outgoing.on('close', () => limits.releaseAnswer(tenant, held));
    held += more;
    limits.holdAnswer(tenant, more);
  };
  outgoing.on('prefinish', count);
  return () => (outgoing.writableEnded ? count() : void setImmediate(count));
}
