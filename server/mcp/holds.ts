import type { Ports } from '../ports.ts';

/** Requests of one session that may be held for a human at the same time; more of them are answered at once. */
const mostHeld = 16;

const counts = new WeakMap<Ports, Map<string, number>>();

/** Runs `work` with how long it may hold its request, in milliseconds: nothing when too many of `who` are under way. */
export async function withHold<T>(ports: Ports, who: string, work: (holdMs: number) => Promise<T>): Promise<T> {
  const held = counts.get(ports) ?? new Map<string, number>();
  counts.set(ports, held);
  const before = held.get(who) ?? 0;
  held.set(who, before + 1);
  try {
    return await work(before < mostHeld ? ports.config.hold_ms : 0);
  } finally {
    const now = held.get(who) ?? 1;
    if (now > 1) held.set(who, now - 1);
    else held.delete(who);
  }
}
