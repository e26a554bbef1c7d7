import { describe, expect, it, vi } from 'vitest';
import { body, hour, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const opened = (over: object = {}) => ({ tenant: 'acme', hash: 'h1', holder: 'one', openedAt: start, expiresAt: start + hour, ...over });

export function protocolSessionRules(bench: Bench): void {
  describe('what a 2025-era client names', () => {
    it('is found by its tenant, hash and holder together, at any process, until its end', async () => {
      const { store } = bench;
      await store.openProtocolSession(opened(), 16);
      const elsewhere = await bench.another();
      expect(await elsewhere.readProtocolSession('acme', 'h1', 'one', start)).toEqual(opened());
      for (const [tenant, hash, holder, at] of [
        ['globex', 'h1', 'one', start],
        ['acme', 'h2', 'one', start],
        ['acme', 'h1', 'two', start],
        ['acme', 'h1', 'one', start + hour],
      ] as const)
        expect(await store.readProtocolSession(tenant, hash, holder, at)).toBeNull();
    });

    it('is kept longer, never shorter', async () => {
      const { store } = bench;
      await store.openProtocolSession(opened(), 16);
      await store.keepProtocolSession('acme', 'h1', start + 2 * hour);
      await store.keepProtocolSession('acme', 'h1', start + 1);
      expect(await store.readProtocolSession('acme', 'h1', 'one', start + hour)).toMatchObject({ expiresAt: start + 2 * hour });
    });

    it('is ended once, by its holder alone, and whoever watches the session is told', async () => {
      const { store } = bench;
      await store.openProtocolSession(opened(), 16);
      const told = vi.fn();
      const stop = store.subscribe(told);
      expect(await store.endProtocolSession('acme', 'h1', 'two', 'ses_1')).toBe(false);
      expect(await store.endProtocolSession('globex', 'h1', 'one', 'ses_1')).toBe(false);
      expect(told).not.toHaveBeenCalledWith(expect.objectContaining({ kind: 'session' }));
      expect(await store.endProtocolSession('acme', 'h1', 'one', 'ses_1')).toBe(true);
      expect(await store.endProtocolSession('acme', 'h1', 'one', 'ses_1')).toBe(false);
      await vi.waitFor(() => expect(told).toHaveBeenCalledWith({ kind: 'session', tenant: 'acme', id: 'ses_1' }));
      stop();
      expect(await store.readProtocolSession('acme', 'h1', 'one', start)).toBeNull();
    });

    it('has its cancelled calls known at any process, by tenant, hash and id together, and whoever watches the session is told', async () => {
      const { store } = bench;
      const told = vi.fn();
      const stop = store.subscribe(told);
      expect(await store.isCancelled('acme', 'h1', '7')).toBe(false);
      await store.cancelCall('acme', 'h1', '7', start, 'ses_1');
      await store.cancelCall('acme', 'h1', '7', start + 1, 'ses_1');
      await vi.waitFor(() => expect(told).toHaveBeenCalledWith({ kind: 'session', tenant: 'acme', id: 'ses_1' }));
      stop();
      const elsewhere = await bench.another();
      expect(await elsewhere.isCancelled('acme', 'h1', '7')).toBe(true);
      for (const [tenant, hash, request] of [
        ['globex', 'h1', '7'],
        ['acme', 'h2', '7'],
        ['acme', 'h1', '"7"'],
      ] as const)
        expect(await store.isCancelled(tenant, hash, request)).toBe(false);
    });

    it('is forgotten, the oldest first, when one holder has too many, and another’s are not', async () => {
      const { store } = bench;
      await store.openProtocolSession(opened({ hash: 'other', holder: 'two' }), 3);
      for (let n = 0; n < 5; n++) await store.openProtocolSession(opened({ hash: `h${n}`, openedAt: start + n }), 3);
      const found = await Promise.all([0, 1, 2, 3, 4].map((n) => store.readProtocolSession('acme', `h${n}`, 'one', start)));
      expect(found.map((one) => one !== null)).toEqual([false, false, true, true, true]);
      expect(await store.readProtocolSession('acme', 'other', 'two', start)).not.toBeNull();
    });
  });

  it('what has ended, was cancelled long ago or was renewed until then is swept away', async () => {
    const { store } = bench;
    await open(store);
    await store.openProtocolSession(opened(), 16);
    await store.cancelCall('acme', 'h1', '7', start, null);
    await store.noteRenewal('acme', 'ses_1', start + 20, body('session.renewed'));
    await store.sweep(start + 10);
    expect([await store.isCancelled('acme', 'h1', '7'), await store.renewedUntil('acme', 'ses_1')]).toEqual([true, start + 20]);
    await store.sweep(start + 2 * hour);
    expect([await store.isCancelled('acme', 'h1', '7'), await store.renewedUntil('acme', 'ses_1')]).toEqual([false, null]);
    // Its end was not what kept it from being found.
    expect(await store.readProtocolSession('acme', 'h1', 'one', start)).toBeNull();
  });

  it('a renewal is noted with its record, the latest token counting, and whoever watches the session is told', async () => {
    const { store } = bench;
    await open(store);
    expect(await store.renewedUntil('acme', 'ses_1')).toBeNull();
    const told = vi.fn();
    const stop = store.subscribe(told);
    await store.noteRenewal('acme', 'ses_1', start + 20, body('session.renewed'));
    await store.noteRenewal('acme', 'ses_1', start + 10, body('session.renewed'));
    expect(await store.renewedUntil('acme', 'ses_1')).toBe(start + 20);
    expect(await store.renewedUntil('globex', 'ses_1')).toBeNull();
    expect((await typesOf(store, 'acme')).filter((type) => type === 'session.renewed')).toHaveLength(2);
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith({ kind: 'session', tenant: 'acme', id: 'ses_1' }));
    stop();
  });
}
