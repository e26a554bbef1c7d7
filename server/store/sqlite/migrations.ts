import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../store.ts';
import { steps } from './steps.ts';

export interface Schema {
  readonly steps: readonly string[];
  /** The oldest schema whose Taskgate can go on working here; a step that breaks what came before raises it to its own number. */
  readonly oldest: number;
}
export const schema: Schema = { steps, oldest: 1 };
export const schemaVersion = steps.length;

/** Which store this is and how far it has come; null when the file holds no store yet. */
export interface Meta {
  readonly store: string;
  readonly version: number;
  /** Grows with every transaction, so that an older copy of the same store is told from it. */
  readonly sequence: number;
  /** The oldest schema whose Taskgate may work on it. */
  readonly oldest: number;
}

export function readMeta(database: DatabaseSync): Meta | null {
  const found = database.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'`).get();
  if (!found) return null;
  const meta = database.prepare('SELECT store, version, sequence FROM meta').get() as unknown as Omit<Meta, 'oldest'>;
  // A store of before there was a mark is for who knows its very schema.
  return { ...meta, oldest: readMark(database) || meta.version };
}

/** Where the mark stands: a number in the file's header, which costs nothing to read with every transaction. */
export const mark = 'PRAGMA user_version';
const readMark = (database: DatabaseSync): number => (database.prepare(mark).get() as { user_version: number }).user_version;

/**
 * Takes the steps that are missing, all or none. A store that a newer Taskgate brought further is used as it is while that one says
 * this one can, and refused when it says otherwise.
 */
export function migrate(database: DatabaseSync, known: Schema = schema): Meta {
  database.exec('BEGIN IMMEDIATE');
  try {
    const before = readMeta(database);
    if (before && before.oldest > known.steps.length) throw tooNew(before.version, known.steps.length);
    takeSteps(database, known.steps.length, known);
    const meta = readMeta(database);
    if (!meta) throw new StoreUnavailable('the store lost its own description');
    database.exec('COMMIT');
    return meta;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Takes the steps up to `target` that are missing, in the transaction at hand. */
export function takeSteps(database: DatabaseSync, target: number, { steps, oldest }: Schema = schema): void {
  const version = readMeta(database)?.version ?? 0;
  if (version === 0) {
    database.exec(`
      CREATE TABLE meta (store TEXT NOT NULL, version INTEGER NOT NULL, sequence INTEGER NOT NULL) STRICT;
      INSERT INTO meta (store, version, sequence) VALUES (lower(hex(randomblob(16))), 0, 0)`);
  }
  for (const step of steps.slice(version, target)) database.exec(step);
  if (version < target) database.prepare('UPDATE meta SET version = ?').run(target);
  if (version <= steps.length && readMark(database) < oldest) database.exec(`${mark} = ${oldest}`);
}

export const tooNew = (version: number, known = schemaVersion): StoreUnavailable =>
  new StoreUnavailable(
    `the store was written by a newer Taskgate (schema ${version}; this one knows ${known}): run that one, or restore a backup made before it`,
  );
