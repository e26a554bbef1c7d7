import { describe, expect, it } from 'vitest';
import type { Store } from '../../server/store/index.ts';
import { approve, body, hour, open, settlement, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const internal = { sensitivity: 'internal', categories: ['finance'], integrity: 'tenant' } as const;
const restricted = { sensitivity: 'restricted', categories: [], integrity: 'trusted' } as const;

export function settlementRules(bench: Bench): void {
  describe('a settlement', () => {
    const claimed = async (store: Store, more: Parameters<typeof take>[1] = {}) => {
      const dispatch = more.dispatch ?? 'dsp_settled';
      const answer = await take(store, { ...more, dispatch });
      if (!answer.claimed) throw new Error(`not claimed: ${answer.why}`);
      return { dispatch, fence: answer.fence };
    };

    it('releases the result with the raised label, whose version changes only when it does', async () => {
      const { store } = bench;
      await open(store);
      const first = await store.settle(settlement({ ...(await claimed(store)), label: internal }));
      expect(first).toMatchObject({ release: 'yes', label: internal });
      expect((await store.readRecords('acme', first.recordIndex, 1))[0]?.body.type).toBe('call.completed');
      expect(await store.readSession('acme', 'ses_1')).toMatchObject({ label: internal, labelVersion: 1 });
      const lower = { sensitivity: 'public', categories: [], integrity: 'trusted' } as const;
      const again = await claimed(store, { labelVersion: 1, dispatch: 'dsp_again' });
      expect(await store.settle(settlement({ ...again, label: lower }))).toMatchObject({ release: 'yes', label: internal });
      expect(await store.readSession('acme', 'ses_1')).toMatchObject({ label: internal, labelVersion: 1 });
    });

    it('makes a claim judged on the lower label lose, in every session of the lineage', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1' });
      await store.settle(settlement({ ...(await claimed(store, { session: 'child' })), session: 'child', label: internal }));
      expect(await take(store, { labelVersion: 0 })).toEqual({ claimed: false, why: 'labels' });
      expect(await take(store, { labelVersion: 1 })).toMatchObject({ claimed: true });
    });

    it('is accepted once, with its own fence and from its own session', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'ses_2' });
      const taken = await claimed(store);
      expect(await store.settle(settlement({ ...taken, fence: taken.fence + 1 }))).toMatchObject({ release: 'fenced' });
      expect(await store.settle(settlement({ ...taken, session: 'ses_2' }))).toMatchObject({ release: 'fenced' });
      expect(await store.settle(settlement(taken))).toMatchObject({ release: 'yes' });
      expect(await store.settle(settlement({ ...taken, label: internal }))).toMatchObject({ release: 'fenced' });
      expect((await store.readSession('acme', 'ses_1'))?.labelVersion).toBe(0);
      const late = (await store.readRecords('acme', 0, 100)).filter(({ body: { code } }) => code === 'fenced');
      expect(late).toHaveLength(3);
    });

    it('withholds what is above the ceiling, suspends the session with its children, and keeps no copy', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1' });
      const approval = await approve(store);
      const taken = await claimed(store, { approval });
      const answer = await store.settle(settlement({ ...taken, label: restricted, approvalOutcome: { approval: approval.id, sealed: new Uint8Array([9]) } }));
      expect(answer).toMatchObject({ release: 'over_ceiling', label: restricted });
      for (const id of ['ses_1', 'child'])
        expect((await store.readSession('acme', id))?.session).toMatchObject({ status: 'suspended', endReason: 'over_ceiling' });
      expect(await store.readApproval('acme', approval.id)).toMatchObject({ outcome: 'completed', sealedOutcome: null });
      expect((await typesOf(store, 'acme')).slice(-3)).toEqual(['call.completed', 'session.suspended', 'session.suspended']);
    });

    it('is held to the ceilings of the sessions it draws on', async () => {
      const { store } = bench;
      await open(store, { ceiling: 'public' });
      await open(store, { id: 'child', parent: 'ses_1', ceiling: 'restricted' });
      const taken = await claimed(store, { session: 'child' });
      expect(await store.settle(settlement({ ...taken, session: 'child', label: internal }))).toMatchObject({ release: 'over_ceiling' });
      expect((await store.readSession('acme', 'ses_1'))?.session.status).toBe('active');
    });

    it.each([
      ['ended meanwhile', 'ses_1', start + 2],
      ['drew on one that ended meanwhile', 'child', start + 2],
      ['ran out meanwhile', null, start + hour],
    ])('does not release to a session that %s, yet raises the label', async (_, calling, at) => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1' });
      const session = calling ?? 'ses_1';
      const taken = await claimed(store, { session });
      if (calling) await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      expect(await store.settle(settlement({ ...taken, session, label: internal, at }))).toMatchObject({ release: 'session_ended', label: internal });
      expect(await store.readSession('acme', session)).toMatchObject({ label: internal, labelVersion: 1 });
    });

    it('keeps the sealed outcome for a replay until the approval expires', async () => {
      const { store } = bench;
      await open(store);
      const kept = await approve(store);
      const sealed = new Uint8Array([7, 7]);
      await store.settle(settlement({ ...(await claimed(store, { approval: kept })), approvalOutcome: { approval: kept.id, sealed } }));
      expect(await store.findApproval('acme', 'k'.repeat(64), start + hour - 1)).toMatchObject({ status: 'used', outcome: 'completed', sealedOutcome: sealed });
      expect(await store.findApproval('acme', 'k'.repeat(64), start + hour)).toBeNull();

      const short = await approve(store, { id: 'short', callKey: 'short', expiresAt: start + 50 });
      const late = await claimed(store, { approval: short, dispatch: 'dsp_late' });
      await store.settle(settlement({ ...late, outcome: 'failed', approvalOutcome: { approval: short.id, sealed }, at: start + 50 }));
      expect(await store.readApproval('acme', 'short')).toMatchObject({ outcome: 'failed', sealedOutcome: null });
    });
  });
}
