import type { LiveConnection } from './mcp-client.ts';
import { type UpstreamConnection, type UpstreamPool, type UpstreamTarget, UpstreamUnavailable } from './upstream.ts';
import type { UpstreamLog } from './wire.ts';

export interface PoolOptions {
  readonly log: UpstreamLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** How long an unused connection is kept; 10 minutes when left out. */
  readonly idleMs?: number;
  /** Paths no child process may ever read, whatever its command allows: the broker's data folder. */
  readonly forbidden?: readonly string[];
  /** Longest a connection may take to come up; 15 seconds when left out. */
  readonly connectMs?: number;
}

const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A connection that lived this long, or answered a call, has shown that it works. */
const provenMs = 10_000;

/** How long a list of definitions is believed. */
const listGoodMs = 30_000;

interface Entry {
  connecting: Promise<Pooled> | null;
  live: Pooled | null;
  /** Failures in a row; each doubles the wait. */
  failures: number;
  retryAt: number;
}

interface Pooled {
  readonly connection: UpstreamConnection;
  readonly raw: LiveConnection;
}

export function createUpstreamPool(options: PoolOptions): UpstreamPool {
  const { clock, log } = options;
  const idleMs = options.idleMs ?? 600_000;
  const connectMs = options.connectMs ?? 15_000;
  const entries = new Map<string, Entry>();
  let isClosed = false;

  const open = async (target: UpstreamTarget): Promise<LiveConnection> => {
    // The SDK costs some 100 ms and 30 MiB to load: only a broker that calls upstreams pays.
    if (target.type === 'http') return (await import('./mcp-http.ts')).connectHttp(target, { connectMs });
    return (await import('./mcp-stdio.ts')).connectStdio(target, { log, connectMs, forbidden: options.forbidden ?? [] });
  };
  const backOff = (key: string, entry: Entry): void => {
    const wait = Math.min(longestBackOffMs, firstBackOffMs * 2 ** entry.failures++);
    entry.retryAt = clock() + wait;
    log.warn({ upstream: key, failures: entry.failures, wait }, 'upstream failed; waiting before the next attempt');
  };

  const start = async (key: string, entry: Entry, target: UpstreamTarget): Promise<Pooled> => {
    let raw: LiveConnection;
    try {
      raw = await open(target);
    } catch (error) {
      backOff(key, entry);
      throw error;
    }
    const since = clock();
    let listedAt = since;
    let proven = false;
    let idle: NodeJS.Timeout | undefined;
    let told = false;
    const rest = (): void => {
      clearTimeout(idle);
      if (!raw.isClosed()) idle = setTimeout(() => (raw.inFlight() === 0 ? void connection.close() : rest()), idleMs).unref();
    };
    const connection: UpstreamConnection = {
      async definitions() {
        // An upstream that announces nothing is asked again: a list is believed only for so long.
        const again = clock() - listedAt >= listGoodMs;
        const listed = await raw.definitions(again);
        if (again) listedAt = clock();
        return listed;
      },
      async call(call) {
        clearTimeout(idle);
        try {
          const outcome = await raw.call(call);
          if (outcome.kind === 'result') {
            proven = true;
            entry.failures = 0;
          }
          return outcome;
        } finally {
          rest();
        }
      },
      async close() {
        told = true;
        await raw.close();
      },
    };
    const pooled: Pooled = { connection, raw };
    entry.live = pooled;
    rest();
    void raw.closed.then(() => {
      clearTimeout(idle);
      if (entry.live === pooled) entry.live = null;
      if (!told && !isClosed && !proven && clock() - since < provenMs) backOff(key, entry);
    });
    if (isClosed) await connection.close();
    return pooled;
  };

  return {
    async connect(key, target) {
      if (isClosed) throw new UpstreamUnavailable('the broker is stopping');
      const entry = entries.get(key) ?? { connecting: null, live: null, failures: 0, retryAt: 0 };
      entries.set(key, entry);
      if (entry.live !== null && !entry.live.raw.isClosed()) return entry.live.connection;
      const wait = entry.retryAt - clock();
      if (entry.connecting === null && wait > 0)
        throw new UpstreamUnavailable(`it failed ${entry.failures} times; the next attempt is in ${Math.ceil(wait / 1_000)} s`);
      entry.connecting ??= start(key, entry, target).finally(() => {
        entry.connecting = null;
      });
      return (await entry.connecting).connection;
    },
    async close() {
      isClosed = true;
      await Promise.all(
        [...entries.values()].map(async ({ connecting, live }) => (await connecting?.catch(() => null))?.connection.close() ?? live?.connection.close()),
      );
      entries.clear();
    },
  };
}
