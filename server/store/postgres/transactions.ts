import { genesis } from '../../audit/index.ts';
import type { Reach } from '../engine.ts';
import { StoreUnavailable } from '../store.ts';
import { one, run, Undo, type Verb } from '../verb.ts';
import { TryAgain } from './failures.ts';
import { enterTenant, type Link, perform } from './link.ts';

/** How a verb ended inside a transaction that was committed, or that had nothing to commit. */
export type Outcome = { readonly answer: unknown } | { readonly error: unknown };

const reachOf = `SELECT set_config('taskgate.tenant', ?, true), set_config('taskgate.reach', ?, true), set_config('taskgate.token', ?, true)`;

function announce(link: Link, { tenants, platform, everyTenant, token }: Reach): void {
  const [tenant = ''] = tenants.length === 1 ? tenants : [];
  link.tell(reachOf, tenant, platform ? 'platform' : everyTenant ? 'every tenant' : '', token ?? '');
}

/**
 * The chains a verb with this reach may write to: the platform's, named by the empty string, and its tenants', in an order all keep.
 * A tenant without a name has none; its verb is refused when it comes to that.
 */
export const chainsOf = (reach: Reach): string[] => [...(reach.platform ? [''] : []), ...new Set(reach.tenants.filter((tenant) => tenant !== ''))].sort();

/**
 * INVARIANT: every verb that writes for a tenant first locks the head of its chain, and holds it to the end. So they come one after
 * the other, on all replicas, each sees all that the one before wrote (READ COMMITTED looks anew with each statement), and two
 * that need several heads take them in the same order: what is right on SQLite's one lock is right here.
 */
async function lockChains(link: Link, reach: Reach): Promise<void> {
  const chains = chainsOf(reach);
  for (const chain of chains) {
    if (chains.length > 1) link.tell(enterTenant, chain);
    await perform(link, lockChain(chain));
  }
  if (chains.length > 1) link.tell(enterTenant, '');
}

function* lockChain(chain: string): Verb<void> {
  const head = 'SELECT next FROM chain_heads WHERE tenant = ? FOR UPDATE';
  if (yield* one(head, chain)) return;
  yield* run('INSERT INTO chain_heads (tenant, next, hash) VALUES (?, 0, ?) ON CONFLICT (tenant) DO NOTHING', chain, genesis);
  yield* one(head, chain);
}

/** Runs verbs of one reach in one transaction, each as if alone: what one refuses or breaks is taken back without the others. */
export async function writeAll(link: Link, reach: Reach, verbs: readonly (() => Verb<unknown>)[]): Promise<Outcome[]> {
  link.tell('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
  announce(link, reach);
  await lockChains(link, reach);
  const outcomes: Outcome[] = [];
  for (const verb of verbs) {
    link.tell('SAVEPOINT verb');
    const outcome = await attempt(link, verb);
    if (outcome.takenBack) link.tell('ROLLBACK TO SAVEPOINT verb');
    link.tell('RELEASE SAVEPOINT verb');
    outcomes.push(outcome);
  }
  // A server that could not commit says so with another word, not with an error.
  if ((await link.finish('COMMIT')) !== 'COMMIT') throw new StoreUnavailable('the store took the transaction back');
  return outcomes;
}

async function attempt(link: Link, verb: () => Verb<unknown>): Promise<Outcome & { takenBack: boolean }> {
  try {
    return { answer: await perform(link, verb()), takenBack: false };
  } catch (error) {
    if (error instanceof StoreUnavailable || error instanceof TryAgain) throw error;
    return error instanceof Undo ? { answer: error.answer, takenBack: true } : { error, takenBack: true };
  }
}

/** Runs a verb on one snapshot of what is committed, where it cannot write. */
export async function readOnce<T>(link: Link, reach: Reach, verb: () => Verb<T>): Promise<T> {
  link.tell('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  announce(link, reach);
  return perform(link, verb());
}
