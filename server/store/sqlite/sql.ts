import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change } from '../signals.ts';
import type { Statement, Value, Verb } from '../verb.ts';

/** One connection's statements, each prepared once. */
export interface Sql {
  /** The first row; undefined when there is none. */
  one<R>(text: string, ...values: Value[]): R | undefined;
  all<R>(text: string, ...values: Value[]): R[];
  /** How many rows it changed. */
  run(text: string, ...values: Value[]): number;
}

export function createSql(database: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known) return known;
    const made = database.prepare(text);
    prepared.set(text, made);
    return made;
  };
  return {
    one: <R>(text: string, ...values: Value[]) => prepare(text).get(...values) as R | undefined,
    all: <R>(text: string, ...values: Value[]) => prepare(text).all(...values) as R[],
    run: (text, ...values) => Number(prepare(text).run(...values).changes),
  };
}

/** Runs a verb to its end on one connection and adds to `told` what is to be told once it is committed; whatever is thrown leaves it unfinished. */
export function perform<T>(sql: Sql, verb: Verb<T>, told: Change[] = []): T {
  for (let step = verb.next(); ; ) {
    if (step.done) return step.value;
    step = verb.next(step.value.map((statement) => (statement.want === 'signal' ? told.push(statement.change) : answer(sql, statement))));
  }
}

/** One file has one lock and no row-level security: whose rows a verb enters makes no difference. */
function answer(sql: Sql, statement: Exclude<Statement, { want: 'signal' }>): unknown {
  return statement.want === 'enter' ? undefined : sql[statement.want](statement.text, ...statement.values);
}
