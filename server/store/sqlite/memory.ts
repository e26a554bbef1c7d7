import { type KeptRow, type KeptTable, keptTables, type Query, type Row, readKeptText } from '../verb.ts';
import { createAnswers, joined } from './answers.ts';
import { type Footprint, footprintOf } from './footprint.ts';
import type { Sql } from './sql.ts';

/**
 * What the writer of a file knows of it without asking: rows of kept tables, and answers that are remembered. While it holds the
 * file's lock nobody else changes anything, and from one transaction to the next the file's own version says whether somebody has
 * (sqlite.org/pragma.html#pragma_data_version), so what is known is what a query would find. Rows that change with every call are
 * written when they are needed: before a commit, and before a query that names their table.
 */
export interface Memory {
  /** Answers inside the open transaction, or where nothing is open, inside one of its own. */
  answer(query: Query): unknown;
  /** Answers as if nothing that is not committed had been written; `unknown` when it cannot. Inside a transaction it may ask. */
  look(query: Query, mayAsk: boolean): unknown;
  /** To be told before anything is asked in a transaction. True when another process has committed since the last time. */
  refresh(): boolean;
  /** From here on everything can be taken back as one. */
  begin(): void;
  takeBack(): void;
  /** Before a commit. */
  writeBack(): void;
  committed(): void;
}

export const unknown = Symbol('unknown');

interface Entry {
  readonly row: Row | null;
  readonly committed: Row | null;
  readonly kept: KeptRow;
  /** The file has it as it is here, inside the transaction. */
  readonly written: boolean;
}

/** The oldest make room. */
const mostRows = 20_000;

export function createMemory(sql: Sql): Memory {
  const rows = new Map<string, Entry>();
  const answers = createAnswers();
  /** Tables that remembered answers were read from. */
  const watched = new Set<string>();
  /** Ids of rows changed in this transaction. */
  const changed = new Set<string>();
  let undo: (readonly [string, Entry | undefined])[] = [];
  let version: number | null = null;
  /** In this transaction something was written that answers may rest on, or rows were read that are not committed. */
  let disturbed = false;

  function put(id: string, entry: Entry | undefined): void {
    undo.push([id, rows.get(id)]);
    if (entry) rows.set(id, entry);
    else rows.delete(id);
  }

  function current(kept: KeptRow): Entry {
    const id = idOf(kept);
    const known = rows.get(id);
    if (known) return known;
    const row = sql.one<Row>(readKeptText[kept.table], ...kept.key) ?? null;
    const entry = { row, committed: row, kept: { table: kept.table, key: kept.key }, written: true };
    put(id, entry);
    return entry;
  }

  function change(kept: Required<KeptRow>): number {
    const entry = current(kept);
    const row = kept.change(entry.row ?? undefined);
    if (row === null) return 0;
    const id = idOf(kept);
    put(id, { ...entry, row, written: false });
    changed.add(id);
    return 1;
  }

  function writeBack(table: KeptTable | null): void {
    for (const id of changed) {
      const entry = rows.get(id);
      if (!entry?.row || entry.written || (table !== null && entry.kept.table !== table)) continue;
      const { key, table: name } = entry.kept;
      sql.run(writeText[name], ...key, ...keptTables[name].columns.map((column) => entry.row?.[column] ?? null));
      put(id, { ...entry, written: true });
    }
  }

  function ask(query: Query): unknown {
    return sql[query.want](query.text, ...query.values);
  }

  function remembered(query: Query): unknown {
    const known = answers.recall(query);
    if (known !== undefined) return known;
    watch(footprintOf(query.text));
    const found = ask(query);
    // Who asks for what is not there may ask for anything.
    if (found !== undefined) answers.keep(query, found);
    return found;
  }

  function watch({ tables, kept }: Footprint): void {
    if (kept.length > 0) throw new Error('what is remembered cannot rest on a kept table');
    for (const table of tables) {
      if (watched.has(table)) continue;
      watched.add(table);
      // What was written to it before is not known here.
      disturbed = true;
    }
  }

  function plain(query: Query): unknown {
    const { kept, words, writes } = footprintOf(query.text);
    for (const table of kept) writeBack(table);
    const answer = ask(query);
    if (!writes) return answer;
    for (const table of kept) {
      disturbed = true;
      for (const [id, entry] of rows) if (entry.kept.table === table) put(id, undefined);
    }
    for (const table of watched) {
      if (!words.has(table)) continue;
      disturbed = true;
      answers.forget();
      break;
    }
    return answer;
  }

  return {
    answer(query) {
      if (query.kept) return isChange(query.kept) ? change(query.kept) : (current(query.kept).row ?? undefined);
      return query.remember ? remembered(query) : plain(query);
    },
    look(query, mayAsk) {
      if (disturbed) return unknown;
      if (query.kept && !query.kept.change) {
        const entry = rows.get(idOf(query.kept)) ?? (mayAsk ? current(query.kept) : null);
        return entry ? (entry.committed ?? undefined) : unknown;
      }
      if (!query.remember) return unknown;
      const known = answers.recall(query);
      if (known !== undefined || !mayAsk) return known ?? unknown;
      watch(footprintOf(query.text));
      return disturbed ? unknown : remembered(query);
    },
    refresh() {
      const now = sql.one<{ data_version: number }>('PRAGMA data_version')?.data_version ?? null;
      if (now === version && now !== null) return false;
      version = now;
      rows.clear();
      answers.forget();
      return true;
    },
    begin() {
      undo = [];
    },
    takeBack() {
      for (const [id, entry] of undo.toReversed()) {
        if (entry) rows.set(id, entry);
        else rows.delete(id);
      }
      undo = [];
      if (disturbed) answers.forget();
    },
    writeBack: () => writeBack(null),
    committed() {
      for (const id of changed) {
        const entry = rows.get(id);
        if (entry) rows.set(id, { ...entry, committed: entry.row });
      }
      changed.clear();
      undo = [];
      disturbed = false;
      for (const id of rows.keys()) {
        if (rows.size <= mostRows) break;
        rows.delete(id);
      }
    },
  };
}

const writeText = Object.fromEntries(
  Object.entries(keptTables).map(([table, { key, columns }]) => [
    table,
    `INSERT INTO ${table} (${[...key, ...columns].join(', ')}) VALUES (${[...key, ...columns].map(() => '?').join(', ')})
     ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
  ]),
) as Readonly<Record<KeptTable, string>>;

const isChange = (kept: KeptRow): kept is Required<KeptRow> => kept.change !== undefined;
const idOf = ({ table, key }: KeptRow): string => `${table}\0${joined(key)}`;
