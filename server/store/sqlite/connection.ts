import { setTimeout as sleep } from 'node:timers/promises';
import type { Written } from '../engine.ts';
import { StoreUnavailable } from '../store.ts';
import { classify, unavailable } from './failures.ts';
import { createOrOpenFile, type OpenFile, reopenFile } from './file.ts';
import { unknown } from './memory.ts';
import { mark, schemaVersion, tooNew } from './migrations.ts';
import { attempt, fail, type Pending, patienceMs, pendingOf, type Work } from './pending.ts';
import { asking, type Sql } from './sql.ts';

/** With jitter, so that two processes do not meet again and again. */
const pauseMs = (): number => 1 + Math.random() * 6;

export interface Connection {
  /** Runs a verb inside the open transaction; resolves before that is committed. */
  write<T>(verb: Work<T>): Promise<Written<T>>;
  /** `write`, resolved only once the answer is durable. */
  commit<T>(verb: Work<T>): Promise<T>;
  /** One consistent view of what is committed, on a connection of its own: it never sees a transaction that is still open. */
  read<T>(verb: Work<T>): Promise<T>;
  /** `read`, though what it rests on may not be durable yet, and as this turn of the event loop found it. May be begun twice. */
  peek<T>(verb: Work<T>): Promise<T>;
  /** Moves when another process has committed (sqlite.org/pragma.html#pragma_data_version); null while the file cannot be read. */
  othersVersion(): number | null;
  close(): Promise<void>;
}

/** A transaction stays open for the next turn of the event loop while each brings it so many verbs more, */
const crowd = 4;
/** and no longer than this, in milliseconds. */
const longestOpenMs = 8;

/**
 * One file, one transaction a turn of the event loop, or for a few turns that each bring many: its verbs share a `BEGIN IMMEDIATE` and
 * one flush to disk, each in a savepoint of its own. Locks of other processes are waited for without holding the loop.
 */
