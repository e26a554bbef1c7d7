import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { openStore, type Store, StoreUnavailable } from '../../server/store/index.ts';
import { applyTenant, body, claimRequest, open, start, take } from '../contract/samples.ts';
import { describeOnPostgres } from './postgres-bench.ts';

const writes = (store: Store) => store.append('acme', [body('call.refused')]);
const reads = (store: Store) => store.readSession('acme', 'ses_1');

async function expectOutage(store: Store): Promise<void> {
  await expect(writes(store)).rejects.toThrow(StoreUnavailable);
  await expect(reads(store)).rejects.toThrow(StoreUnavailable);
  await expect(store.check()).rejects.toThrow(StoreUnavailable);
}

/** A way to the server that can be cut (`none`), or swallow everything without an answer (`mute`). */
async function openWay(to: URL): Promise<{ url: string; become(state: 'open' | 'mute' | 'none'): Promise<void> }> {
  let state: 'open' | 'mute' | 'none' = 'open';
  const sockets = new Set<Socket>();
  const join = (near: Socket): void => {
    const far = dial(Number(to.port || 5432), to.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('data', (bytes) => state === 'open' && far.write(bytes)).on('close', () => far.destroy());
    far.on('data', (bytes) => state === 'open' && near.write(bytes)).on('close', () => near.destroy());
  };
  let server: Server = createServer(join);
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(close);
  const url = new URL(to);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    async become(next) {
      if (next === 'none') await close();
      if (state === 'none') {
        server = createServer(join);
        await listen(port);
      }
      state = next;
    },
  };
}

