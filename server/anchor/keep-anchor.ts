import type { Logger } from 'pino';
import type { RecordBody } from '../audit/index.ts';
import type { Keys } from '../credentials/index.ts';
import type { NewEpoch, Store, StoreState } from '../store/index.ts';
import { type Anchor, readAnchor, writeAnchor } from './anchor-file.ts';
import { type Comparison, compareStore } from './compare.ts';

type AnchoredStore = Pick<Store, 'readState' | 'readRecords' | 'startEpoch'>;

export interface AnchorOptions {
  readonly store: AnchoredStore;
  readonly keys: Pick<Keys, 'anchor'>;
  /** The data folder. */
  readonly data: string;
  readonly clock: () => number;
  readonly log: Logger;
  /** Take the store as it is though its record is not the one that was seen; the operator's word, put on the record. */
  readonly accept: boolean;
  /** Told when the store under a running broker turns out to be another than it was: nothing it holds in memory can be trusted. */
  lost(why: string): void;
}

export interface KeptAnchor {
  /** Looks and writes now; otherwise every few seconds. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** The store is not the one that was last seen, and not simply an older copy of it. */
export class NotAsAnchored extends Error {
  override readonly name = 'NotAsAnchored';
}

const everyMs = 5_000;
const attempts = 5;

/**
 * Holds the store against where it was last seen, before it is served from and every few seconds after, and writes down how far it has
 * come. An older copy starts a new epoch, so that nothing that ended since lives again. Rejects with `NotAsAnchored` when the record was
 * written anew, or nobody can tell.
 */
export async function keepAnchor(options: AnchorOptions): Promise<KeptAnchor> {
  const { store, keys, data, clock, log } = options;
  const found = await readAnchor(data, keys.anchor);
  let seen: Anchor = await begin(options, found);
  let lost = false;

  async function lookOnce(): Promise<void> {
    const state = await store.readState();
    const compared = await compareStore(store, seen, state);
    if (compared.verdict === 'in_step' || compared.verdict === 'newer_epoch') {
      if (!isSame(seen, state)) await writeAnchor(data, keys.anchor, state);
      seen = state;
      return;
    }
    lost = true;
    log.fatal({ why: compared.why }, 'the store is not as it was last seen; this broker serves no more until it is started anew');
    options.lost(compared.why);
    // A record that was written anew keeps its anchor and its epoch: only the operator's word goes past that.
    if (compared.verdict === 'behind') await writeAnchor(data, keys.anchor, await cutOff(store, seen, state, 'behind_anchor', compared.why, clock));
  }

  let running: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    running = running
      .then(() => (lost ? undefined : lookOnce()))
      .catch((error: unknown) => log.warn({ err: error }, 'the anchor of the store could not be looked at or written; it is tried again'));
    return running;
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await look();
    },
  };
}

/** What the store is held against from here on. */
async function begin({ store, keys, data, clock, log, accept }: AnchorOptions, found: Anchor | 'damaged' | null): Promise<Anchor> {
  const state = await store.readState();
  // Nothing was seen yet; from here on it will be.
  if (found === null) return { store: state.store, epoch: state.epoch, heads: [] };
  const compared: Comparison = found === 'damaged' ? { verdict: 'rewritten', why: 'no key vouches for anchor.json' } : await compareStore(store, found, state);
  switch (compared.verdict) {
    case 'in_step':
      return state;
    case 'newer_epoch': {
      const since = new Date(state.epochAt).toISOString();
      log.warn({ epoch: state.epoch, since, cut: compared.cut }, 'the store has a new epoch: it was restored, or found behind its anchor by another broker');
      await writeAnchor(data, keys.anchor, state);
      return state;
    }
    case 'rewritten':
      if (!accept) throw new NotAsAnchored(compared.why);
  }
  const reason = compared.verdict === 'rewritten' ? 'accepted' : 'behind_anchor';
  log.error({ why: compared.why }, 'the store is not as it was last seen: every session and connection token is revoked, every approval cancelled');
  const after = await cutOff(store, found === 'damaged' ? null : found, state, reason, compared.why, clock);
  await writeAnchor(data, keys.anchor, after);
  return after;
}

/** Starts a new epoch, unless another broker was faster; answers how the store then stands. */
async function cutOff(
  store: AnchoredStore,
  anchor: Anchor | null,
  found: StoreState,
  reason: Exclude<NewEpoch['reason'], 'restored'>,
  why: string,
  clock: () => number,
): Promise<StoreState> {
  const known = anchor?.store === found.store ? anchor.epoch : 0;
  for (let state = found, attempt = 0; attempt < attempts; state = await store.readState(), attempt++) {
    if (state.epoch > Math.max(known, found.epoch)) return state;
    const [at, next] = [clock(), Math.max(state.epoch, known) + 1];
    const recordFor = (tenant: string | null): RecordBody => recordOf(tenant, anchor, state, { at, next, reason, why });
    await store.startEpoch({ found: state.epoch, next, at, reason, recordFor });
  }
  throw new Error('the epoch of the store keeps changing');
}

function recordOf(
  tenant: string | null,
  anchor: Anchor | null,
  state: StoreState,
  { at, next, reason, why }: { at: number; next: number; reason: 'behind_anchor' | 'accepted'; why: string },
): RecordBody {
  const headIn = (one: Anchor | null) => one?.heads.find((head) => head.tenant === tenant);
  const [found, anchored] = [headIn(state), headIn(anchor)];
  return {
    type: reason === 'accepted' ? 'store.accepted' : 'store.behind_anchor',
    at,
    ...(tenant === null ? {} : { tenant }),
    actor: reason === 'accepted' ? 'operator' : 'taskgate',
    code: reason,
    // What happened to another tenant is not said in this one's record.
    ...(tenant === null ? { detail: why } : {}),
    epoch: next,
    ...(found ? { found_head: { index: found.index, hash: found.hash } } : {}),
    ...(anchored ? { anchored_head: { index: anchored.index, hash: anchored.hash } } : {}),
  };
}

const isSame = (anchor: Anchor, state: StoreState): boolean =>
  anchor.epoch === state.epoch &&
  anchor.heads.length === state.heads.length &&
  state.heads.every(({ index, hash }, at) => anchor.heads[at]?.index === index && anchor.heads[at]?.hash === hash);
