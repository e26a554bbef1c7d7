import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createFlush } from '../../server/store/sqlite/flush.ts';

/** Texts in one table of one SQLite file, flushed as the broker's own store is: the least that lasting costs. */
export interface Journal {
  /** Resolves once it is durable. What is written in one turn of the event loop shares a commit, and what waits a flush. */
  write(text: string): Promise<void>;
}

export function openJournal(dir: string): Journal {
  const path = join(dir, 'journal.db');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; CREATE TABLE journal (text TEXT NOT NULL) STRICT');
  const flush = createFlush(`${path}-wal`);
  const [begin, insert, commit] = ['BEGIN IMMEDIATE', 'INSERT INTO journal (text) VALUES (?)', 'COMMIT'].map((text) => database.prepare(text));
  let waiting: PromiseWithResolvers<void>[] = [];

  function commitAll(): void {
    const these = waiting;
    waiting = [];
    commit?.run();
    flush.add((error) => {
      for (const { resolve, reject } of these) error ? reject(error) : resolve();
    });
  }

  return {
    write(text) {
      if (waiting.length === 0) {
        begin?.run();
        setImmediate(commitAll);
      }
      insert?.run(text);
      const written = Promise.withResolvers<void>();
      waiting.push(written);
      return written.promise;
    },
  };
}
