import type { ChainHead, Store, StoreState } from '../store/index.ts';
import type { Anchor } from './anchor-file.ts';

export type Comparison =
  | { readonly verdict: 'in_step' }
  /** Another broker or a restore has cut off what ran ahead; what it has done is on the record there. */
  | { readonly verdict: 'newer_epoch' /** What of the record seen here is no longer there; null when all of it is. */; readonly cut: string | null }
  | { readonly verdict: 'behind'; readonly why: string }
  /** At an index that was seen before stands another record: the chain was written anew, or an older copy was written on. */
  | { readonly verdict: 'rewritten'; readonly why: string };

/** Tells whether the store goes on from where it was last seen. `hashAt` reads the hash of one record; null when it is not there. */
export async function compare(anchor: Anchor, state: StoreState, hashAt: HashAt): Promise<Comparison> {
  if (state.store !== anchor.store) return { verdict: 'behind', why: `another store (${state.store}) stands where ${anchor.store} stood` };
  if (state.epoch < anchor.epoch) return { verdict: 'behind', why: `its epoch is ${state.epoch}, and was ${anchor.epoch}` };
  const chains = await compareChains(anchor, state, hashAt);
  if (state.epoch === anchor.epoch) return chains;
  return { verdict: 'newer_epoch', cut: chains.verdict === 'in_step' ? null : chains.why };
}

type HashAt = (tenant: string | null, index: number) => Promise<string | null>;

async function compareChains(anchor: Anchor, state: StoreState, hashAt: HashAt): Promise<Exclude<Comparison, { verdict: 'newer_epoch' }>> {
  const heads = new Map(state.heads.map((head) => [head.tenant, head]));
  let behind: string | null = null;
  for (const seen of anchor.heads) {
    const head = heads.get(seen.tenant);
    if (!head || head.index < seen.index) behind ??= `${nameOf(seen)} ends at record ${head ? head.index : 'none'}, and had come to ${seen.index}`;
    else if (!(await holds(seen, head, hashAt))) return { verdict: 'rewritten', why: `${nameOf(seen)} has another record ${seen.index} than it had` };
  }
  return behind === null ? { verdict: 'in_step' } : { verdict: 'behind', why: behind };
}

async function holds(seen: ChainHead, head: ChainHead, hashAt: HashAt): Promise<boolean> {
  return (head.index === seen.index ? head.hash : await hashAt(seen.tenant, seen.index)) === seen.hash;
}

const nameOf = ({ tenant }: ChainHead): string => (tenant === null ? 'the platform log' : `the record of ${tenant}`);

/** `compare` with the store at hand. */
export const compareStore = (store: Pick<Store, 'readRecords'>, anchor: Anchor, state: StoreState): Promise<Comparison> =>
  compare(anchor, state, async (tenant, index) => (await store.readRecords(tenant, index, 1))[0]?.hash ?? null);
