import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openKeys } from '../../server/credentials/index.ts';
import { openStore, schemaVersion } from '../../server/store/index.ts';
import { backUp, copyPlain, everything, newFolder, populate } from '../backup/fixture.ts';
import { body, open, start } from '../contract/samples.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { startTestBroker } from '../support/broker.ts';
import { launcher, runCli } from './run-cli.ts';

let dir: string;
let data: string;
const cli = (...args: string[]) => runCli([...args, '--data', data]);
const store = (): string => `sqlite:${join(data, 'taskgate.db')}`;

/** A data folder with keys and a store with something in it; `records` more, so that copying them takes its time. */
async function fill(records = 0): Promise<void> {
  await openKeys(join(data, 'keys'), () => start);
  const opened = await openStore(store(), () => start);
  await populate(opened);
  for (let left = records; left > 0; left -= 500)
    await opened.append(
      'acme',
      Array.from({ length: 500 }, () => body('call.refused', { detail: 'x'.repeat(300) })),
    );
  await opened.close();
}

/** Runs `restore` until `ready`, and kills it there. */
async function killed(args: readonly string[], ready: () => Promise<unknown>): Promise<void> {
  const child = spawn(process.execPath, [launcher, 'restore', ...args, '--data', data], { env: { PATH: process.env['PATH'] ?? '' }, stdio: 'ignore' });
  const left = once(child, 'exit');
  await ready();
  child.kill('SIGKILL');
  expect(await left).toEqual([null, 'SIGKILL']);
}

beforeEach(() => {
  dir = newFolder();
  data = join(dir, 'data');
});

