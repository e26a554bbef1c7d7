import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { body, newApproval, open } from '../contract/samples.ts';
import { openBench } from './bench.ts';
import { run, startRacer, told } from './racers.ts';

describe('two processes on one file', () => {
  it('win each approval once between them, and leave one unbroken chain', async () => {
    const count = 150;
    const { path, store } = await openBench();
    await open(store, { budget: { calls: 1000, amount: null, perDay: { calls: null, amount: null } } });
    const wide = { session: count, agent: count, tenant: count };
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        store.openApproval(newApproval({ id: `apr_${i}`, callKey: `key ${i}`, requirements: ['approval:finance'] }), wide, body('approval.requested')),
      ),
    );
    const racers = ['bob', 'carl'].map((name) => startRacer(path, name));
    await Promise.all(racers.map((child) => told(child, 'ready')));
    const won = await Promise.all(racers.map((child) => run<{ votes: number; claims: number }>(child, 'race', count)));
    expect(won.reduce((sum, { votes }) => sum + votes, 0)).toBe(count);
    expect(won.reduce((sum, { claims }) => sum + claims, 0)).toBe(count);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 2 + 4 * count });
  });

  it('may both make it at the same time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'taskgate-store-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'taskgate.db');
    const racers = ['bob', 'carl'].map((name) => startRacer(path, name));
    await Promise.all(racers.map((child) => told(child, 'ready')));
    const indexes = await Promise.all(racers.map((child) => run<number[]>(child, 'append')));
    expect(indexes.flat().sort()).toEqual([0, 1]);
  });

  it('lose nothing that was durable when one is killed in the middle of writing', async () => {
    const { path, store } = await openBench();
    const child = startRacer(path, 'bob');
    await told(child, 'ready');
    let last = -1;
    child.on('message', ({ durable }: { durable?: number }) => {
      last = durable ?? last;
      if (last > 50) child.kill('SIGKILL');
    });
    child.send({ job: 'flood', count: 0 });
    await once(child, 'exit');
    const verified = await verifyChain(recordsOf(store, 'acme'));
    expect(verified.ok && verified.count).toBeGreaterThan(last);
    await store.append('acme', [body('call.refused')]);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true });
  });
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
describe('when the disk is full', () => {
  it.skipIf(!hasPrlimit)('writes are refused, and go on when there is room again', async () => {
    const { path, store } = await openBench();
    const child = startRacer(path, 'bob');
    await told(child, 'ready');
    const limit = (bytes: string) => promisify(execFile)('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);
    // The largest file this process may write: the nearest thing to a full disk that needs no disk.
    await limit('1000000');
    expect(await run(child, 'fill')).toMatchObject({ unavailable: true });
    await limit('1');
    expect(await run(child, 'append')).toEqual({ unavailable: true });
    await limit('unlimited');
    expect(await run<number[]>(child, 'append')).toHaveLength(1);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true });
  });
});
