import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreUnavailable } from '../store.ts';
import { createFlush, type Flush } from './flush.ts';
import { createMemory, type Memory } from './memory.ts';
import { type Meta, migrate, readMeta, schemaVersion, tooNew } from './migrations.ts';
import { createSql, type Sql } from './sql.ts';

/** The file as it was when it was opened: another inode at the same path is another file. */
interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface OpenFile {
  readonly writer: Sql;
  /** Of the writer. */
  readonly memory: Memory;
  readonly reader: Sql;
  readonly meta: Meta;
  /** Commits are durable only once this has flushed them. */
  readonly flush: Flush;
  /** The path still leads to the file that is open. */
  isInPlace(): boolean;
  /** Takes back whatever was begun and not committed. */
  close(): void;
}

/** Makes the file when there is none (0600, before anything is in it), and brings its schema up to date. Only at start. */
export function createOrOpenFile(path: string): OpenFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw new StoreUnavailable(`the store cannot be made at ${path}`, { cause: error });
  }
  return openFile(path, (writer) => {
    writer.exec('PRAGMA journal_mode = WAL');
    return migrate(writer);
  });
}

/**
 * Opens the file of a store that was open before. Never makes one, never migrates; refuses another store, and an older copy of
 * this one, in which what was ended or used since would live again.
 */
export function reopenFile(path: string, before: Meta): OpenFile {
  return openFile(path, (writer) => {
    // A flush may have failed: what the journal holds goes to the disk in another way before anything is built on it.
    moveJournal(writer);
    const meta = readMeta(writer);
    if (meta?.store !== before.store) throw new StoreUnavailable(`another store stands at ${path}; start Taskgate anew to use it`);
    if (meta.oldest > schemaVersion) throw tooNew(meta.version);
    if (meta.sequence < before.sequence)
      throw new StoreUnavailable(`an older copy of the store stands at ${path}; put the newer one back, or start Taskgate anew`);
    return meta;
  });
}

/** Throws when not all of it could be written and flushed. */
function moveJournal(writer: DatabaseSync): void {
  const { busy } = writer.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  if (busy !== 0) throw new StoreUnavailable('another process holds the store');
}

function openFile(path: string, prepare: (writer: DatabaseSync) => Meta): OpenFile {
  const inode = inodeOf(path);
  if (!inode) throw new StoreUnavailable(`the store's file ${path} is gone`);
  const opened: DatabaseSync[] = [];
  try {
    const writer = connect(path, 'rw');
    opened.push(writer);
    // Until `flush` has been there, what is committed is not durable and nobody is told that it is.
    writer.exec('PRAGMA synchronous = NORMAL');
    writer.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    writer.exec('PRAGMA secure_delete = ON');
    // What a savepoint may have to take back is kept in memory; by default each transaction made a file for it.
    writer.exec('PRAGMA temp_store = MEMORY');
    const meta = prepare(writer);
    const reader = connect(path, 'ro');
    opened.push(reader);
    if (!same(inodeOf(path), inode)) throw new StoreUnavailable(`the store's file ${path} was replaced while it was opened`);
    const flush = createFlush(`${path}-wal`);
    const sql = createSql(writer);
    return {
      writer: sql,
      memory: createMemory(sql),
      reader: createSql(reader),
      meta,
      flush,
      isInPlace: () => same(inodeOf(path), inode),
      close() {
        flush.close();
        closeAll(opened);
      },
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** Pages in the journal before they are written into the file: each time costs milliseconds, and pages written often are written once. */
const checkpointPages = 4_000;

/** `mode` in the URI, because the plain call would make a missing file. No timeout: waiting is done without holding the loop. */
function connect(path: string, mode: 'rw' | 'ro'): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', mode);
  return new DatabaseSync(url, { timeout: 0, enableForeignKeyConstraints: true, readOnly: mode === 'ro' });
}

/**
 * SQLite leaves the journal of a file that has moved alone, so closing is safe when another stands in its place. The writer goes last:
 * only it can write the journal into the file, so that a stopped store is one file.
 */
function closeAll(databases: readonly DatabaseSync[]): void {
  for (const database of databases.toReversed()) {
    try {
      database.close();
    } catch {
      // It was closed by a failure of its own.
    }
  }
}

function inodeOf(path: string): Inode | null {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

const same = (a: Inode | null, b: Inode): boolean => a !== null && a.ino === b.ino && a.dev === b.dev;
