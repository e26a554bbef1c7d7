import { describe, expect, it } from 'vitest';
import type { BreakGlassConfirmation, NewBreakGlass } from '../../server/store/break-glass.ts';
import type { Store } from '../../server/store/index.ts';
import { applyTenant, ask, body, channel, claimRequest, hour, newBreakGlass, open, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const minute = 60_000;
const day = 24 * hour;
const carl = { person: 'local#carl', name: 'carl' };

/** Revision 2: acme has a channel. */
async function ready(store: Store, more: Parameters<typeof open>[1] = {}): Promise<void> {
  await applyTenant(store, 'acme', 1, [channel('on-call')]);
  await open(store, { revision: 2, expiresAt: start + 40 * day, ...more });
}

const asked = (more: Partial<NewBreakGlass> = {}): NewBreakGlass => ({
  ...newBreakGlass('acme', 'ses_1'),
  revision: 2,
  confirmBy: (more.at ?? start) + 15 * minute,
  ...more,
});
const confirmed = (more: Partial<BreakGlassConfirmation> = {}): BreakGlassConfirmation => ({
  tenant: 'acme',
  id: 'bgl_1',
  revision: 2,
  at: start + 1,
  confirmer: carl,
  reviewMs: 72 * hour,
  record: body('break_glass.activated', { break_glass: more.id ?? 'bgl_1' }),
  ...more,
});
async function activate(store: Store, more: Partial<NewBreakGlass> = {}): Promise<void> {
  const at = more.at ?? start;
  expect(await store.requestBreakGlass(asked(more))).toMatchObject({ done: true, row: { status: 'requested' } });
  expect(await store.confirmBreakGlass(confirmed({ id: more.id ?? 'bgl_1', at: at + 1 }))).toMatchObject({
    done: true,
    row: { status: 'active', confirmer: carl },
  });
}
const draws = (limit = 3, id = 'bgl_1') => [{ scope: `break-glass/${id}`, key: 'calls', amount: 1, limit }];
const under = (more: Parameters<typeof take>[1] = {}) => ({ revision: 2, at: start + 2, breakGlass: 'bgl_1', draws: draws(), ...more });
const ended = (id = 'bgl_1') => body('break_glass.ended', { break_glass: id });
const told = async (store: Store) => (await store.listDeliveries('acme', {}, { after: null, limit: 100 })).map(({ type }) => type).sort();
const review = (store: Store, at: number, id = 'bgl_1') =>
  store.reviewBreakGlass({
    tenant: 'acme',
    id,
    revision: 2,
    at,
    review: { person: 'local#fay', name: 'fay', finding: 'fine' },
    record: body('break_glass.reviewed'),
  });

export function breakGlassRules(bench: Bench): void {
  describe('break-glass', () => {
    it('is active from its confirmation to its end, for its session alone, and told in the same transaction', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2 });
      await store.requestBreakGlass(asked());
      expect(await store.activeBreakGlass('acme', 'ses_1', start + 1)).toBeNull();
      expect(await told(store)).toEqual([]);
      await store.confirmBreakGlass(confirmed());
      expect(await told(store)).toEqual(['break_glass.activated']);
      expect(await store.activeBreakGlass('acme', 'ses_1', start + hour)).toMatchObject({
        id: 'bgl_1',
        notAfter: start + 1 + hour,
        reviewDue: start + 1 + 73 * hour,
      });
      expect(await store.activeBreakGlass('acme', 'ses_1', start + 1 + hour)).toBeNull();
      expect(await store.activeBreakGlass('acme', 'ses_2', start + 2)).toBeNull();
      expect(await store.activeBreakGlass('globex', 'ses_1', start + 2)).toBeNull();
      expect(await store.readBreakGlass('globex', 'bgl_1')).toBeNull();
      expect(await typesOf(store, 'acme')).toContain('break_glass.activated');
    });

    it('that nobody would be told of is not activated, and leaves no trace of it', async () => {
      const { store } = bench;
      await applyTenant(store, 'acme', 1);
      await open(store, { revision: 2 });
      await store.requestBreakGlass(asked());
      const before = await typesOf(store, 'acme');
      expect(await store.confirmBreakGlass(confirmed())).toEqual({ done: false, why: 'nobody_told' });
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ status: 'requested', confirmer: null, activatedAt: null });
      expect(await typesOf(store, 'acme')).toEqual(before);
      expect(await store.activeBreakGlass('acme', 'ses_1', start + 2)).toBeNull();
    });

    it.each([
      ['that is not there', { id: 'bgl_2' }, 'not_found'],
      ['of another tenant', { tenant: 'globex' }, 'not_found'],
      ['in a configuration that moved on', { revision: 1 }, 'revision'],
      ['a quarter of an hour later', { at: start + 15 * minute }, 'not_requested'],
    ])('is not confirmed %s', async (_, more, why) => {
      const { store } = bench;
      await ready(store);
      await store.requestBreakGlass(asked());
      expect(await store.confirmBreakGlass(confirmed(more))).toEqual({ done: false, why });
      expect(await store.activeBreakGlass('acme', 'ses_1', start + 2)).toBeNull();
    });

    it('is confirmed once, of however many who do at once', async () => {
      const { store } = bench;
      await ready(store);
      await store.requestBreakGlass(asked());
      const other = await bench.another();
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other).confirmBreakGlass(confirmed())));
      expect(answers.filter(({ done }) => done)).toHaveLength(1);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'break_glass.activated')).toHaveLength(1);
      expect(await told(store)).toEqual(['break_glass.activated']);
    });

    it('is one for a session at a time, and none for a session that is over', async () => {
      const { store } = bench;
      await ready(store);
      await activate(store);
      expect(await store.requestBreakGlass(asked({ id: 'bgl_2', at: start + 2 }))).toEqual({ done: false, why: 'already_there' });
      await store.endBreakGlass('acme', 'bgl_1', 'done', start + 3, ended());
      expect(await store.requestBreakGlass(asked({ id: 'bgl_2', at: start + 4 }))).toEqual({ done: false, why: 'session_not_live' });
    });

    it('is claimed with while it is active, for its tool and session, and says its first use once', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2 });
      await activate(store);
      expect(await take(store, under({ session: 'ses_2' }))).toEqual({ claimed: false, why: 'break_glass' });
      expect(await take(store, under({ tool: 'ledger__refund' }))).toEqual({ claimed: false, why: 'break_glass' });
      expect(await take(store, under({ breakGlass: 'bgl_2' }))).toEqual({ claimed: false, why: 'break_glass' });
      expect(await take(store, under({ at: start + 1 + hour }))).toEqual({ claimed: false, why: 'break_glass' });
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ firstUsedAt: null, used: { calls: 0 } });
      expect(await take(store, under())).toMatchObject({ claimed: true });
      expect(await take(store, under({ at: start + 3 }))).toMatchObject({ claimed: true });
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ firstUsedAt: start + 2, used: { calls: 2 } });
      expect(await told(store)).toEqual(['break_glass.activated', 'break_glass.used']);
    });

    it('is drawn from exactly as often as it allows, of fifty claims at once on two connections', async () => {
      const { store } = bench;
      await ready(store);
      await activate(store);
      const other = await bench.another();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const { answer, durable } = await (i % 2 ? store : other).claim(claimRequest(under({ draws: draws(7) })));
          await durable;
          return answer;
        }),
      );
      expect(answers.filter(({ claimed }) => claimed)).toHaveLength(7);
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ used: { calls: 7 } });
      expect(await told(store)).toEqual(['break_glass.activated', 'break_glass.used']);
    });

    it('takes its session with it, what waits there, and what is to be rotated when it was used', async () => {
      const { store } = bench;
      await ready(store);
      await store.putSecret('acme', 'ledger-key', new Uint8Array([1]), start, body('credential.set'));
      await store.putSecret('acme', 'mail-key', new Uint8Array([1]), start, body('credential.set'));
      await open(store, { id: 'child', parent: 'ses_1', revision: 2 });
      await ask(store, { session: 'child' });
      await activate(store);
      await take(store, under());
      expect(await store.endBreakGlass('acme', 'bgl_1', 'done', start + 9, ended())).toBe(true);
      expect(await store.endBreakGlass('acme', 'bgl_1', 'done', start + 9, ended())).toBe(false);
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ status: 'ended', endedAt: start + 9, rotate: [{ name: 'ledger-key', version: 1 }] });
      for (const id of ['ses_1', 'child'])
        expect(await store.readSession('acme', id)).toMatchObject({ session: { status: 'revoked', endReason: 'break_glass_ended' } });
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'cancelled' });
      expect(await take(store, under({ at: start + 10 }))).toEqual({ claimed: false, why: 'session' });
    });

    it('ends by itself at its time, and by the end of its session', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2 });
      await activate(store);
      await activate(store, { id: 'bgl_2', session: 'ses_2' });
      await store.endSession('acme', 'ses_2', { status: 'ended', reason: 'done' }, start + 3, body('session.ended'));
      await store.sweep(start + 4);
      expect(await store.readBreakGlass('acme', 'bgl_2')).toMatchObject({ status: 'ended', endReason: 'session_ended' });
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ status: 'active' });
      await store.sweep(start + 5 * hour);
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ status: 'ended', endReason: 'expired', endedAt: start + 1 + hour, rotate: [] });
      expect(await store.readSession('acme', 'ses_1')).toMatchObject({ session: { status: 'revoked' } });
    });

    it('that nobody confirmed lapses, and leaves its session', async () => {
      const { store } = bench;
      await ready(store);
      await store.requestBreakGlass(asked());
      await store.sweep(start + 15 * minute);
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({ status: 'lapsed', endReason: 'not_confirmed' });
      expect(await store.readSession('acme', 'ses_1')).toMatchObject({ session: { status: 'active' } });
      expect(await told(store)).toEqual([]);
      expect(await store.requestBreakGlass(asked({ id: 'bgl_2', at: start + 16 * minute }))).toMatchObject({ done: true });
    });

    it('whose review is late stands before the next, whether or not anybody has swept, until it is reviewed', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2, expiresAt: start + 40 * day });
      await activate(store);
      const late = start + 1 + 73 * hour;
      expect(await store.requestBreakGlass(asked({ id: 'bgl_2', session: 'ses_2', at: late - 1 }))).toMatchObject({ done: true });
      expect(await store.confirmBreakGlass(confirmed({ id: 'bgl_2', at: late }))).toEqual({ done: false, why: 'review_overdue' });
      expect(await store.requestBreakGlass(asked({ id: 'bgl_3', session: 'ses_2', at: late + hour }))).toEqual({ done: false, why: 'review_overdue' });
      await store.sweep(late);
      await store.sweep(late + 1);
      await store.sweep(late + 2);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'break_glass.review_overdue')).toHaveLength(1);
      expect((await told(store)).filter((type) => type === 'break_glass.review_due')).toHaveLength(1);
      expect(await review(store, late + 3)).toMatchObject({ done: true, row: { review: { name: 'fay', finding: 'fine' } } });
      expect(await review(store, late + 4)).toEqual({ done: false, why: 'not_ended' });
      expect(await store.requestBreakGlass(asked({ id: 'bgl_3', session: 'ses_2', at: late + hour }))).toMatchObject({ done: true });
    });

    it('is not reviewed while it is active', async () => {
      const { store } = bench;
      await ready(store);
      await activate(store);
      expect(await review(store, start + 2)).toEqual({ done: false, why: 'not_ended' });
      expect(await review(store, start + 2, 'bgl_9')).toEqual({ done: false, why: 'not_found' });
    });

    it('ends with the store’s epoch, and stays to be reviewed', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2 });
      await activate(store);
      await store.requestBreakGlass(asked({ id: 'bgl_2', session: 'ses_2' }));
      const { epoch } = await store.readState();
      await store.startEpoch({ found: epoch, next: epoch + 1, at: start + 5, reason: 'restored', recordFor: () => body('store.restored') });
      expect(await store.readBreakGlass('acme', 'bgl_1')).toMatchObject({
        status: 'ended',
        endReason: 'restored',
        reviewedAt: null,
        reviewDue: start + 5 + 72 * hour,
      });
      expect(await store.readBreakGlass('acme', 'bgl_2')).toMatchObject({ status: 'lapsed' });
    });

    it('is listed youngest first, by status', async () => {
      const { store } = bench;
      await ready(store);
      await open(store, { id: 'ses_2', revision: 2 });
      await activate(store);
      await store.requestBreakGlass(asked({ id: 'bgl_2', session: 'ses_2', at: start + 2 }));
      const ids = async (status?: 'active') => (await store.listBreakGlass('acme', status ? { status } : {}, { after: null, limit: 9 })).map(({ id }) => id);
      expect(await ids()).toEqual(['bgl_2', 'bgl_1']);
      expect(await ids('active')).toEqual(['bgl_1']);
      expect((await store.listBreakGlass('acme', {}, { after: 'bgl_2', limit: 9 })).map(({ id }) => id)).toEqual(['bgl_1']);
    });
  });
}