describe('backup and restore on the command line', { timeout: 120_000 }, () => {
  it('say in JSON what was copied, tell how far they are beside it, and say that the keys are not in it', async () => {
    await fill();
    const made = await cli('backup', join(dir, 'backup'), '--json');
    expect(made.exit, made.stderr).toBe(0);
    const told = JSON.parse(made.stdout);
    expect(told).toMatchObject({
      rows: expect.any(Number),
      bytes: statSync(join(dir, 'backup')).size,
      schema: schemaVersion,
      epoch: 1,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(made.stderr).toMatch(/^sessions 10$/m);
    expect(made.stderr).toMatch(/keys .* are not in it/);
    const taken = await cli('restore', join(dir, 'backup'));
    expect(taken).toMatchObject({ exit: 1, stdout: '' });
    expect(taken.stderr).toMatch(/not empty; nothing was changed\n.*--replace/);
    const restored = await cli('restore', join(dir, 'backup'), '--replace', '--json');
    expect(JSON.parse(restored.stdout)).toMatchObject({ epoch: 2, sha256: told.sha256, kept: expect.stringContaining('taskgate.db.before-restore-') });
    expect((await cli('audit', 'verify')).exit).toBe(0);
    expect((await cli('doctor')).stdout).toMatch(/anchor +note +in step; epoch 2 since .*restored/);
  });

  it('end with 2 where a file stands already or there are no keys, and with 3 for what cannot be restored', async () => {
    expect(await cli('backup', join(dir, 'backup'))).toMatchObject({ exit: 2, stderr: expect.stringMatching(/no keys/) });
    expect(existsSync(data)).toBe(false);
    await fill();
    writeFileSync(join(dir, 'backup'), 'mine');
    expect(await cli('backup', join(dir, 'backup'))).toMatchObject({ exit: 2, stderr: expect.stringMatching(/exists/) });
    expect(await cli('restore', join(dir, 'backup'), '--replace')).toMatchObject({
      exit: 3,
      stderr: expect.stringMatching(/not a backup; nothing was changed/),
    });
    await cli('backup', join(dir, 'good'));
    const elsewhere = join(dir, 'elsewhere');
    await openKeys(join(elsewhere, 'keys'), () => start);
    const other = await runCli(['restore', join(dir, 'good'), '--data', elsewhere]);
    expect(other).toMatchObject({ exit: 3, stderr: expect.stringMatching(/keys the backup was made with are not at hand: token, state, hmac, escrow/) });
    expect(readdirSync(elsewhere)).toEqual(['keys']);
    expect(await runCli(['restore', join(dir, 'good'), '--data', elsewhere, '--other-keys'])).toMatchObject({ exit: 0 });
  });

  it('a restore that is killed while it fills leaves the store as it was, and the next one works', async () => {
    await fill(20_000);
    await cli('backup', join(dir, 'backup'));
    const more = await openStore(store(), () => start);
    await open(more, { id: 'since' });
    await more.close();
    const before = await everything(store());
    const seen = Promise.withResolvers<void>();
    const watching = watch(data, (_, name) => name === 'taskgate.db.restoring' && seen.resolve());
    await killed([join(dir, 'backup'), '--replace'], () => seen.promise);
    watching.close();
    expect(await everything(store())).toEqual(before);
    expect((await cli('restore', join(dir, 'backup'), '--replace')).exit).toBe(0);
    expect(readdirSync(data).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('a damaged store gives way to a backup, and is kept with what lay beside it', async () => {
    await fill();
    await cli('backup', join(dir, 'backup'));
    writeFileSync(join(data, 'taskgate.db'), 'damaged '.repeat(2000));
    writeFileSync(join(data, 'taskgate.db-wal'), 'and so is this');
    expect(await cli('restore', join(dir, 'backup'))).toMatchObject({ exit: 1 });
    const restored = await cli('restore', join(dir, 'backup'), '--replace', '--json');
    expect(restored.exit, restored.stderr).toBe(0);
    const { kept } = JSON.parse(restored.stdout);
    expect(existsSync(kept)).toBe(true);
    expect((await cli('audit', 'verify')).exit).toBe(0);
  });
});

describe('a broker whose store is not as it left it', { timeout: 120_000 }, () => {
  it('serves an older copy only after every session in it has ended; doctor tells before and after', async () => {
    const first = await startTestBroker({ dir });
    const task = await first.open({});
    await first.close();
    const file = join(data, 'taskgate.db');
    copyFileSync(file, join(dir, 'older.db'));
    const second = await startTestBroker({ dir });
    const admin = await second.person('acme', 'dana');
    expect((await second.v1(admin, 'POST', `/sessions/${task.session}/end`, { reason: 'done' })).status).toBe(200);
    await second.close();
    copyFileSync(join(dir, 'older.db'), file);

    const settings = join(dir, 'taskgate.yaml');
    writeFileSync(settings, '');
    const told = await cli('doctor', '--config', settings);
    expect(told.stdout).toMatch(/anchor +bad +the record of acme ends at record/);
    const third = await startTestBroker({ dir });
    try {
      expect(third.logged()).toMatch(/not as it was last seen/);
      expect((await third.ports.store.readSession('acme', task.session))?.session).toMatchObject({ status: 'revoked', endReason: 'behind_anchor' });
    } finally {
      await third.close();
    }
    expect((await cli('doctor', '--config', settings)).stdout).toMatch(/anchor +note +in step; epoch 2/);
  });

  it('closes every door within seconds when it finds an older copy under itself, and has ended what lived in that', async () => {
    const broker = await startTestBroker({ dir });
    try {
      const task = await broker.open({});
      const { store: opened } = broker.ports;
      const read = opened.readState;
      const state = await read();
      await opened.append('acme', [body('call.refused')]);
      // Once it has seen the record just written, the store says that it never was.
      let looks = 0;
      Object.assign(opened, { readState: async () => (looks++ < 1 ? read() : looks === 2 ? state : read()) });
      expect(await broker.lost).toMatch(/record of acme/);
      expect((await fetch(`${broker.url}/readyz`)).status).toBe(503);
      expect((await fetch(task.mcpUrl, { method: 'POST', headers: { authorization: `Bearer ${task.accessToken}` }, body: '{}' })).status).toBe(503);
      await vi.waitUntil(async () => (await opened.readSession('acme', task.session))?.session.status === 'revoked', { timeout: 10_000 });
    } finally {
      await broker.close();
    }
  });

  it('does not serve a record that was written anew, and says how it would', async () => {
    await (await startTestBroker({ dir })).close();
    writeFileSync(join(data, 'anchor.json'), '{}');
    const refused = await cli('serve', '--port', '0', '--log-level', 'silent', '--documents', join(dir, 'documents'));
    expect(refused).toMatchObject({ exit: 3, stderr: expect.stringMatching(/not the one this broker knew.*\n.*--accept-store/) });
  });
});

await describeOnPostgres((database) => {
  describe('on PostgreSQL', { timeout: 120_000 }, () => {
    beforeAll(() => database.wipe());

    it('a restore that is killed while it fills leaves the store as it was, and the next one works', async () => {
      await fill(20_000);
      await copyPlain(store(), database.url);
      const keys = await openKeys(join(data, 'keys'), () => start);
      await backUp(database.url, keys, join(dir, 'backup'));
      const before = await everything(database.url);
      const filling = async (): Promise<boolean> =>
        (await database.admin(`SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE 'INSERT INTO records%'`)).length > 0;
      await killed([join(dir, 'backup'), '--replace', '--store', database.url], () => vi.waitUntil(filling, { timeout: 20_000, interval: 5 }));
      await vi.waitUntil(async () => !(await filling()), { timeout: 20_000, interval: 20 });
      expect(await everything(database.url)).toEqual(before);
      const restored = await cli('restore', join(dir, 'backup'), '--replace', '--json', '--store', database.url);
      expect(restored.exit, restored.stderr).toBe(0);
      const { kept, epoch } = JSON.parse(restored.stdout);
      expect(epoch).toBe(2);
      expect(await database.admin(`SELECT count(*)::int AS records FROM ${kept}.records`)).toEqual([{ records: before['records']!.length }]);
    });
  });
});
