import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { openSqliteStore, StoreUnavailable } from '../../server/store/index.ts';
import { migrate, schema } from '../../server/store/sqlite/migrations.ts';
import { body, open, start, take } from '../contract/samples.ts';
import { openBench } from './bench.ts';

/** What the next Taskgate does when it starts. */
function migrateTo(path: string, step: string, oldest: number): void {
  const database = new DatabaseSync(path);
  migrate(database, { steps: [...schema.steps, step], oldest });
  database.close();
}

describe("the store's file", () => {
  it('and its journal can be read by their owner alone, from the first byte', async () => {
    const { folder } = await openBench();
    const modes = readdirSync(folder).map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8));
    expect(new Set(modes)).toEqual(new Set(['600']));
  });

  it('is made in a folder that is made for it, closed to others', async () => {
    const root = mkdtempSync(join(tmpdir(), 'taskgate-store-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const store = await openSqliteStore({ path: join(root, 'data', 'taskgate.db'), clock: () => start });
    await store.close();
    expect(statSync(join(root, 'data')).mode & 0o777).toBe(0o700);
  });

  it('holds what was written when it is opened again', async () => {
    const { store, another } = await openBench();
    await open(store);
    await store.close();
    const again = await another();
    expect((await again.readSession('acme', 'ses_1'))?.session.status).toBe('active');
  });

  it('is all there is of a store that was stopped: no journal stays beside it', async () => {
    const { folder, store } = await openBench();
    await open(store);
    await store.close();
    expect(readdirSync(folder)).toEqual(['taskgate.db']);
  });

  it('serves a broker on, running or started anew, while the next version of the schema only adds', async () => {
    const { path, store, another } = await openBench();
    await open(store);
    migrateTo(path, 'ALTER TABLE sessions ADD COLUMN later TEXT', schema.oldest);
    expect((await take(store)).claimed).toBe(true);
    expect((await (await another()).readSession('acme', 'ses_1'))?.session.status).toBe('active');
    const raw = new DatabaseSync(path);
    expect(raw.prepare('SELECT version FROM meta').get()).toMatchObject({ version: schema.steps.length + 1 });
    raw.close();
  });

  it('serves a broker no longer, running or started anew, once the next version of the schema says so', async () => {
    const { path, store, another } = await openBench();
    await open(store);
    await store.readSession('acme', 'ses_1');
    migrateTo(path, 'ALTER TABLE sessions ADD COLUMN later TEXT', schema.steps.length + 1);
    // What another process has done is seen from the next turn of the loop on.
    await setImmediate();
    await expect(store.readSession('acme', 'ses_1')).rejects.toThrow(/newer Taskgate/);
    await expect(take(store)).rejects.toThrow(/newer Taskgate/);
    await expect(another()).rejects.toThrow(/newer Taskgate/);
  });

  it('is refused when it was written by a newer Taskgate that left no mark, and left as it was', async () => {
    const { path, store, another } = await openBench();
    await store.close();
    const raw = new DatabaseSync(path);
    raw.exec('UPDATE meta SET version = 99; PRAGMA user_version = 0');
    raw.close();
    await expect(another()).rejects.toThrow(/newer Taskgate \(schema 99/);
    const after = new DatabaseSync(path);
    expect(after.prepare('SELECT version FROM meta').get()).toMatchObject({ version: 99 });
    after.close();
  });

  it('is refused when it is no store', async () => {
    const { folder } = await openBench();
    writeFileSync(join(folder, 'notes.txt'), 'not a database, and long enough to be seen as none '.repeat(20));
    await expect(openSqliteStore({ path: join(folder, 'notes.txt'), clock: () => start })).rejects.toThrow(StoreUnavailable);
    await expect(openSqliteStore({ path: folder, clock: () => start })).rejects.toThrow(StoreUnavailable);
  });

  it('lets nobody change, delete or replace a record, and says why', async () => {
    const { path, store } = await openBench();
    await store.append('acme', [body('call.refused')]);
    const raw = new DatabaseSync(path);
    onTestFinished(() => raw.close());
    for (const attempt of [
      `UPDATE records SET body = '{}'`,
      `UPDATE OR REPLACE records SET position = 0 WHERE position = 1`,
      'DELETE FROM records',
      `INSERT OR REPLACE INTO records SELECT tenant, position, prev, hash, '{}' FROM records`,
    ]) {
      expect(() => raw.exec(attempt), attempt).toThrow(/append-only/);
    }
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 2 });
  });

  it('shows a change made by whoever went round that', async () => {
    const { path, store } = await openBench();
    await store.append('acme', [body('call.refused', { code: 'policy.forbidden' }), body('call.refused')]);
    const raw = new DatabaseSync(path);
    raw.exec(`DROP TRIGGER records_keep_their_text; UPDATE records SET body = replace(body, 'forbidden', 'permitted') WHERE tenant = 'acme'`);
    raw.close();
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: false, index: 1 });
  });

  it('shows to readers nothing of a transaction that is not yet durable', async () => {
    const { store } = await openBench();
    const opening = open(store);
    expect(await store.readSession('acme', 'ses_1')).toBeNull();
    await opening;
    expect(await store.readSession('acme', 'ses_1')).not.toBeNull();
  });

  it('is flushed once for all verbs of one turn', async () => {
    const { path, store } = await openBench();
    const sequence = (): unknown => {
      const raw = new DatabaseSync(path, { readOnly: true });
      const { sequence } = raw.prepare('SELECT sequence FROM meta').get() as { sequence: number };
      raw.close();
      return sequence;
    };
    const before = sequence();
    await Promise.all(Array.from({ length: 100 }, () => store.append('acme', [body('call.refused')])));
    expect(sequence()).toBe((before as number) + 1);
  });
});
