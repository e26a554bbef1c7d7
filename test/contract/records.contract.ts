import { describe, expect, it } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import type { Store } from '../../server/store/index.ts';
import { body } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function recordRules(bench: Bench): void {
  const verify = (store: Store, tenant: string | null) => verifyChain(recordsOf(store, tenant));

  describe('the record', () => {
    it('is a chain of its own for each tenant and for the platform', async () => {
      const { store } = bench;
      expect(await store.append('acme', [body('call.refused'), body('call.refused', { code: 'policy.forbidden' })])).toEqual([1, 2]);
      expect(await store.append('globex', [body('call.refused')])).toEqual([1]);
      expect(await store.append(null, [body('access.refused')])).toEqual([0]);
      expect(await verify(store, 'acme')).toMatchObject({ ok: true, count: 3 });
      expect(await verify(store, 'globex')).toMatchObject({ ok: true, count: 2 });
      expect(await verify(store, null)).toMatchObject({ ok: true, count: 1 });
      expect((await store.readRecords('acme', 1, 1)).map(({ index, tenant }) => [index, tenant])).toEqual([[1, 'acme']]);
    });

    it('has no gap and no fork when many write at once', async () => {
      const other = await bench.another();
      const indexes = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? bench.store : other).append('acme', [body('call.refused')])));
      expect(indexes.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      expect(await verify(other, 'acme')).toMatchObject({ ok: true, count: 201 });
    });

    it('takes no field that is not on the list, and nothing of the verb that brought it', async () => {
      const { store } = bench;
      const leaking = { ...body('credential.set'), secret: 'hunter2' };
      await expect(store.putSecret('acme', 'key', new Uint8Array([1]), 1, leaking)).rejects.toThrow(/^not allowed in a record: secret$/);
      expect(await store.readSecret('acme', 'key')).toBeNull();
      expect(await verify(store, 'acme')).toMatchObject({ ok: true, count: 1 });
    });

    it('keeps one failing verb from spoiling those that came in the same turn', async () => {
      const { store } = bench;
      const bad = { ...body('call.refused'), value: 'x' };
      const settled = await Promise.allSettled([
        store.append('acme', [body('call.refused')]),
        store.append('acme', [body('call.refused'), bad]),
        store.append('acme', [body('call.refused')]),
      ]);
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await verify(store, 'acme')).toMatchObject({ ok: true, count: 3 });
    });

    it('is not confused by a tenant without a name', async () => {
      await expect(bench.store.append('', [body('call.refused')])).rejects.toThrow(/name/);
    });
  });
}
