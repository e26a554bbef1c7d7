import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore, type Store } from '../../server/store/index.ts';
import { body } from '../contract/samples.ts';
import { newFolder } from '../support/broker.ts';

let dir: string;
let store: Store;
let file: DatabaseSync;
beforeEach(async () => {
  dir = await newFolder();
  const path = join(dir, 'taskgate.db');
  store = await openSqliteStore({ path, clock: Date.now });
  file = new DatabaseSync(path, { readOnly: true });
  await store.append(null, [body('access.refused')]);
});
afterEach(async () => {
  vi.useRealTimers();
  file.close();
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

/** Each transaction adds one to it. */
const transactions = (): number => Number((file.prepare('SELECT sequence FROM meta').get() as { sequence: number }).sequence);
const records = (): number => Number((file.prepare('SELECT count(*) AS many FROM records').get() as { many: number }).many);
const add = (many: number): Promise<unknown>[] => Array.from({ length: many }, () => store.append(null, [body('access.refused')]));

describe('a transaction of the SQLite store', () => {
  it('is shared by what comes in one turn of the loop, and does not wait for the next while few come', async () => {
    const before = transactions();
    const added: Promise<unknown>[] = [];
    for (let turn = 1; turn <= 5; turn++) {
      added.push(...add(3));
      await nextTurn();
      expect(transactions()).toBe(before + turn);
    }
    await Promise.all(added);
  });

  it('is shared by the turns that each bring many, and ends with the first that does not', async () => {
    // However slow the machine, no time passes.
    vi.useFakeTimers({ toFake: ['performance'] });
    const [before, written] = [transactions(), records()];
    const added = add(4);
    await nextTurn();
    added.push(...add(4));
    await nextTurn();
    expect(records()).toBe(written);
    added.push(...add(1));
    await nextTurn();
    expect([transactions(), records()]).toEqual([before + 1, written + 9]);
    await Promise.all(added);
  });

  it('keeps nobody waiting for long, however many go on coming', async () => {
    let told = false;
    const first = store.append(null, [body('access.refused')]).then(() => {
      told = true;
    });
    const before = transactions();
    const added: Promise<unknown>[] = [];
    // Far longer than it may stay open, unless the first is told before; a slow machine only makes fewer turns of it.
    for (const until = performance.now() + 5_000; !told && performance.now() < until; await nextTurn()) added.push(...add(4));
    expect(told).toBe(true);
    expect(transactions()).toBeGreaterThan(before);
    await Promise.all([first, ...added]);
  });
});
