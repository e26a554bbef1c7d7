import { describe, expect, it } from 'vitest';
import type { NewDelegation } from '../../server/store/delegations.ts';
import { aboutDelegation } from '../../server/store/index.ts';
import { ask, hour, newVote, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export const newDelegation = (more: Partial<NewDelegation> = {}): NewDelegation => ({
  ...{ id: 'dlg_1', tenant: 'acme', group: 'finance', lender: 'local#bob', lenderName: 'bob', delegate: 'local#lea', delegateName: 'lea' },
  ...{ reason: 'on leave', createdAt: start, endsAt: start + hour },
  ...more,
});
export const aboutGiven = (one: NewDelegation) => aboutDelegation('delegation.given', one, start, one.lender);

export function delegationRules(bench: Bench): void {
  const give = (more: Partial<NewDelegation> = {}) => bench.store.giveDelegation(newDelegation(more), 1, aboutGiven(newDelegation(more)));
  const behalf = { person: 'local#bob', name: 'bob', delegation: 'dlg_1' };
  const cast = (more: Parameters<typeof newVote>[1] = {}) => bench.store.castVote(newVote('lea', { behalf, ...more }));

  describe('a place that is lent', () => {
    it('is lent once at a time, at the revision it was looked at, and ends at once', async () => {
      const { store } = bench;
      expect(await store.giveDelegation(newDelegation(), 2, aboutGiven(newDelegation()))).toEqual({ done: false, why: 'revision' });
      const other = await bench.another();
      const both = await Promise.all([give(), other.giveDelegation(newDelegation({ id: 'dlg_2', delegate: 'local#nora' }), 1, aboutGiven(newDelegation()))]);
      expect(both.filter(({ done }) => done)).toHaveLength(1);
      expect(both.find(({ done }) => !done)).toEqual({ done: false, why: 'already_there' });
      const [row] = await store.listDelegations('acme', { inForceAt: start + 1 }, { after: null, limit: 10 });
      const end = (tenant = 'acme') => store.endDelegation(tenant, row?.id ?? '', start + 2, aboutDelegation('delegation.ended', newDelegation(), start + 2));
      expect(await end('globex')).toBe(false);
      expect(await end()).toBe(true);
      expect(await end()).toBe(false);
      expect(await store.listDelegations('acme', { inForceAt: start + 3 }, { after: null, limit: 10 })).toEqual([]);
      expect(await store.listDelegations('acme', {}, { after: null, limit: 10 })).toMatchObject([{ endedAt: start + 2 }]);
      expect(await give({ id: 'dlg_3' })).toMatchObject({ done: true });
      expect((await typesOf(store, 'acme')).filter((type) => type.startsWith('delegation.'))).toEqual([
        'delegation.given',
        'delegation.ended',
        'delegation.given',
      ]);
    });

    it('is found by whom it was lent to, while it holds', async () => {
      await give();
      const found = (delegate: string, at = start + 1) => bench.store.listDelegations('acme', { delegate, inForceAt: at }, { after: null, limit: 10 });
      expect(await found('local#lea')).toEqual([{ ...newDelegation(), endedAt: null }]);
      expect(await found('local#bob')).toEqual([]);
      expect(await found('local#lea', start + hour)).toEqual([]);
      expect(await bench.store.listDelegations('globex', {}, { after: null, limit: 10 })).toEqual([]);
    });

    it('has one vote, whoever casts it, in whatever order and however many at once', async () => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      await ask(bench.store);
      await give();
      const other = await bench.another();
      const votes = await Promise.all([cast(), other.castVote(newVote('bob')), cast(), other.castVote(newVote('bob'))]);
      expect(votes.filter(({ voted }) => voted)).toHaveLength(1);
      expect((await bench.store.readApproval('acme', 'apr_1'))?.status).toBe('pending');
    });

    it.each([
      ['another delegate', { person: 'local#nora', name: 'nora' }],
      ['another lender', { behalf: { ...behalf, person: 'local#carl', name: 'carl' } }],
      ['another delegation', { behalf: { ...behalf, delegation: 'dlg_9' } }],
      ['another group', { requirement: 'approval:legal' }],
      ['after its end', { at: start + hour - 1, approval: 'apr_late' }],
    ])('is no vote for %s', async (_, more) => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      await ask(bench.store, { requirements: ['approval:finance:2', 'approval:legal'], expiresAt: start + 2 * hour });
      await ask(bench.store, { id: 'apr_late', callKey: 'late', expiresAt: start + 2 * hour });
      await give({ endsAt: start + hour - 1 });
      expect(await cast(more)).toMatchObject({ voted: false, why: 'delegation' });
    });

    it('is no vote where either of the two is excluded, nor once it was taken back', async () => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      await ask(bench.store, { excluded: ['local#bob'] });
      await ask(bench.store, { id: 'apr_2', callKey: '2', excluded: ['local#lea'] });
      await ask(bench.store, { id: 'apr_3', callKey: '3' });
      await give();
      expect(await cast()).toMatchObject({ voted: false, why: 'excluded' });
      expect(await cast({ approval: 'apr_2' })).toMatchObject({ voted: false, why: 'excluded' });
      await bench.store.endDelegation('acme', 'dlg_1', start + 1, aboutDelegation('delegation.ended', newDelegation(), start + 1));
      expect(await cast({ approval: 'apr_3' })).toMatchObject({ voted: false, why: 'delegation' });
    });

    it('stands with the vote', async () => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      await ask(bench.store);
      await give();
      await cast();
      expect((await bench.store.readApproval('acme', 'apr_1'))?.votes).toMatchObject([{ person: 'local#lea', name: 'lea', behalf }]);
    });
  });
}
