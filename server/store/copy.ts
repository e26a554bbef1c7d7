import type { StoreState } from './store.ts';
import type { Value, Verb } from './verb.ts';

/** A table as both engines have it, oldest first: what a row refers to stands in a table before, or in its own. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
}

/** In the order of the table's columns. */
export type Row = readonly Value[];
/** How many rows are held at once. */
export const rowsAtOnce = 200;

/** One consistent view of a whole store, while brokers go on writing. */
export interface Snapshot {
  /** Version of the schema. */
  readonly version: number;
  readonly state: StoreState;
  readonly tables: readonly TableShape[];
  /** In the order of the key, at most `rowsAtOnce` at a time. One table at a time. */
  rows(table: TableShape): AsyncIterable<readonly Row[]>;
  close(): Promise<void>;
}

/** A store being filled from a copy. Nobody sees any of it before `finish`; a process that dies leaves the place as it was. */
export interface Draft {
  /** Of the store that stands there now; null when there is none, or none that can be read. */
  readonly replacedEpoch: number | null;
  insert(table: TableShape, rows: readonly Row[]): Promise<void>;
  /** Brings the schema up to date, runs the verb on the whole, and puts the store in its place. `kept`: where the one before is now, null when there was none. */
  finish<T>(
    identity: { readonly store: string; readonly epoch: number; readonly epochAt: number },
    verb: () => Verb<T>,
  ): Promise<{ answer: T; kept: string | null }>;
  /** Forgets all of it. */
  abandon(): Promise<void>;
}

export interface DraftOptions {
  /** Schema of what will be inserted. */
  readonly version: number;
  /** Whether a store that is not empty may be put aside. */
  readonly replace: boolean;
  /** Added to the name of what is put aside. */
  readonly suffix: string;
}

/** The place for a store is taken, and stays as it is. */
export class PlaceTaken extends Error {
  override readonly name = 'PlaceTaken';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}
