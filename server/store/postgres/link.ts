import type { Client, QueryResult } from 'pg';
import type { Statement, Value, Verb } from '../verb.ts';
import { failureOf } from './failures.ts';
import { writeNotice } from './notices.ts';

/** One connection; what has to be said is said in as few exchanges as there are answers to wait for. */
export interface Link {
  /** For what has no answer to wait for: sent with the next `ask`, out of which its failure comes. */
  tell(text: string, ...values: Value[]): void;
  /** `tell`, for what must find a row: the next `ask` throws `NoRow` when it does not. */
  need(text: string, ...values: Value[]): void;
  /** Answers once all are done; throws what went wrong first. With `then`, the transaction ends in the same exchange. */
  ask(statements: readonly Statement[], then?: 'COMMIT'): Promise<unknown[]>;
  /** As `ask`, for the end of a transaction: how the server says it ended. */
  finish(text: 'COMMIT' | 'ROLLBACK'): Promise<string>;
}

/** What a transaction needs to find before it starts is not there. */
export class NoRow extends Error {
  override readonly name = 'NoRow';
}

interface Query {
  readonly text: string;
  readonly values: readonly Value[];
  readonly needed?: true;
}

/** Prepared on each connection under one name, so that the server parses and plans it once. */
interface Prepared {
  readonly name: string;
  readonly text: string;
}
const prepared = new Map<string, Prepared>();

function prepare(text: string): Prepared {
  const known = prepared.get(text);
  if (known) return known;
  let count = 0;
  const made = { name: `taskgate_${prepared.size}`, text: text.replaceAll('?', () => `$${++count}`) };
  prepared.set(text, made);
  return made;
}

export const enterTenant = `SELECT set_config('taskgate.tenant', ?, true)`;
const notify = 'SELECT pg_notify(?, ?)';

/** `here` names the store of this process to the others. */
export function createLink(client: Client, here: string): Link {
  const { stream } = client.connection;
  let told: Query[] = [];

  const send = (text: string, values: readonly Value[]): Promise<QueryResult> => client.query({ ...prepare(text), values: [...values] });

  /** Everything told and asked, in one write. */
  async function exchange(asked: readonly Query[]): Promise<QueryResult[]> {
    const before = told;
    told = [];
    stream.cork();
    const sent = [...before, ...asked].map(({ text, values }) => send(text, values));
    stream.uncork();
    const results: QueryResult[] = [];
    // What follows a failed statement fails because of it, so the first failure is the cause.
    for (const one of await Promise.allSettled(sent)) {
      if (one.status === 'rejected') throw failureOf(one.reason);
      results.push(one.value);
    }
    if (before.some(({ needed }, index) => needed && results[index]?.rowCount === 0)) throw new NoRow();
    return results.slice(before.length);
  }

  return {
    tell(text, ...values) {
      told.push({ text, values });
    },
    need(text, ...values) {
      told.push({ text, values, needed: true });
    },
    async ask(statements, then) {
      const queries = statements.map((one) => queryOf(one, here));
      // Nobody waits for the answer to a signal.
      if (statements.every(({ want }) => want === 'signal')) {
        told.push(...queries);
        return [];
      }
      const results = await exchange(then ? [...queries, { text: then, values: [] }] : queries);
      return statements.map((one, index) => answerOf(one, results[index]));
    },
    async finish(text) {
      const [ended] = await exchange([{ text, values: [] }]);
      return ended?.command ?? '';
    },
  };
}

function queryOf(statement: Statement, here: string): Query {
  if (statement.want === 'enter') return { text: enterTenant, values: [statement.tenant] };
  return statement.want === 'signal' ? { text: notify, values: writeNotice(statement.change, here) } : statement;
}

function answerOf({ want }: Statement, result: QueryResult | undefined): unknown {
  if (want === 'one') return result?.rows[0];
  return want === 'all' ? (result?.rows ?? []) : (result?.rowCount ?? 0);
}

/** Runs a verb to its end, one round trip for each of its steps. */
export async function perform<T>(link: Link, verb: Verb<T>): Promise<T> {
  for (let step = verb.next(); ; ) {
    if (step.done) return step.value;
    step = verb.next(await link.ask(step.value));
  }
}

/** `perform`, for a verb that asks no more than once, with the end of its transaction in the same exchange. */
export async function performOnce<T>(link: Link, verb: Verb<T>): Promise<T> {
  const asked = verb.next();
  const step = asked.done ? asked : verb.next(await link.ask(asked.value, 'COMMIT'));
  if (!step.done) throw new Error('a verb that asks more than once');
  return step.value;
}
