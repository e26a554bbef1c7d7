import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Row, rowsAtOnce, type Snapshot } from '../copy.ts';
import { StoreUnavailable } from '../store.ts';
import { readState } from '../verbs/epochs.ts';
import { unavailable } from './failures.ts';
import { readMeta, schemaVersion, tooNew } from './migrations.ts';
import { shapeOf } from './shape.ts';
import { asking, createSql, perform } from './sql.ts';

/** One read transaction on the file, which never holds up those who write. Rejects with `StoreUnavailable`. */
export async function openSqliteSnapshot(path: string): Promise<Snapshot> {
  if (!existsSync(path)) throw new StoreUnavailable(`there is no store at ${path}`);
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'rw');
  const database = new DatabaseSync(url, { timeout: 2000 });
  try {
    database.exec('PRAGMA query_only = ON; BEGIN');
    const version = readMeta(database)?.version ?? 0;
    if (version > schemaVersion) throw tooNew(version);
    if (version < schemaVersion) throw new StoreUnavailable(`the store at ${path} has an older schema (${version}): start Taskgate on it once`);
    const state = perform(asking(createSql(database)), readState());
    return {
      version,
      state,
      tables: shapeOf(version),
      async *rows({ name, columns, key }) {
        const statement = database.prepare(`SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM ${name} ORDER BY ${key.join(', ')}`);
        statement.setReturnArrays(true);
        let batch: Row[] = [];
        for (const row of statement.iterate()) {
          batch.push(row as unknown as Row);
          if (batch.length < rowsAtOnce) continue;
          yield batch;
          batch = [];
        }
        if (batch.length > 0) yield batch;
      },
      async close() {
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw unavailable(`the store at ${path} cannot be read`, error);
  }
}
