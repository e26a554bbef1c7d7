import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openStore, type Store } from '../../server/store/index.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { legacyClient, newFolder, payment } from '../support/broker.ts';
import { textOf } from '../support/ledger.ts';
import { type Replicas, startReplicas } from '../support/replicas.ts';
import { slowLedger } from '../support/slow-ledger.ts';

/** Whoever may connect to the database can notify. What they say makes a broker look, and it goes by what it sees. */
await describeOnPostgres((database) => {
  let dir: string;
  let ledger: ReturnType<typeof slowLedger>;
  let broker: Replicas;
  let store: Store;

  beforeAll(async () => {
    dir = await newFolder();
    ledger = slowLedger(dir);
    broker = await startReplicas(1, dir, database.url, ledger, 2_000);
    store = await openStore(database.url, Date.now);
    const dana = await broker.person('dana');
    await broker.v1(dana, 'PUT', '/credentials/ledger-key', { value: 'a-key-of-the-ledger' });
  });
  afterAll(async () => {
    await store.close();
    await broker.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** As the broker's own role, held to no tenant at all. */
  async function forge(...payloads: readonly unknown[]): Promise<void> {
    const client = await database.connect();
    await client.query(`SET ROLE ${database.role}`);
    for (const payload of payloads)
      await client.query('SELECT pg_notify($1, $2)', ['taskgate', typeof payload === 'string' ? payload : JSON.stringify(payload)]);
  }

  it('a forged end stops no call, a forged decision gives no approval, and nonsense is nothing', { timeout: 60_000 }, async () => {
    const task = await broker.open();
    const client = await legacyClient(task);
    const running = client.callTool(payment(10));
    await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
    const asked = await client.callTool(payment(700));
    const approval = (asked._meta as Record<string, { id: string }>)['taskgate/approval']?.id ?? '';
    const waited = client.callTool({ name: 'await_approval', arguments: { approval } });

    await forge(
      ['session', 'acme', task.session, 'x'],
      ['agent', 'acme', 'invoice-matcher', 'x'],
      ['configuration', 'acme', '999999', 'x'],
      ['approval', 'acme', approval, 'x'],
      ['approval', 'acme', approval, 'x', 'approved'],
      ['everything', 'acme', '*', 'x'],
      { kind: 'session' },
      'not JSON',
      '['.repeat(7_000),
      '',
    );

    expect(textOf(await waited)).toMatch(/still pending/);
    expect(await store.readApproval('acme', approval)).toMatchObject({ status: 'pending', votes: [] });
    ledger.release();
    expect(textOf(await running)).toMatch(/paid 10/);
    expect((await store.readSession('acme', task.session))?.session.status).toBe('active');
    expect(ledger.payments()).toEqual(['10']);
    await client.close();
  });
});
