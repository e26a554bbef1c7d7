import { chmodSync, closeSync, copyFileSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { openSqliteStore, type Store, StoreUnavailable } from '../../server/store/index.ts';
import { body, claimRequest, open, start } from '../contract/samples.ts';
import { openBench } from './bench.ts';

const writes = (store: Store) => store.append('acme', [body('call.refused')]);
const reads = (store: Store) => store.readSession('acme', 'ses_1');

async function expectOutage(store: Store): Promise<void> {
  await expect(writes(store)).rejects.toThrow(StoreUnavailable);
  await expect(reads(store)).rejects.toThrow(StoreUnavailable);
  await expect(store.check()).rejects.toThrow(StoreUnavailable);
}

describe('when the file is removed or replaced', () => {
  it('nothing is answered, no empty file takes its place, and all goes on when it is back', async () => {
    const { folder, path, store } = await openBench();
    await open(store);
    renameSync(path, join(folder, 'away'));
    await expectOutage(store);
    expect(existsSync(path)).toBe(false);
    renameSync(join(folder, 'away'), path);
    expect((await reads(store))?.session.id).toBe('ses_1');
    await writes(store);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 3 });
  });

  it('with its journal, all goes on when they are back', async () => {
    const { folder, path, store } = await openBench();
    await open(store);
    const files = readdirSync(folder);
    for (const name of files) renameSync(join(folder, name), join(folder, `away-${name}`));
    await expectOutage(store);
    for (const name of files) renameSync(join(folder, `away-${name}`), join(folder, name));
    expect((await reads(store))?.session.id).toBe('ses_1');
    await writes(store);
    expect(existsSync(path)).toBe(true);
  });

  it('for good, it stays refused and nothing is made', async () => {
    const { folder, store } = await openBench();
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    await expectOutage(store);
    await expectOutage(store);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('by another store, that one is not used', async () => {
    const { folder, path, store } = await openBench();
    const other = await openSqliteStore({ path: join(folder, 'other.db'), clock: () => start });
    await other.close();
    for (const suffix of ['-wal', '-shm']) renameSync(`${path}${suffix}`, `${path}${suffix}.away`);
    renameSync(path, `${path}.away`);
    renameSync(join(folder, 'other.db'), path);
    await expect(writes(store)).rejects.toThrow(/another store/);
    await expectOutage(store);
    for (const suffix of ['', '-wal', '-shm']) renameSync(`${path}${suffix}.away`, `${path}${suffix}`);
    await writes(store);
  });

  it('by an older copy of itself, what was ended since does not live again', async () => {
    const { folder, path, store } = await openBench();
    await open(store);
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    raw.close();
    copyFileSync(path, join(folder, 'backup'));
    await store.endSession('acme', 'ses_1', { status: 'revoked', reason: 'deviation' }, start + 1, body('session.revoked'));
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`);
    renameSync(join(folder, 'backup'), path);
    await expect(reads(store)).rejects.toThrow(/older copy/);
    await expectOutage(store);
  });

  it('between a claim and its commit, the claim is not durable and none of the turn is answered as done', async () => {
    const { folder, path, store } = await openBench();
    await open(store);
    const beside = writes(store);
    const { answer, durable } = await store.claim(claimRequest());
    expect(answer.claimed).toBe(true);
    renameSync(path, join(folder, 'away'));
    await expect(durable).rejects.toThrow(StoreUnavailable);
    await expect(beside).rejects.toThrow(StoreUnavailable);
    renameSync(join(folder, 'away'), path);
    const types = (await store.readRecords('acme', 0, 100)).map(({ body: { type } }) => type);
    expect(types).toEqual(['configuration.applied', 'session.opened']);
  });
});

describe.skipIf(process.platform !== 'linux')('when a flush fails', () => {
  /** What the store flushes its journal by: the one descriptor of it that cannot write. */
  const flushedBy = (path: string): number =>
    Number(
      readdirSync('/proc/self/fd').find((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === `${path}-wal` && /^flags:\s+\d*0$/m.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
        } catch {
          return false;
        }
      }),
    );

  /** The same number, which now stands for what cannot be flushed. */
  const spoil = (fd: number): void => {
    closeSync(fd);
    const lower: number[] = [];
    for (let next = openSync('/dev/null', 'r'); next !== fd; next = openSync('/dev/null', 'r')) lower.push(next);
    for (const one of lower) closeSync(one);
  };

  it('nothing of it is answered as done, and all goes on, from what the disk is known to have', async () => {
    const { path, store } = await openBench();
    await open(store);
    spoil(flushedBy(path));
    const beside = writes(store);
    const { answer, durable } = await store.claim(claimRequest());
    expect(answer.claimed).toBe(true);
    // In the same turn of the loop as the commit, right after it: before its flush can have come back.
    const read = new Promise((resolve) => setImmediate(resolve)).then(() => store.readRecords('acme', 0, 100));
    read.catch(() => undefined);
    await expect(durable).rejects.toThrow(/could not make it durable/);
    await expect(beside).rejects.toThrow(StoreUnavailable);
    await expect(read).rejects.toThrow(/could not make it durable/);
    await writes(store);
    // What was in the journal went into the file before anything was built on it.
    expect(statSync(`${path}-wal`).size).toBeLessThan(100_000);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 5 });
  });
});

describe('when another process holds the lock', () => {
  it('for less than two seconds, verbs wait without holding the loop', async () => {
    const { path, store } = await openBench();
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 5);
    const writing = Promise.all([writes(store), writes(store)]);
    expect(await reads(store)).toBeNull();
    await sleep(300);
    holder.exec('COMMIT');
    holder.close();
    expect((await writing).flat()).toEqual([1, 2]);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(10);
  });

  it('for longer, writes are refused, reads answered, and all goes on when it lets go', async () => {
    const { path, store } = await openBench();
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    const began = performance.now();
    await expect(writes(store)).rejects.toThrow(/another process holds the store/);
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(await reads(store)).toBeNull();
    holder.exec('ROLLBACK');
    holder.close();
    expect(await writes(store)).toEqual([1]);
  });
});

describe('when the file can only be read', () => {
  it('writes are refused, and all goes on when it can be written again', async () => {
    const { folder, path, store } = await openBench();
    await open(store);
    renameSync(path, join(folder, 'away'));
    await expectOutage(store);
    renameSync(join(folder, 'away'), path);
    const files = readdirSync(folder).map((name) => join(folder, name));
    for (const file of files) chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    // Root may write whatever its mode says.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      await expect(writes(store)).rejects.toThrow(StoreUnavailable);
      await expect(store.check()).rejects.toThrow(StoreUnavailable);
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(folder, 0o700);
      for (const file of files) chmodSync(file, 0o600);
    }
    await writes(store);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 3 });
  });
});

describe('a store that was closed', () => {
  it('has made durable what it had begun, and answers nothing more', async () => {
    const { store, another } = await openBench();
    const last = writes(store);
    await store.close();
    expect(await last).toEqual([1]);
    await expectOutage(store);
    expect(await verifyChain(recordsOf(await another(), 'acme'))).toMatchObject({ ok: true, count: 2 });
  });
});
