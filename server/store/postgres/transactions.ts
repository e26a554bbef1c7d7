import { genesis } from '../../audit/index.ts';
import type { Reach } from '../engine.ts';
import type { Change } from '../signals.ts';
import { StoreUnavailable } from '../store.ts';
import type { Verb } from '../verb.ts';
import { type Outcome, runAlone, runInTurn } from './in-turn.ts';
import { enterTenant, type Link, NoRow, perform, performOnce } from './link.ts';

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
function begin(link: Link, reach: Reach, forEach: (chain: string) => void): void {
  link.tell('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
  announce(link, reach);
  const chains = chainsOf(reach);
  for (const chain of chains) {
    if (chains.length > 1) link.tell(enterTenant, chain);
    forEach(chain);
  }
  if (chains.length > 1) link.tell(enterTenant, '');
}

export interface Written {
  /** One for each verb, in their order. */
  readonly outcomes: readonly Outcome[];
  /** To be told now that they are committed. */
  readonly changes: readonly Change[];
}

/** Runs verbs of one reach in one transaction, each as if alone: what one refuses or breaks is taken back without the others. */
export async function writeAll(link: Link, reach: Reach, verbs: readonly (() => Verb<unknown>)[]): Promise<Written> {
  const lock = (chain: string): void => link.need('SELECT next FROM chain_heads WHERE tenant = ? FOR UPDATE', chain);
  begin(link, reach, lock);
  try {
    return await runAll(link, verbs);
  } catch (error) {
    if (!(error instanceof NoRow)) throw error;
  }
  // The first ever written for a tenant: nothing was locked, so what was read meanwhile is read again.
  await link.finish('ROLLBACK');
  begin(link, reach, (chain) => link.tell('INSERT INTO chain_heads (tenant, next, hash) VALUES (?, 0, ?) ON CONFLICT (tenant) DO NOTHING', chain, genesis));
  await link.finish('COMMIT');
  begin(link, reach, lock);
  return runAll(link, verbs);
}

async function runAll(link: Link, verbs: readonly (() => Verb<unknown>)[]): Promise<Written> {
  const [only] = verbs;
  const ended = only && verbs.length === 1 ? [await runAlone(link, only)] : await runInTurn(link, verbs);
  if (verbs.length === 1 && ended[0]?.takenBack) await link.finish('ROLLBACK');
  else await commit(link);
  return { outcomes: ended.map(({ outcome }) => outcome), changes: ended.flatMap(({ changes }) => changes) };
}

async function commit(link: Link): Promise<void> {
  // A server that could not commit says so with another word, not with an error.
  if ((await link.finish('COMMIT')) !== 'COMMIT') throw new StoreUnavailable('the store took the transaction back');
}

function beginReading(link: Link, reach: Reach): void {
  link.tell('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  announce(link, reach);
}

/** Runs a verb on one snapshot of what is committed, where it cannot write. Whoever asked for the link ends the transaction. */
export function readAll<T>(link: Link, reach: Reach, verb: () => Verb<T>): Promise<T> {
  beginReading(link, reach);
  return perform(link, verb());
}

/** `readAll` in one exchange, its end included. */
export function readOnce<T>(link: Link, reach: Reach, verb: () => Verb<T>): Promise<T> {
  beginReading(link, reach);
  return performOnce(link, verb());
}
