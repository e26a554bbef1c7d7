import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Draft, type DraftOptions, PlaceTaken } from '../copy.ts';
import { StoreUnavailable } from '../store.ts';
import { classify } from './failures.ts';
import { readMeta, schemaVersion, takeSteps } from './migrations.ts';
import { asking, createSql, perform } from './sql.ts';

const journals = ['-wal', '-shm', '-journal'] as const;

/** What stands where a store is to be restored: alone, or nothing may be put in its place. */
interface Standing {
  readonly empty: boolean;
  readonly epoch: number | null;
}

/** Fills a file beside `path` and renames it over in the end. Throws `PlaceTaken` when a broker runs on what stands there, or it is not empty and may not be replaced. */
export function openSqliteDraft(path: string, { version, replace, suffix }: DraftOptions): Draft {
  const standing = existsSync(path) ? examine(path) : null;
  if (standing && !standing.empty && !replace)
    throw new PlaceTaken(`the store at ${path} is not empty`, 'restore to another place, or add --replace: the store that is there is kept beside it');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.restoring`;
  for (const end of ['', ...journals]) rmSync(`${draft}${end}`, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const database = new DatabaseSync(draft, { enableForeignKeyConstraints: false });
  // A draft that is not finished is thrown away, so it needs neither journal nor flush until it is.
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
  takeSteps(database, version);
  const sql = createSql(database);

  return {
    replacedEpoch: standing?.epoch ?? null,
    async insert({ name, columns }, rows) {
      const text = `INSERT INTO ${name} (${columns.map((column) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      for (const row of rows) sql.run(text, ...row);
    },
    async finish({ store, epoch, epochAt }, verb) {
      takeSteps(database, schemaVersion);
      sql.run('UPDATE meta SET store = ?, epoch = ?, epoch_at = ?', store, epoch, epochAt);
      const answer = perform(asking(sql), verb());
      const [broken] = sql.all('PRAGMA foreign_key_check');
      if (broken) throw new Error('a row of the backup refers to one that is not in it');
      database.exec('COMMIT');
      database.close();
      flush(draft);
      const kept = standing && !standing.empty ? `${path}.${suffix}` : null;
      putInPlace(draft, path, kept);
      return { answer, kept };
    },
    async abandon() {
      if (database.isOpen) database.close();
      rmSync(draft, { force: true });
    },
  };
}

/** INVARIANT: a store stands at `path` at every moment, the one before or the new one; each file is whole without a journal. */
function putInPlace(draft: string, path: string, kept: string | null): void {
  if (existsSync(path)) {
    // Again at the last moment: what was begun since would stay in a journal that goes with another file.
    const whole = settle(path);
    if (kept !== null) linkSync(path, kept);
    // What a damaged file left in its journals must not be taken for the new one's.
    if (!whole && kept !== null) for (const end of journals) if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${kept}${end}`);
  }
  renameSync(draft, path);
  flush(dirname(path));
}

function examine(path: string): Standing {
  if (!settle(path)) return { empty: false, epoch: null };
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const meta = readMeta(database);
    if (!meta) return { empty: database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined, epoch: null };
    const empty = ['tenants', 'records', 'secrets'].every((table) => database.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() === undefined);
    const epoch = meta.version < 2 ? 1 : Number(database.prepare('SELECT epoch FROM meta').get()?.['epoch']);
    return { empty, epoch };
  } catch {
    return { empty: false, epoch: null };
  } finally {
    database.close();
  }
}

/** Writes the journal into the file, which only whoever has it alone can do. False when it is no database, or damaged; its journals are then put aside with it. */
function settle(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    return true;
  } catch (error) {
    if (classify(error) === 'busy') throw new PlaceTaken(`a broker runs on the store at ${path}`, 'stop it first');
    if (classify(error) !== 'outage') throw error;
    return false;
  } finally {
    database.close();
  }
}

function flush(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    throw new StoreUnavailable(`${path} could not be made durable`, { cause: error });
  } finally {
    closeSync(handle);
  }
}
