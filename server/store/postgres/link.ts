import type { Client, QueryResult } from 'pg';
import type { Statement, Value, Verb } from '../verb.ts';
import { failureOf } from './failures.ts';

/** One connection; what has to be said is said in as few exchanges as there are answers to wait for. */
export interface Link {
  /** For what has no answer to wait for: sent with the next `ask`, out of which its failure comes. */
  tell(text: string, ...values: Value[]): void;
  /** Answers once all are done; throws what went wrong first. */
  ask(statements: readonly Statement[]): Promise<unknown[]>;
  /** As `ask`, for the end of a transaction: how the server says it ended. */
  finish(text: 'COMMIT' | 'ROLLBACK'): Promise<string>;
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

export function createLink(client: Client): Link {
  const { stream } = client.connection;
  let told: { text: string; values: readonly Value[] }[] = [];

  const send = (text: string, values: readonly Value[]): Promise<QueryResult> => client.query({ ...prepare(text), values: [...values] });

  /** Everything told and asked, in one write. */
  async function exchange(asked: readonly { text: string; values: readonly Value[] }[]): Promise<QueryResult[]> {
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
    return results.slice(before.length);
  }

  return {
    tell(text, ...values) {
      told.push({ text, values });
    },
    async ask(statements) {
      const results = await exchange(statements.map((one) => (one.want === 'enter' ? { text: enterTenant, values: [one.tenant] } : one)));
      return statements.map((one, index) => answerOf(one, results[index]));
    },
    async finish(text) {
      const [ended] = await exchange([{ text, values: [] }]);
      return ended?.command ?? '';
    },
  };
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
