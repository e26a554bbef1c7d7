import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change } from '../signals.ts';
import type { Query, Value, Verb } from '../verb.ts';

/** One connection's statements, each prepared once. */
export interface Sql {
  /** The first row; undefined when there is none. */
  one<R>(text: string, ...values: Value[]): R | undefined;
  all<R>(text: string, ...values: Value[]): R[];
  /** How many rows it changed. */
  run(text: string, ...values: Value[]): number;
}

interface Prepared {
  readonly statement: StatementSync;
  row(values: unknown): unknown;
}

export function createSql(database: DatabaseSync): Sql {
  const known = new Map<string, Prepared>();
  const prepared = (text: string): Prepared => {
    const before = known.get(text);
    if (before) return before;
    const statement = database.prepare(text);
    // Rows come as lists, of which objects of one shape are made here: the driver makes one of a shape of its own for each row.
    statement.setReturnArrays(true);
    const names = statement.columns().map(({ name }) => name);
    const made = { statement, row: (values: unknown) => named(names, values as readonly unknown[]) };
    known.set(text, made);
    return made;
  };
  return {
    one: <R>(text: string, ...values: Value[]) => {
      const { statement, row } = prepared(text);
      const found: unknown = statement.get(...values);
      return (found === undefined ? undefined : row(found)) as R | undefined;
    },
    all: <R>(text: string, ...values: Value[]) => {
      const { statement, row } = prepared(text);
      return statement.all(...values).map(row) as R[];
    },
    run: (text, ...values) => Number(prepared(text).statement.run(...values).changes),
  };
}

function named(names: readonly string[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {};
  for (let column = 0; column < names.length; column++) row[names[column] ?? ''] = values[column];
  return row;
}

/** Answers one query of a verb. */
export type Ask = (query: Query) => unknown;

/** By asking the file. */
export const asking =
  (sql: Sql): Ask =>
  ({ want, text, values }) =>
    sql[want](text, ...values);

/**
 * Runs a verb to its end on one connection and adds to `told` what is to be told once it is committed; whatever is thrown leaves it
 * unfinished. One file has one lock and no row-level security: whose rows a verb enters makes no difference.
 */
export function perform<T>(ask: Ask, verb: Verb<T>, told: Change[] = []): T {
  for (let step = verb.next(); ; ) {
    if (step.done) return step.value;
    step = verb.next(
      step.value.map((statement) => {
        if (statement.want === 'signal') return told.push(statement.change);
        return statement.want === 'enter' ? undefined : ask(statement);
      }),
    );
  }
}
