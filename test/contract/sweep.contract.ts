import { describe, expect, it } from 'vitest';
import { approve, ask, claimRequest, hour, newVote, open, settlement, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const empty = new Uint8Array();

export function sweepRules(bench: Bench): void {
  describe('a sweep', () => {
    it('expires what still waits, with a record, and deletes what was sealed in every approval past its expiry', async () => {
      const { store } = bench;
      await open(store, { expiresAt: start + 9 * hour });
      await ask(store, { id: 'waits', callKey: 'waits' });
      await approve(store, { id: 'given', callKey: 'given' });
      await ask(store, { id: 'denied', callKey: 'denied' });
      await store.castVote(newVote('bob', { approval: 'denied', decision: 'deny', reason: 'not ours' }));
      await ask(store, { id: 'later', callKey: 'later', expiresAt: start + 2 * hour });
      const used = await approve(store, { id: 'used', callKey: 'used' });
      const taken = await take(store, { approval: used, dispatch: 'dsp_used' });
      if (!taken.claimed) throw new Error('not claimed');
      await store.settle(settlement({ dispatch: 'dsp_used', fence: taken.fence, approvalOutcome: { approval: 'used', sealed: new Uint8Array([5]) } }));

      expect(await store.sweep(start + hour - 1)).toMatchObject({ approvals: 0, dispatches: 0 });
      expect(await store.sweep(start + hour)).toMatchObject({ approvals: 2, dispatches: 0 });
      expect(await store.sweep(start + hour)).toMatchObject({ approvals: 0, dispatches: 0 });
      expect(await store.readApproval('acme', 'waits')).toMatchObject({ status: 'expired', proposal: empty, decidedAt: start + hour });
      expect(await store.readApproval('acme', 'given')).toMatchObject({ status: 'expired', proposal: empty });
      expect(await store.readApproval('acme', 'denied')).toMatchObject({ status: 'denied', proposal: empty });
      expect(await store.readApproval('acme', 'used')).toMatchObject({ status: 'used', proposal: empty, sealedOutcome: null, outcome: 'completed' });
      expect(await store.readApproval('acme', 'later')).toMatchObject({ status: 'pending', proposal: new Uint8Array([1, 2, 3]) });
      expect((await typesOf(store, 'acme')).filter((type) => type === 'approval.expired')).toHaveLength(2);
    });

    it('calls a dispatch past its lease unknown, so that a late settlement is fenced', async () => {
      const { store } = bench;
      await open(store);
      const approval = await approve(store);
      const taken = await take(store, { approval, dispatch: 'dsp_lost' });
      if (!taken.claimed) throw new Error('not claimed');
      expect(await store.sweep(start + 59_999)).toMatchObject({ approvals: 0, dispatches: 0 });
      expect(await store.sweep(start + 60_000)).toMatchObject({ approvals: 0, dispatches: 1 });
      expect((await store.readRecords('acme', 0, 100)).at(-1)?.body).toMatchObject({
        type: 'call.unknown',
        dispatch: 'dsp_lost',
        fence: taken.fence,
        approval: 'apr_1',
      });
      const late = settlement({ dispatch: 'dsp_lost', fence: taken.fence, approvalOutcome: { approval: 'apr_1', sealed: new Uint8Array([5]) } });
      expect(await store.settle(late)).toMatchObject({ release: 'fenced' });
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'used', outcome: 'unknown', sealedOutcome: null });
    });

    it('by two at once settles each thing once', async () => {
      const { store } = bench;
      const other = await bench.another();
      await open(store);
      for (let i = 0; i < 5; i++) await ask(store, { id: `apr_${i}`, callKey: `key ${i}` });
      for (let i = 0; i < 450; i++) await store.claim(claimRequest({ leaseUntil: start + 5 }));
      await store.check();
      const swept = await Promise.all([store.sweep(start + hour), other.sweep(start + hour)]);
      expect(swept.reduce((sum, { approvals }) => sum + approvals, 0)).toBe(5);
      expect(swept.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(450);
    });
  });
}
