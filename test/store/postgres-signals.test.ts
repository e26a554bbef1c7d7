import { beforeEach, expect, it, vi } from 'vitest';
import type { Signal, Store } from '../../server/store/index.ts';
import { applyTenant, body, open, start } from '../contract/samples.ts';
import { describeOnPostgres } from './postgres-bench.ts';

await describeOnPostgres((database) => {
  let store: Store;
  let told: Signal[];
  const listeners = () =>
    database.admin(`SELECT pid FROM pg_stat_activity WHERE datname = $1 AND query IN ('LISTEN taskgate', 'SELECT 1') AND application_name LIKE 'taskgate%'`, [
      database.name,
    ]);
  const resyncs = (): number => told.filter(({ kind }) => kind === 'resync').length;
  const end = (other: Store, id: string) => other.endSession('acme', id, { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));

  beforeEach(async () => {
    await database.wipe();
    store = await database.open();
    await applyTenant(store, 'acme');
    told = [];
  });

  /** Listens for good: what the other told before is not waited for. */
  async function listening(): Promise<void> {
    store.subscribe((signal) => void told.push(signal));
    await vi.waitUntil(() => resyncs() > 0);
    told = [];
  }

  it('nobody listens until somebody wants to know; then one connection does, however many there are', async () => {
    await store.check();
    expect(await listeners()).toHaveLength(0);
    for (let n = 0; n < 20; n++) store.subscribe(() => undefined);
    await listening();
    expect(await listeners()).toHaveLength(1);
  });

  it('what another process changed is told by name, and what this one changed is told once', async () => {
    const other = await database.open();
    await open(store, { id: 'ses_1' });
    await open(store, { id: 'ses_2' });
    await listening();
    await end(other, 'ses_1');
    await vi.waitUntil(() => told.length === 1);
    await end(store, 'ses_2');
    await end(other, 'ses_2');
    // In the order of their commits: had the second come back, it would stand before the third.
    await other.setAgentStatus('acme', 'helper', 'suspended', body('agent.suspended'));
    await vi.waitUntil(() => told.length === 3);
    expect(told).toEqual([
      { kind: 'session', tenant: 'acme', id: 'ses_1' },
      { kind: 'session', tenant: 'acme', id: 'ses_2' },
      { kind: 'agent', tenant: 'acme', id: 'helper' },
    ]);
  });

  it('when the listening connection is lost everybody looks again, then and when another listens, which hears as before', async () => {
    const other = await database.open();
    await open(store);
    await listening();
    const [listener] = await listeners();
    await database.admin('SELECT pg_terminate_backend($1)', [listener?.['pid']]);
    await vi.waitUntil(() => resyncs() >= 2, { timeout: 10_000 });
    await end(other, 'ses_1');
    await vi.waitUntil(() => told.some(({ kind }) => kind === 'session'), { timeout: 10_000 });
    expect(told.at(-1)).toEqual({ kind: 'session', tenant: 'acme', id: 'ses_1' });
  });

  it('a store that is closed leaves no listener behind', async () => {
    await listening();
    await store.close();
    await vi.waitUntil(async () => (await listeners()).length === 0, { timeout: 5_000 });
  });
});
