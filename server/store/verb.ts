import type { Change } from './signals.ts';

/**
 * What a store does, apart from what it is made of: a verb is a generator that yields statements and is handed their answers, so
 * that one text and one order of checks run inside a SQLite transaction, where answers are there at once, and inside a PostgreSQL
 * one, where they are awaited. Statements keep to the subset both know: placeholders `?`, JSON as text, times as integers.
 */
export type Verb<T> = Generator<readonly Statement[], T, readonly unknown[]>;

export type Value = string | number | Uint8Array | null;

/**
 * `one`: the first row or undefined; `all`: every row; `run`: how many rows it changed; `enter`: only this tenant's rows from here on;
 * `signal`: told to every process once, and only if, it is committed.
 */
export type Statement = Query | { readonly want: 'enter'; readonly tenant: string } | { readonly want: 'signal'; readonly change: Change };

/**
 * What it says beside its text is for a store that is told of every change: it may answer from what it knows, and write what changes
 * again and again once, before it commits. Any other goes by the text alone.
 */
export interface Query {
  readonly want: 'one' | 'all' | 'run';
  readonly text: string;
  readonly values: readonly Value[];
  /** Asked again and again of what seldom changes: the same rows until a table it names is written to. It names no kept one. */
  readonly remember?: true;
  /** Reads or changes this one row of a kept table. */
  readonly kept?: KeptRow;
}

/** Tables of which each row is found by its whole key, and some change with every call. */
export const keptTables = {
  chain_heads: { key: ['tenant'], columns: ['next', 'hash'] },
  counters: { key: ['tenant', 'scope', 'name'], columns: ['used'] },
} as const;
export type KeptTable = keyof typeof keptTables;
export type Row = Readonly<Record<string, Value>>;

export interface KeptRow {
  readonly table: KeptTable;
  readonly key: readonly string[];
  /** What the text makes of the row as it is, undefined where there is none; null when it changes nothing. Absent from a query that only reads. */
  readonly change?: (row: Row | undefined) => Row | null;
}

export function* one<Row>(text: string, ...values: Value[]): Verb<Row | undefined> {
  const [row] = yield [{ want: 'one', text, values }];
  return row as Row | undefined;
}

export function* all<Row>(text: string, ...values: Value[]): Verb<Row[]> {
  const [rows] = yield [{ want: 'all', text, values }];
  return rows as Row[];
}

/** `one`, remembered. */
export function* remembered<Row>(text: string, ...values: Value[]): Verb<Row | undefined> {
  const [row] = yield [remembers(text, ...values)];
  return row as Row | undefined;
}

/** The query `remembered` asks. */
export const remembers = (text: string, ...values: Value[]): Query => ({ want: 'one', text, values, remember: true });

/** `all`, remembered. */
export function* allRemembered<Row>(text: string, ...values: Value[]): Verb<Row[]> {
  const [rows] = yield [{ want: 'all', text, values, remember: true }];
  return rows as Row[];
}

/** Finds one row of each kept table by its key. */
export const readKeptText = Object.fromEntries(
  Object.entries(keptTables).map(([table, { key, columns }]) => [
    table,
    `SELECT ${columns.join(', ')} FROM ${table} WHERE ${key.map((column) => `${column} = ?`).join(' AND ')}`,
  ]),
) as Readonly<Record<KeptTable, string>>;

/** Finds one row of a kept table by its key. */
export const keeps = (table: KeptTable, ...key: string[]): Query => ({ want: 'one', text: readKeptText[table], values: key, kept: { table, key } });

/** How many rows changed: one or none. INVARIANT: `change` makes of the row what the text makes of it. */
export const changeKept = (kept: Required<KeptRow>, text: string, ...values: Value[]): Query => ({ want: 'run', text, values, kept });

/** The query `run` asks. */
export const runs = (text: string, ...values: Value[]): Query => ({ want: 'run', text, values });

/** Queries whose texts do not depend on one another's answers, one after the other in one step. */
export function* ask(...queries: readonly Query[]): Verb<readonly unknown[]> {
  return yield queries;
}

export function* run(text: string, ...values: Value[]): Verb<number> {
  const [changed] = yield [runs(text, ...values)];
  return changed as number;
}

/** For the few verbs that write for several tenants: what follows touches the rows of this one. */
export function* enter(tenant: string): Verb<void> {
  yield [{ want: 'enter', tenant }];
}

/** Hastens whoever waits for this change, on every replica. */
export function* signal(kind: Change['kind'], tenant: string, id: string): Verb<void> {
  yield [{ want: 'signal', change: { kind, tenant, id } }];
}

type Answers<V extends readonly Verb<unknown>[]> = { -readonly [K in keyof V]: V[K] extends Verb<infer T> ? T : never };

/**
 * Runs verbs that do not depend on one another in step, so that a store behind a network is asked once for all of them. Their
 * statements still run one after the other, in the order given.
 */
export function* together<V extends readonly Verb<unknown>[]>(...verbs: V): Verb<Answers<V>> {
  const steps = verbs.map((verb) => verb.next());
  while (!steps.every(({ done }) => done)) {
    const statements: Statement[] = [];
    for (const { done, value } of steps) if (!done) statements.push(...(value as readonly Statement[]));
    const answers = yield statements;
    let from = 0;
    for (const [index, verb] of verbs.entries()) {
      const step = steps[index];
      if (!step || step.done) continue;
      const many = step.value.length;
      steps[index] = verb.next(many === answers.length ? answers : answers.slice(from, from + many));
      from += many;
    }
  }
  return steps.map(({ value }) => value) as Answers<V>;
}

/** Thrown by a verb that finds out late that it must refuse: what it wrote is taken back, its answer stands. */
export class Undo extends Error {
  readonly answer: unknown;
  constructor(answer: unknown) {
    super('taken back');
    this.answer = answer;
  }
}
