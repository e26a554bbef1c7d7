import { once } from 'node:events';
import { expect, it } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { applyTenant, body, newApproval, open } from '../contract/samples.ts';
import { describeOnPostgres } from './postgres-bench.ts';
import { run, startRacer, told } from './racers.ts';

await describeOnPostgres((database) => {
  it('three processes that start on an empty database make one store of it', async () => {
    const racers = ['ana', 'bob', 'carl'].map((name) => startRacer(database.url, name));
    await Promise.all(racers.map((child) => told(child, 'ready')));
    const indexes = await Promise.all(racers.map((child) => run<number[]>(child, 'append')));
    expect(indexes.flat().sort()).toEqual([0, 1, 2]);
    expect(await database.admin('SELECT version FROM taskgate.meta')).toHaveLength(1);
  });

  it('two processes win each approval once between them, and leave one unbroken chain', async () => {
    const count = 150;
    await database.wipe();
    const store = await database.open();
    await applyTenant(store, 'acme');
    await open(store);
    const wide = { session: count, agent: count, tenant: count };
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        store.openApproval(newApproval({ id: `apr_${i}`, callKey: `key ${i}`, requirements: ['approval:finance'] }), wide, body('approval.requested')),
      ),
    );
    const racers = ['bob', 'carl'].map((name) => startRacer(database.url, name));
    await Promise.all(racers.map((child) => told(child, 'ready')));
    const won = await Promise.all(racers.map((child) => run<{ votes: number; claims: number }>(child, 'race', count)));
    expect(won.reduce((sum, { votes }) => sum + votes, 0)).toBe(count);
    expect(won.reduce((sum, { claims }) => sum + claims, 0)).toBe(count);
    expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 2 + 4 * count });
  });

  it('a process killed in the middle of writing loses nothing that was durable, and holds up nobody', async () => {
    await database.wipe();
    const store = await database.open();
    await applyTenant(store, 'acme');
    const child = startRacer(database.url, 'bob');
    await told(child, 'ready');
    let last = -1;
    child.on('message', ({ durable }: { durable?: number }) => {
      last = durable ?? last;
      if (last > 50) child.kill('SIGKILL');
    });
    child.send({ job: 'flood', count: 0 });
    await once(child, 'exit');
    await store.append('acme', [body('call.refused')]);
    const verified = await verifyChain(recordsOf(store, 'acme'));
    expect(verified.ok && verified.count).toBeGreaterThan(last + 1);
  });
});
