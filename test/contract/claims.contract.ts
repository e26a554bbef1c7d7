import { describe, expect, it } from 'vitest';
import { applyTenant, approve, ask, body, claimRequest, hour, open, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const calls = (limit: number, scope = 'session/ses_1') => ({ scope, key: 'calls', amount: 1, limit });

export function claimRules(bench: Bench): void {
  describe('a claim', () => {
    it('takes everything in one step and says where it stands on the record', async () => {
      const { store } = bench;
      await open(store);
      const first = await take(store, { draws: [calls(10)] });
      const second = await take(store, { draws: [calls(10)] });
      if (!first.claimed || !second.claimed) throw new Error('not claimed');
      expect(second.fence).toBeGreaterThan(first.fence);
      const [record] = await store.readRecords('acme', second.recordIndex, 1);
      expect(record?.body).toMatchObject({ type: 'call.dispatched', fence: second.fence });
      expect((await store.readSession('acme', 'ses_1'))?.calls).toBe(2);
    });

    it('of a hundred at once against a cap of ten is given exactly ten times', async () => {
      const { store } = bench;
      await open(store);
      const other = await bench.another();
      const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => take(i % 2 ? store : other, { draws: [calls(10)] })));
      expect(answers.filter(({ claimed }) => claimed)).toHaveLength(10);
      const refused = answers.find(({ claimed }) => !claimed);
      expect(refused).toEqual({ claimed: false, why: 'budget', draw: calls(10) });
      expect(new Set(answers.flatMap((answer) => (answer.claimed ? [answer.fence] : []))).size).toBe(10);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'call.dispatched')).toHaveLength(10);
    });

    it('draws up the tree and from the day in one step; a refusal of any takes nothing of the others', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1' });
      const day = { scope: 'use-case/match-invoices/2027-01-15', key: 'amount', amount: 6_000_000, limit: 10_000_000 };
      const draws = [calls(5, 'session/child'), calls(5, 'session/ses_1'), day];
      expect(await take(store, { session: 'child', draws })).toMatchObject({ claimed: true });
      expect(await take(store, { session: 'child', draws })).toEqual({ claimed: false, why: 'budget', draw: day });
      expect((await store.readSession('acme', 'ses_1'))?.calls).toBe(1);
      expect((await store.readSession('acme', 'child'))?.calls).toBe(1);
      expect(await take(store, { session: 'child', draws: [calls(1, 'session/ses_1')] })).toMatchObject({ why: 'budget' });
      // The same names in another tenant are other counters.
      await open(store, { tenant: 'globex' });
      expect(await take(store, { tenant: 'globex', draws: [day, calls(1)] })).toMatchObject({ claimed: true });
    });

    it('refuses a first draw over the limit, and takes an amount that fills it exactly', async () => {
      await open(bench.store);
      expect(await take(bench.store, { draws: [{ ...calls(1), amount: 2 }] })).toMatchObject({ claimed: false, why: 'budget' });
      expect(await take(bench.store, { draws: [{ ...calls(2), amount: 2 }] })).toMatchObject({ claimed: true });
      expect(await take(bench.store, { draws: [calls(0)] })).toMatchObject({ claimed: false, why: 'budget' });
    });

    it('gives nothing back: a draw below zero or not whole is refused as a bug, and takes nothing', async () => {
      await open(bench.store);
      for (const amount of [-1, 0.5, Number.NaN, 2 ** 53])
        await expect(bench.store.claim(claimRequest({ draws: [{ ...calls(10), amount }] }))).rejects.toThrow(/whole number/);
      expect((await bench.store.readSession('acme', 'ses_1'))?.calls).toBe(0);
    });

    it.each([
      ['an unknown session', { session: 'nobody' }, 'session'],
      ['a session of another tenant', { tenant: 'globex' }, 'session'],
      ['a session at its end', { at: start + hour }, 'session'],
      ['another configuration', { revision: 2 }, 'revision'],
      ['other labels', { labelVersion: 1 }, 'labels'],
      ['an approval that does not exist', { approval: { id: 'nothing', digest: 'p'.repeat(64) } }, 'approval'],
      ['a pending approval', { approval: { id: 'apr_1', digest: 'p'.repeat(64) } }, 'approval'],
      ['another proposal', { approval: { id: 'given', digest: 'q'.repeat(64) } }, 'approval'],
      ['an expired approval', { approval: { id: 'given', digest: 'p'.repeat(64) }, at: start + 500 }, 'approval'],
      ['an approval of another session', { session: 'ses_2', approval: { id: 'given', digest: 'p'.repeat(64) } }, 'approval'],
      ['an approval of another tool', { tool: 'ledger__other', approval: { id: 'given', digest: 'p'.repeat(64) } }, 'approval'],
    ])('is refused for %s, and leaves nothing behind', async (_, more, why) => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'ses_2' });
      await ask(store);
      await approve(store, { id: 'given', callKey: 'given', expiresAt: start + 500 });
      const before = await typesOf(store, 'acme');
      expect(await take(store, { draws: [calls(10)], ...more })).toEqual({ claimed: false, why });
      expect(await typesOf(store, 'acme')).toEqual(before);
      expect((await store.readSession('acme', 'ses_1'))?.calls).toBe(0);
      expect(await store.readApproval('acme', 'given')).toMatchObject({ status: 'approved', dispatch: null });
    });

    it('is refused after the session, its ancestor or its agent was stopped, and after an apply', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1', agent: 'helper' });
      await open(store, { id: 'grandchild', parent: 'child' });
      await store.setAgentStatus('acme', 'helper', 'suspended', body('agent.suspended'));
      expect(await take(store, { session: 'grandchild' })).toEqual({ claimed: false, why: 'session' });
      expect((await store.readSession('acme', 'grandchild'))?.agentStatus).toBe('suspended');
      await store.setAgentStatus('acme', 'helper', 'active', body('agent.activated'));
      expect(await take(store, { session: 'grandchild' })).toMatchObject({ claimed: true });
      await applyTenant(store, 'acme', 1);
      expect(await take(store, { session: 'grandchild' })).toEqual({ claimed: false, why: 'revision' });
      await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      expect(await take(store, { session: 'grandchild', revision: 2 })).toEqual({ claimed: false, why: 'session' });
    });

    it('of fifty with the same approval is given once, and the approval names its dispatch', async () => {
      const { store } = bench;
      await open(store);
      const approval = await approve(store);
      const other = await bench.another();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => take(i % 2 ? store : other, { approval, dispatch: `dsp_race_${i}`, draws: [calls(50)] })),
      );
      const winner = answers.findIndex(({ claimed }) => claimed);
      expect(answers.filter(({ claimed }) => claimed)).toHaveLength(1);
      expect(await store.readApproval('acme', approval.id)).toMatchObject({ status: 'used', dispatch: `dsp_race_${winner}`, outcome: null });
      expect((await store.readSession('acme', 'ses_1'))?.calls).toBe(1);
    });

    it('keeps the approval when a draw is refused after it was taken', async () => {
      const { store } = bench;
      await open(store);
      const approval = await approve(store);
      expect(await take(store, { approval, draws: [calls(0)] })).toMatchObject({ claimed: false, why: 'budget' });
      expect(await store.readApproval('acme', approval.id)).toMatchObject({ status: 'approved', dispatch: null });
      expect(await take(store, { approval, draws: [calls(1)] })).toMatchObject({ claimed: true });
    });
  });
}