export async function openConnection(path: string): Promise<Connection> {
  let file: OpenFile | null = await openAtStart(path);
  let meta = file.meta;
  let closed = false;
  /** No transaction could be begun for these yet. */
  let queue: Pending[] = [];
  let retry: NodeJS.Timeout | null = null;
  /** Run inside the open transaction; null when none is open. */
  let batch: Pending[] | null = null;
  let opened = 0;
  /** The file was found as it should be in this turn of the loop. */
  let lookedAt = false;

  const moved = (): StoreUnavailable => new StoreUnavailable(`the store's file ${path} was removed or replaced`);

  /** The file, if it still stands where it stood; opened anew when it had gone and is back. */
  function inPlace(): OpenFile {
    if (closed) throw new StoreUnavailable('the store was closed');
    if (file && !file.isInPlace()) abandon(moved());
    file ??= reopenFile(path, meta);
    return file;
  }

  /** Brings up to date what is known of the file, where nothing is uncommitted. */
  function refresh({ writer, memory }: OpenFile): void {
    if (memory.refresh()) checkMark(writer);
  }

  /** `inPlace`, looked at once a turn, with what is known brought up to date. */
  function asOfThisTurn(): OpenFile {
    if (lookedAt && file) return file;
    const found = inPlace();
    if (!batch) refresh(found);
    lookedAt = true;
    setImmediate(() => {
      lookedAt = false;
    });
    return found;
  }

  /** A look of the writer at what is committed, where it has nothing open. */
  function inTransaction<T>(found: OpenFile, look: () => T): T {
    found.writer.run('BEGIN');
    try {
      refresh(found);
      return look();
    } finally {
      found.memory.committed();
      found.writer.run('COMMIT');
    }
  }

  /** After an outage nothing of a connection is trusted: the open transaction fails as one, and the next verb opens the file anew. */
  function abandon(error: unknown): void {
    const lost = batch ?? [];
    batch = null;
    file?.close();
    file = null;
    for (const one of lost) one.failed(error);
  }

  /** Inside a transaction: no newer Taskgate has shut this one out since the file was opened. */
  function checkMark(sql: Sql): void {
    const { user_version: oldest } = sql.one<{ user_version: number }>(mark) ?? { user_version: 0 };
    if (oldest > schemaVersion) throw tooNew(oldest);
  }

  function pump(): void {
    try {
      if (!batch) {
        // Where it stands is looked at again before it is committed.
        const found = (lookedAt ? file : null) ?? inPlace();
        found.writer.run('BEGIN IMMEDIATE');
        batch = [];
        opened = performance.now();
        refresh(found);
        setImmediate(endTurn, 0);
      }
    } catch (error) {
      if (classify(error) === 'busy') {
        waitForLock();
        return;
      }
      abandon(error);
      fail(queue.splice(0), unavailable('the store cannot be written', error));
      return;
    }
    for (const one of queue.splice(0)) runInBatch(one);
  }

  function runInBatch(one: Pending): void {
    if (!file || !batch) {
      one.failed(new StoreUnavailable('the store failed in the same transaction'));
      return;
    }
    batch.push(one);
    try {
      one.run(file);
    } catch (error) {
      abandon(unavailable('the store failed while writing', error));
    }
  }

  /** `before`: how many verbs it had a turn ago. */
  function endTurn(before: number): void {
    const many = batch?.length ?? 0;
    if (many - before >= crowd && performance.now() - opened < longestOpenMs) setImmediate(endTurn, many);
    else commitBatch();
  }

  function commitBatch(): void {
    if (!batch || !file) return;
    const committed = file;
    try {
      if (!file.isInPlace()) throw moved();
      file.memory.writeBack();
      const { sequence } = file.writer.one<{ sequence: number }>('UPDATE meta SET sequence = sequence + 1 RETURNING sequence') ?? meta;
      file.writer.run('COMMIT');
      file.memory.committed();
      meta = { ...meta, sequence };
    } catch (error) {
      abandon(unavailable('the store could not make it durable', error));
      return;
    }
    const done = batch;
    batch = null;
    committed.flush.add((error) => {
      // What went to a file that no longer stands at the path is lost to whoever opens the path next.
      const lost = error ?? (committed.isInPlace() ? null : moved());
      if (lost && file === committed) abandon(unavailable('the store could not make it durable', lost));
      for (const one of done) lost ? one.failed(unavailable('the store could not make it durable', lost)) : one.committed();
    });
  }

  function waitForLock(): void {
    const now = performance.now();
    const late = queue.filter((one) => one.deadline <= now);
    queue = queue.filter((one) => one.deadline > now);
    fail(late, new StoreUnavailable('another process holds the store'));
    if (queue.length > 0 && !retry) retry = setTimeout(tryAgain, pauseMs());
  }

  function tryAgain(): void {
    retry = null;
    if (queue.length > 0) pump();
  }

  function readOnce<T>(verb: Work<T>): T {
    const { reader } = inPlace();
    reader.run('BEGIN');
    try {
      checkMark(reader);
      return verb(asking(reader));
    } finally {
      reader.run('COMMIT');
    }
  }

  /** From what is known, else from the writer where it has nothing open, else from the reader. */
  function peekOnce<T>(verb: Work<T>): T {
    const found = asOfThisTurn();
    const known = attempt(verb, (query) => found.memory.look(query, batch !== null));
    if (known !== unknown) return known;
    return batch ? readOnce(verb) : inTransaction(found, () => verb(found.memory.answer));
  }

  async function look<T>(take: () => T): Promise<T> {
    try {
      return await patiently(take);
    } catch (error) {
      if (classify(error) === 'fault') throw error;
      if (classify(error) === 'outage') abandon(unavailable('the store cannot be read', error));
      throw unavailable('the store cannot be read', error);
    }
  }

  function write<T>(verb: Work<T>): Promise<Written<T>> {
    return new Promise((resolve, reject) => {
      queue.push(pendingOf(verb, resolve, reject));
      pump();
    });
  }

  return {
    write,
    async commit(verb) {
      const { answer, durable } = await write(verb);
      await durable;
      return answer;
    },
    peek: (verb) => look(() => peekOnce(verb)),
    async read(verb) {
      const { answer, durable } = await look(() => ({ answer: readOnce(verb), durable: file?.flush.settled() ?? null }));
      // It may rest on what is committed and not yet durable: until that is, nobody is told.
      const lost = durable === null ? null : await durable;
      if (lost) throw unavailable('the store could not make it durable', lost);
      return answer;
    },
    othersVersion() {
      try {
        return file?.writer.one<{ data_version: number }>('PRAGMA data_version')?.data_version ?? null;
      } catch {
        return null;
      }
    },
    async close() {
      commitBatch();
      await file?.flush.settled();
      closed = true;
      if (retry) clearTimeout(retry);
      fail(queue.splice(0), new StoreUnavailable('the store was closed'));
      abandon(new StoreUnavailable('the store was closed'));
    },
  };
}

async function openAtStart(path: string): Promise<OpenFile> {
  try {
    return await patiently(() => createOrOpenFile(path));
  } catch (error) {
    throw unavailable(`the store cannot be opened at ${path}`, error);
  }
}

/** Tries again while another process holds the file, up to the patience of one verb, without holding the loop. */
async function patiently<T>(attempt: () => T): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (classify(error) !== 'busy' || performance.now() >= deadline) throw error;
    }
    await sleep(pauseMs());
  }
}
