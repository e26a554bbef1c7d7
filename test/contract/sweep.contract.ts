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
      for (let i = 0; i < 9; i++) await Promise.all(Array.from({ length: 50 }, () => store.claim(claimRequest({ leaseUntil: start + 5 }))));
      await store.check();
      const swept = await Promise.all([store.sweep(start + hour), other.sweep(start + hour)]);
      expect(swept.reduce((sum, { approvals }) => sum + approvals, 0)).toBe(5);
      expect(swept.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(450);
    });

    describe('of counters', () => {
      const day = 24 * hour;
      const today = `use-case/pay/${new Date(start).toISOString().slice(0, 10)}`;
      const drawOn = (scope: string, key: string, at: number, session = 'ses_1') =>
        bench.store.claim(claimRequest({ session, at, leaseUntil: at + 1, draws: [{ scope, key, amount: 1, limit: 1 }] })).then(({ answer }) => answer.claimed);

      it('deletes those of a day only when that day is more than a week past, and none that can still be drawn from', async () => {
        const { store } = bench;
        await open(store, { expiresAt: start + 30 * day });
        expect(await drawOn(today, 'calls', start)).toBe(true);
        await store.sweep(start + 7 * day);
        expect(await drawOn(today, 'calls', start + 1)).toBe(false);
        await store.sweep(start + 8 * day);
        expect(await drawOn(today, 'calls', start + 2)).toBe(true);
      });

      it('deletes those of a session only a day after its end, never while it lives or is suspended, and keeps how often it called', async () => {
        const { store } = bench;
        for (const [id, status] of [
          ['ses_1', null],
          ['ses_suspended', 'suspended'],
          ['ses_ended', 'ended'],
        ] as const) {
          await open(store, { id, expiresAt: start + 30 * day });
          for (const key of ['calls', 'amount']) expect(await drawOn(`session/${id}`, key, start, id)).toBe(true);
          if (status)
            await store.endSession('acme', id, { status, reason: 'test' }, start, { type: `session.${status}`, at: start, tenant: 'acme', session: id });
        }
        const isThere = async (id: string, key: string, at: number): Promise<boolean> => !(await drawOn(`session/${id}`, key, at));
        await store.sweep(start + day - 1);
        expect(await isThere('ses_ended', 'amount', start + 1)).toBe(true);
        await store.sweep(start + 2 * day);
        expect(await isThere('ses_1', 'amount', start + 2)).toBe(true);
        expect(await isThere('ses_suspended', 'amount', start + 2)).toBe(true);
        expect((await store.readSession('acme', 'ses_ended'))?.calls).toBe(1);
        expect(await isThere('ses_ended', 'amount', start + 2)).toBe(false);
      });
    });
  });
}
