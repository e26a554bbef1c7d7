import type { JWK } from 'jose';
import Keyv from 'keyv';
import { z } from 'zod';
import type { Ports } from '../ports.ts';

/** Keys as fetched from one trust root, with how long they are good for, in milliseconds. */
export interface FetchedKeys {
  readonly keys: JWK[];
  /** Fetched again after this. */
  readonly freshMs: number;
  /** Used no longer than this when they cannot be fetched again. */
  readonly usableMs: number;
}

const remembered = z.object({ keys: z.array(z.record(z.string(), z.unknown())), fetched_at: z.number(), fresh_until: z.number(), usable_until: z.number() });
type Remembered = z.infer<typeof remembered>;

/** Shortest time between two fetches from one trust root: whoever sends unknown key ids cannot make us hammer it. */
const betweenFetchesMs = 10_000;

interface Sources {
  readonly cache: Keyv<Remembered>;
  readonly lastTried: Map<string, number>;
  readonly underway: Map<string, Promise<Remembered | null>>;
}
const perStore = new WeakMap<object, Sources>();

function sourcesOf(ports: Pick<Ports, 'store'>): Sources {
  const known = perStore.get(ports.store);
  if (known) return known;
  const made: Sources = { cache: new Keyv<Remembered>(), lastTried: new Map(), underway: new Map() };
  perStore.set(ports.store, made);
  return made;
}

/**
 * The keys of one trust root: cached while fresh, fetched again when stale or when `fits` finds none (a key id it has
 * not seen), kept to their own limit while the source is down, then null, which denies. `name` names the root within
 * its tenant, so that no two roots ever share a set.
 */
export async function keysOf(
  ports: Pick<Ports, 'store' | 'clock' | 'log'>,
  name: string,
  load: () => Promise<FetchedKeys>,
  fits: (keys: readonly JWK[]) => boolean,
): Promise<readonly JWK[] | null> {
  const sources = sourcesOf(ports);
  const now = ports.clock();
  const cached = await recall(sources, name, now);
  if (cached && now < cached.fresh_until && fits(cached.keys)) return cached.keys;
  const latest = (await refresh(ports, sources, name, load, now)) ?? cached;
  return latest && now < latest.usable_until ? latest.keys : null;
}

/** A miss, a value of another shape and an error of the cache are one: fetch again. */
async function recall(sources: Sources, name: string, now: number): Promise<Remembered | null> {
  try {
    const found = remembered.safeParse(await sources.cache.get(name));
    return found.success && found.data.fetched_at <= now ? found.data : null;
  } catch {
    return null;
  }
}

async function refresh(ports: Pick<Ports, 'log'>, sources: Sources, name: string, load: () => Promise<FetchedKeys>, now: number): Promise<Remembered | null> {
  const underway = sources.underway.get(name);
  if (underway) return underway;
  const last = sources.lastTried.get(name);
  if (last !== undefined && now >= last && now - last < betweenFetchesMs) return null;
  sources.lastTried.set(name, now);
  const attempt = fetchNow(ports, sources, name, load, now).finally(() => sources.underway.delete(name));
  sources.underway.set(name, attempt);
  return attempt;
}

async function fetchNow(ports: Pick<Ports, 'log'>, sources: Sources, name: string, load: () => Promise<FetchedKeys>, now: number): Promise<Remembered | null> {
  try {
    const { keys, freshMs, usableMs } = await load();
    const fresh: Remembered = { keys: keys as Record<string, unknown>[], fetched_at: now, fresh_until: now + freshMs, usable_until: now + usableMs };
    await sources.cache.set(name, fresh, usableMs).catch(() => false);
    return fresh;
  } catch (error) {
    ports.log.warn({ trust_root: name, reason: error instanceof Error ? error.message : 'unknown' }, 'keys of a trust root could not be fetched');
    return null;
  }
}
