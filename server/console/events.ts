import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Ports } from '../ports.ts';
import type { Visitor } from './page.ts';
import { visitorOf } from './visitor.ts';

/** Streams at once: of one person, of one tenant, of this broker. Who gets none loads the page again instead. */
const most = { person: 6, tenant: 60, all: 600 } as const;
/** A quiet stream says that it is there, and looks whether its login still is. */
const beatMs = 20_000;
/** Then the browser connects anew. */
const longestMs = 600_000;
/** Changes that come together are one hint. */
const gatherMs = 200;

export interface Hints {
  open(c: Context, visitor: Visitor): Response;
}

/**
 * Server-sent events that only say that something of the tenant changed: no id, no name, nothing to read. Whoever hears one
 * fetches the page, which shows each person what is theirs.
 */
export function createHints(ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'config'>): Hints {
  const open = new Map<string, number>();
  const count = (key: string, by: number): void => {
    const now = (open.get(key) ?? 0) + by;
    if (now === 0) open.delete(key);
    else open.set(key, now);
  };

  return {
    open(c, { person: { tenant, id } }) {
      const keys = [`person ${tenant} ${id}`, `tenant ${tenant}`, 'all'];
      const room = [most.person, most.tenant, most.all].every((limit, at) => (open.get(keys[at] ?? '') ?? 0) < limit);
      if (!room) return c.body(null, 204);
      for (const key of keys) count(key, 1);
      return streamSSE(c, async (stream) => {
        let wake = (): void => undefined;
        let heard = false;
        const stop = ports.store.subscribe((signal) => {
          if (signal.kind === 'notification' || (signal.kind !== 'resync' && signal.tenant !== tenant)) return;
          heard = true;
          wake();
        });
        stream.onAbort(() => wake());
        const quiet = () =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, beatMs);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        const until = ports.clock() + longestMs;
        try {
          await stream.writeSSE({ event: 'hello', data: '' });
          while (!stream.aborted && ports.clock() < until) {
            if (!heard) await quiet();
            if (heard) await stream.sleep(gatherMs);
            const told = heard;
            heard = false;
            if (stream.aborted || !(await visitorOf(ports, c.req.raw.headers))) return;
            await stream.writeSSE({ event: told ? 'changed' : 'beat', data: '' });
          }
        } finally {
          stop();
          for (const key of keys) count(key, -1);
        }
      });
    },
  };
}
