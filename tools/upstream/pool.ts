import type { Definition } from '../definition.ts';
import type { LiveConnection } from './mcp-client.ts';
import { createPooled, type Pooled } from './pooled.ts';
import { type UpstreamPool, UpstreamsBusy, type UpstreamTarget, UpstreamUnavailable } from './upstream.ts';
import type { UpstreamLog } from './wire.ts';

export interface PoolOptions {
  readonly log: UpstreamLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** How long an unused connection is kept; 10 minutes when left out. */
  readonly idleMs?: number;
  /** Child processes one tenant may have; 16 when left out. */
  readonly children?: number;
  /** Paths no child process may ever read, whatever its command allows: the broker's data folder. */
  readonly forbidden?: readonly string[];
  /** Longest a connection may take to come up; 15 seconds when left out. */
  readonly connectMs?: number;
  /** Told of every list of definitions that was read over the connection of this key. */
  onListed?(key: string, definitions: readonly Definition[]): void;
}

const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A connection that lived this long, or answered a call, has shown that it works. */
const provenMs = 10_000;
/** Whoever asked for a connection this lately may be about to call on it, so it does not rest yet. */
const lentMs = 5_000;

interface Entry {
  readonly key: string;
  readonly type: UpstreamTarget['type'];
  connecting: Promise<Pooled> | null;
  live: Pooled | null;
  /** Failures in a row; each doubles the wait. */
  failures: number;
  retryAt: number;
}

/** `size`: how many keys it remembers, connected, connecting or waiting out a failure. */
export function createUpstreamPool(options: PoolOptions): UpstreamPool & { size(): number } {
  const { clock, log } = options;
  const idleMs = options.idleMs ?? 600_000;
  const mostChildren = options.children ?? 16;
  const connectMs = options.connectMs ?? 15_000;
  const entries = new Map<string, Entry>();
  let isClosed = false;

  const open = async (key: string, target: UpstreamTarget): Promise<LiveConnection> => {
    // The SDK costs some 100 ms and 30 MiB to load: only a broker that calls upstreams pays.
    const onListed = (definitions: readonly Definition[]): void => options.onListed?.(key, definitions);
    if (target.type === 'http') return (await import('./mcp-http.ts')).connectHttp(target, { connectMs, onListed });
    return (await import('./mcp-stdio.ts')).connectStdio(target, { log, connectMs, onListed, forbidden: options.forbidden ?? [] });
  };
  const backOff = (entry: Entry): void => {
    const wait = Math.min(longestBackOffMs, firstBackOffMs * 2 ** entry.failures++);
    entry.retryAt = clock() + wait;
    log.warn({ upstream: entry.key, failures: entry.failures, wait }, 'upstream failed; waiting before the next attempt');
  };
  const forgive = (entry: Entry): void => {
    entry.failures = 0;
  };
  /** Only what is connected, or still has to wait out a failure, is remembered. */
  const forgetIdle = (): void => {
    const now = clock();
    for (const [key, { connecting, live, retryAt }] of entries) {
      if (connecting === null && live === null && now >= retryAt + longestBackOffMs) entries.delete(key);
    }
  };

  const start = async (entry: Entry, target: UpstreamTarget): Promise<Pooled> => {
    let raw: LiveConnection;
    try {
      raw = await open(entry.key, target);
    } catch (error) {
      backOff(entry);
      throw error;
    }
    const since = clock();
    const pooled = createPooled(raw, { clock, idleMs, onAnswer: () => forgive(entry) });
    entry.live = pooled;
    void raw.closed.then(() => {
      if (entry.live === pooled) entry.live = null;
      if (!pooled.isDone() && !isClosed && clock() - since < provenMs) backOff(entry);
      else if (entry.failures === 0 && entry.connecting === null && entries.get(entry.key) === entry) entries.delete(entry.key);
    });
    if (isClosed) await pooled.connection.close();
    return pooled;
  };

  /** A new target in the place of an older one, such as after a key was rotated: the older is closed once it rests. */
  const supersede = (key: string): void => {
    for (const [other, { live }] of entries) if (other !== key && placeOf(other) === placeOf(key)) live?.retireAfter(lentMs);
  };

  /** Room for one more child of the tenant: the one that has rested longest is stopped when there is none. */
  const makeRoom = async (tenant: string): Promise<void> => {
    const children = [...entries.values()].filter((one) => one.type === 'stdio' && tenantOf(one.key) === tenant && (one.live ?? one.connecting) !== null);
    if (children.length < mostChildren) return;
    const resting = children.flatMap(({ live }) => (live?.isResting(lentMs) ? [live] : []));
    const [oldest] = resting.sort((a, b) => a.usedAt() - b.usedAt());
    if (!oldest) throw new UpstreamsBusy(`the tenant has ${children.length} child processes, as many as it may have, and none of them rests`);
    // Gone from the count at once, so that two who look at the same time do not stop the same one.
    for (const one of children) if (one.live === oldest) one.live = null;
    await oldest.connection.close();
  };

  return {
    async connect(key, target) {
      if (isClosed) throw new UpstreamUnavailable('the broker is stopping');
      let entry = entries.get(key);
      if (entry?.live && !entry.live.isClosed()) return entry.live.lend();
      if (!entry) {
        forgetIdle();
        entry = { key, type: target.type, connecting: null, live: null, failures: 0, retryAt: 0 };
        entries.set(key, entry);
      }
      const wait = entry.retryAt - clock();
      if (entry.connecting === null && wait > 0)
        throw new UpstreamUnavailable(`it failed ${entry.failures} times; the next attempt is in ${Math.ceil(wait / 1_000)} s`);
      const asked = entry;
      entry.connecting ??= connectAnew(asked, target).finally(() => {
        asked.connecting = null;
      });
      return (await entry.connecting).lend();
    },
    async close() {
      isClosed = true;
      await Promise.all(
        [...entries.values()].map(async ({ connecting, live }) => (await connecting?.catch(() => null))?.connection.close() ?? live?.connection.close()),
      );
      entries.clear();
    },
    size: () => entries.size,
  };

  async function connectAnew(entry: Entry, target: UpstreamTarget): Promise<Pooled> {
    supersede(entry.key);
    if (target.type === 'stdio') await makeRoom(tenantOf(entry.key));
    return start(entry, target);
  }
}

const tenantOf = (key: string): string => key.slice(0, key.indexOf('/') + 1);
const placeOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);