await describeOnPostgres((database) => {
  /** Resolves once a verb of the store waits for what `holder` holds. */
  async function blocked(): Promise<number[]> {
    for (;;) {
      const rows = await database.admin('SELECT pid FROM pg_stat_activity WHERE datname = $1 AND cardinality(pg_blocking_pids(pid)) > 0', [database.name]);
      if (rows.length > 0) return rows.map(({ pid }) => pid as number);
    }
  }

  async function holdChain(tenant: string) {
    const holder = await database.connect();
    await holder.query(`BEGIN; SET LOCAL search_path = taskgate`);
    await holder.query('SELECT 1 FROM chain_heads WHERE tenant = $1 FOR UPDATE', [tenant]);
    return { release: () => holder.query('COMMIT') };
  }

  async function openAt(url: string): Promise<Store> {
    const store = await openStore(url, () => start);
    onTestFinished(() => store.close());
    return store;
  }

  beforeEach(async () => {
    await database.wipe();
    const store = await database.open();
    for (const tenant of ['acme', 'globex']) await applyTenant(store, tenant);
    await open(store);
  });

  describe('when the connection is killed', () => {
    it('in the middle of a verb, that verb is refused, nothing of it stands, and the next goes through', async () => {
      const store = await openAt(database.url);
      const held = await holdChain('acme');
      const claiming = store.claim(claimRequest());
      claiming.catch(() => undefined);
      for (const pid of await blocked()) await database.admin('SELECT pg_terminate_backend($1)', [pid]);
      await expect(claiming).rejects.toThrow(StoreUnavailable);
      await held.release();
      expect(await take(store)).toMatchObject({ claimed: true, recordIndex: 2 });
      expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 3 });
    });

    it('while it is idle, the next verb does not notice', async () => {
      const store = await openAt(database.url);
      await Promise.all([reads(store), writes(store)]);
      await database.admin('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()', [database.name]);
      // The driver hears of it a moment later; until then a verb may be refused, never answered wrongly.
      const outcome = await writes(store).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(StoreUnavailable);
      await writes(store);
      expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true });
    });
  });

  describe('when the server', () => {
    it('cannot be reached, every verb is refused; when it is back, all goes on', async () => {
      const way = await openWay(new URL(database.url));
      const store = await openAt(way.url);
      await writes(store);
      await way.become('none');
      await expectOutage(store);
      await expectOutage(store);
      await way.become('open');
      await writes(store);
      expect((await reads(store))?.session.id).toBe('ses_1');
      expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true, count: 4 });
    });

    it('takes everything and answers nothing, verbs are refused in time, also those that queue', async () => {
      const way = await openWay(new URL(database.url));
      const store = await openAt(way.url);
      await writes(store);
      await way.become('mute');
      const began = performance.now();
      const refused = await Promise.allSettled([reads(store), store.check(), ...Array.from({ length: 100 }, () => writes(store))]);
      expect(refused.map(({ status }) => status)).not.toContain('fulfilled');
      for (const one of refused) expect(one.status === 'rejected' && one.reason).toBeInstanceOf(StoreUnavailable);
      expect(performance.now() - began).toBeLessThan(15_000);
      await way.become('none');
      await way.become('open');
      await writes(store);
    });

    it('is not there at start, or the address is none, opening says so and shows no password', async () => {
      for (const url of ['postgres://taskgate:hunter2@127.0.0.1:1/none', 'postgres://taskgate:hunter2@[broken', 'mysql://taskgate:hunter2@127.0.0.1/none']) {
        const error = await openStore(url, () => start).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(StoreUnavailable);
        expect(JSON.stringify([String(error), error, (error as Error).cause, (error as Error).stack])).not.toContain('hunter2');
      }
    });

    it('lets no record be written for too long, writes are refused and reads answered', async () => {
      const store = await openAt(database.url);
      await writes(store);
      const lock = await database.connect();
      await lock.query('BEGIN; LOCK TABLE taskgate.records IN EXCLUSIVE MODE');
      await expect(writes(store)).rejects.toThrow(StoreUnavailable);
      expect((await reads(store))?.session.id).toBe('ses_1');
      await lock.query('COMMIT');
      await writes(store);
    });
  });

  describe('when another replica holds a tenant’s chain', () => {
    it('its verbs wait and then go through in their order, and the other tenant’s do not wait', async () => {
      const store = await openAt(database.url);
      const held = await holdChain('acme');
      const waiting = Promise.all([writes(store), writes(store), writes(store)]);
      await blocked();
      expect(await store.append('globex', [body('call.refused')])).toEqual([1]);
      expect((await reads(store))?.session.id).toBe('ses_1');
      await held.release();
      expect((await waiting).flat()).toEqual([2, 3, 4]);
    });

    it('for too long, its verbs are refused, and go on when it lets go', async () => {
      const store = await openAt(database.url);
      const held = await holdChain('acme');
      await expect(writes(store)).rejects.toThrow(StoreUnavailable);
      await held.release();
      expect(await writes(store)).toEqual([2]);
    });
  });

  it('a transaction the server took back for another’s sake is run again, once', async () => {
    const store = await openAt(database.url);
    // The store takes acme's head, then globex's; whoever goes the other way round closes the circle and one of them is chosen to lose.
    const rival = await database.connect();
    await rival.query(`BEGIN; SET LOCAL search_path = taskgate; SET LOCAL deadlock_timeout = '1min'`);
    await rival.query(`SELECT 1 FROM chain_heads WHERE tenant = 'globex' FOR UPDATE`);
    const next = (tenant: string) => ({ tenant, documents: [], policies: [], pins: [], useCases: [] });
    const change = {
      platform: null,
      tenants: ['acme', 'globex'].map((tenant) => ({ expectedRevision: 1, next: next(tenant), records: [body('configuration.applied')] })),
    };
    const applying = store.applyConfiguration(change);
    await blocked();
    const closing = rival.query(`SELECT 1 FROM chain_heads WHERE tenant = 'acme' FOR UPDATE`);
    await closing;
    await rival.query('COMMIT');
    expect(await applying).toEqual({ applied: true, revisions: { acme: 2, globex: 2 }, waiting: [] });
    for (const [tenant, count] of [
      ['acme', 3],
      ['globex', 2],
    ] as const)
      expect(await verifyChain(recordsOf(store, tenant))).toMatchObject({ ok: true, count });
  });

  it('a store that was closed has made durable what it had begun, and answers nothing more', async () => {
    const store = await database.open();
    const last = writes(store);
    await store.close();
    expect(await last).toEqual([2]);
    await expectOutage(store);
    await store.close();
  });

  it('another store at the same address is not used', async () => {
    const store = await openAt(database.url);
    await database.admin(`UPDATE taskgate.meta SET store = 'another'`);
    // Connections that are open still lead to the store that was; each new one is asked which it leads to.
    await database.admin('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()', [database.name]);
    await expect(reads(store)).rejects.toThrow(StoreUnavailable);
    await expect(writes(store)).rejects.toThrow(/another store/);
  });
});
