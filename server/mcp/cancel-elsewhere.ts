import { watchSession } from '../sessions/index.ts';
import type { Visit } from './parts.ts';

/** A cancellation comes by a request of its own and so may come to another broker than its call: the store carries it there. */

const longestId = 128;
const lookAtMostEvery = 200;

/** How an id is kept; null for one that JSON-RPC does not allow, which cancels nothing. */
function keptAs(id: unknown): string | null {
  if (typeof id === 'string') return id.length <= longestId ? JSON.stringify(id) : null;
  return Number.isSafeInteger(id) ? String(id) : null;
}

export async function cancelElsewhere({ ports, who, caller }: Visit, named: string, id: unknown): Promise<void> {
  const request = keptAs(id);
  if (request !== null) await ports.store.cancelCall(who.tenant, named, request, ports.clock(), caller?.session ?? null);
}

/** Calls `cancel` once the call has been cancelled at another broker. Answers how to stop listening. */
export function heedElsewhere({ ports, who, caller }: Visit, named: string, id: unknown, cancel: () => void): () => void {
  const request = keptAs(id);
  if (request === null || !caller) return () => undefined;
  const watched = { tenant: who.tenant, session: () => caller.session };
  const { stop } = watchSession(ports.store, watched, lookAtMostEvery, async () => {
    // While the store is away nobody can say; the call itself hears of that.
    if (await ports.store.isCancelled(who.tenant, named, request).catch(() => false)) cancel();
  });
  return stop;
}
