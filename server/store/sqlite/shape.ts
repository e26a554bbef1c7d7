import { DatabaseSync } from 'node:sqlite';
import type { TableShape } from '../copy.ts';
import { takeSteps } from './migrations.ts';

/** The tables of a schema version, without the store's own description, as the steps to it make them. */
export function shapeOf(version: number): readonly TableShape[] {
  const database = new DatabaseSync(':memory:');
  try {
    takeSteps(database, version);
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' ORDER BY rowid`).all() as unknown as {
      name: string;
    }[];
    return tables.map(({ name }) => {
      const columns = database.prepare('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid').all(name) as unknown as { name: string; pk: number }[];
      const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
      return { name, columns: columns.map((column) => column.name), key: key.map((column) => column.name) };
    });
  } finally {
    database.close();
  }
}
