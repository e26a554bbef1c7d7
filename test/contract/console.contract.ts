import { describe, expect, it } from 'vitest';
import { approve, ask, body, hour, newVote, open, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const login = (over: object = {}) => ({
  tenant: 'acme',
  hash: 'h1',
  person: 'local#bob',
  loggedInAt: start,
  provedAt: start - 5,
  claimedGroups: ['finance'],
  expiresAt: start + 12 * hour,
  ...over,
});
const link = (over: object = {}) => ({ tenant: 'acme', hash: 'l1', person: 'local#bob', madeAt: start, expiresAt: start + hour, ...over });
const record = body('person.login');

export function consoleRules(bench: Bench): void {
  describe('a login at the console', () => {
    it('is found as it was opened, by its tenant and hash alone, until its end and while it is used', async () => {
      const { store } = bench;
      expect(await store.openConsoleSession(login(), null, record)).toBe(true);
      expect(await store.readConsoleSession('acme', 'h1', start, start - 1)).toEqual({ ...login(), seenAt: start });
      for (const [tenant, hash] of [
        ['globex', 'h1'],
        ['acme', 'h2'],
      ] as const)
        expect(await store.readConsoleSession(tenant, hash, start, start - 1)).toBeNull();
      expect(await store.readConsoleSession('acme', 'h1', start + 12 * hour, 0)).toBeNull();
      expect(await store.readConsoleSession('acme', 'h1', start + hour, start)).toBeNull();
      await store.touchConsoleSession('acme', 'h1', start + 30);
      await store.touchConsoleSession('acme', 'h1', start + 20);
      expect(await store.readConsoleSession('acme', 'h1', start + hour, start)).toMatchObject({ seenAt: start + 30 });
      expect(await typesOf(store, 'acme')).toContain('person.login');
    });

    it('is ended once, with its record', async () => {
      const { store } = bench;
      await store.openConsoleSession(login({ provedAt: null }), null, record);
      expect(await store.endConsoleSession('globex', 'h1', body('person.logout', { tenant: 'globex' }))).toBe(false);
      expect(await store.endConsoleSession('acme', 'h1', body('person.logout'))).toBe(true);
      expect(await store.endConsoleSession('acme', 'h1', body('person.logout'))).toBe(false);
      expect(await store.readConsoleSession('acme', 'h1', start, 0)).toBeNull();
      expect((await typesOf(store, 'acme')).filter((type) => type === 'person.logout')).toHaveLength(1);
    });

    it('by a link is one of however many ask for it at once, only for whom the link was made, in time', async () => {
      const { store } = bench;
      await store.putConsoleLink(link());
      expect(await store.readConsoleLink('acme', 'l1', start)).toEqual(link());
      expect(await store.readConsoleLink('globex', 'l1', start)).toBeNull();
      expect(await store.readConsoleLink('acme', 'l1', start + hour)).toBeNull();
      expect(await store.openConsoleSession(login({ person: 'local#eve' }), 'l1', record)).toBe(false);
      expect(await store.openConsoleSession(login({ loggedInAt: start + hour }), 'l1', record)).toBe(false);
      const opened = await Promise.all(Array.from({ length: 10 }, (_, at) => store.openConsoleSession(login({ hash: `h${at}` }), 'l1', record)));
      expect(opened.filter(Boolean)).toHaveLength(1);
      expect(await store.readConsoleLink('acme', 'l1', start)).toBeNull();
      expect((await typesOf(store, 'acme')).filter((type) => type === 'person.login')).toHaveLength(1);
    });

    it('and a link from before the store’s epoch are good no more', async () => {
      const { store } = bench;
      await store.openConsoleSession(login(), null, record);
      await store.putConsoleLink(link());
      const { epoch } = await store.readState();
      const recordFor = (tenant: string | null) => ({ type: 'store.restored' as const, at: start + 1, ...(tenant === null ? {} : { tenant }) });
      await store.startEpoch({ found: epoch, next: epoch + 1, at: start + 1, reason: 'restored', recordFor });
      expect(await store.readConsoleSession('acme', 'h1', start + 2, 0)).toBeNull();
      expect(await store.readConsoleLink('acme', 'l1', start + 2)).toBeNull();
    });
  });

  describe('what people look at', () => {
    it('is the decisions of their tenant, with when each was first shown to whoever decided', async () => {
      const { store } = bench;
      await open(store);
      await ask(store);
      await store.noteShown('acme', 'apr_1', 'local#bob', start + 10);
      await store.noteShown('acme', 'apr_1', 'local#bob', start + 20);
      await store.castVote(newVote('bob', { at: start + 30 }));
      await store.castVote(newVote('carl', { at: start + 40 }));
      expect(await store.listDecisions('acme', start, 10)).toMatchObject([
        { name: 'carl', approval: 'apr_1', at: start + 40, askedAt: start, shownAt: null, decision: 'approve', rung: null },
        { name: 'bob', approval: 'apr_1', at: start + 30, askedAt: start, shownAt: start + 10 },
      ]);
      const approval = await store.readApproval('acme', 'apr_1');
      if (!approval) throw new Error('not there');
      await take(store, { approval, rung: 'rounds' });
      expect(await store.listDecisions('acme', start + 35, 10)).toMatchObject([{ name: 'carl', rung: 'rounds' }]);
      expect(await store.listDecisions('acme', start + 35, 10)).toHaveLength(1);
      expect(await store.listDecisions('acme', start, 1)).toHaveLength(1);
      expect(await store.listDecisions('globex', start, 10)).toEqual([]);
    });

    it('is the calls of one task, the latest first', async () => {
      const { store } = bench;
      await open(store);
      const given = await approve(store);
      await take(store, { dispatch: 'dsp_a' });
      await take(store, { approval: given, dispatch: 'dsp_b' });
      const calls = await store.listDispatches('acme', 'ses_1', 10);
      expect(calls.map(({ id, approval, status }) => [id, approval, status])).toEqual([
        ['dsp_b', given.id, 'dispatched'],
        ['dsp_a', null, 'dispatched'],
      ]);
      expect(await store.listDispatches('acme', 'ses_1', 1)).toHaveLength(1);
      expect(await store.listDispatches('globex', 'ses_1', 10)).toEqual([]);
    });

    it('is what a task has used up of its amount, whatever else it counts', async () => {
      const { store } = bench;
      await open(store);
      expect(await store.amountUsed('acme', 'ses_1')).toBe(0);
      const draw = (key: string, amount: number) => ({ scope: 'session/ses_1', key, amount, limit: 9_000_000 });
      await take(store, { dispatch: 'dsp_a', draws: [draw('calls', 1), draw('amount', 6_000_000)] });
      await take(store, { dispatch: 'dsp_b', draws: [draw('calls', 1), draw('amount', 2_500_000)] });
      expect(await store.amountUsed('acme', 'ses_1')).toBe(8_500_000);
      expect(await store.amountUsed('globex', 'ses_1')).toBe(0);
    });
  });
}
