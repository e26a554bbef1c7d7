import { describe, expect, it } from 'vitest';
import { applyTenant, ask, body, hour, newSession, open, start, take, tryOpen, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const day = 24 * hour;
const external = { sensitivity: 'confidential', categories: ['pii'], integrity: 'external' } as const;

export function sessionRules(bench: Bench): void {
  describe('sessions', () => {
    it('are answered as they were opened, with their root, lineage and what is judged on', async () => {
      const { sharedMemoryWindow, maxOpen, revision, ...row } = newSession({ cnf: { jkt: 'x' }, connection: 'hash' });
      const opened = await open(bench.store, { cnf: { jkt: 'x' }, connection: 'hash' });
      expect(opened).toEqual({ ...row, root: 'ses_1', lineage: opened.lineage, status: 'active', endReason: null, endedAt: null });
      expect(await bench.store.readSession('acme', 'ses_1')).toEqual({
        session: opened,
        ancestors: [],
        label: { sensitivity: 'public', categories: [], integrity: 'trusted' },
        labelVersion: 0,
        revision,
        agentStatus: 'active',
        calls: 0,
      });
      expect([sharedMemoryWindow, maxOpen]).toEqual([null, null]);
    });

    it('are not opened under a configuration that has moved on', async () => {
      await applyTenant(bench.store, 'acme', 1);
      expect(await tryOpen(bench.store)).toEqual({ refused: 'stale' });
      expect(await typesOf(bench.store, 'acme')).toEqual(['configuration.applied', 'configuration.applied']);
    });

    it('are opened at most so often at once: of 20 with a limit of 5, exactly 5', async () => {
      const other = await bench.another();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => tryOpen(i % 2 ? bench.store : other, { id: `ses_${i}`, maxOpen: 5 })));
      expect(answers.filter((answer) => !('refused' in answer))).toHaveLength(5);
      // One that ended or ran out makes room; another use case or agent never took any.
      expect(await tryOpen(bench.store, { id: 'later', maxOpen: 5 }, start + hour)).toMatchObject({ id: 'later' });
      expect(await tryOpen(bench.store, { id: 'other', maxOpen: 1, useCase: 'other' })).toMatchObject({ id: 'other' });
    });

    it('have one live session to a connection token', async () => {
      await open(bench.store, { connection: 'h' });
      expect(await tryOpen(bench.store, { id: 'ses_2', connection: 'h' })).toEqual({ refused: 'already_open' });
      expect(await bench.store.sessionOfConnection('acme', 'h')).toMatchObject({ id: 'ses_1' });
      expect(await bench.store.sessionOfConnection('globex', 'h')).toBeNull();
      await bench.store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      expect(await bench.store.sessionOfConnection('acme', 'h')).toBeNull();
      await open(bench.store, { id: 'ses_2', connection: 'h' });
      bench.clock.now = start + hour;
      expect(await bench.store.sessionOfConnection('acme', 'h')).toBeNull();
    });

    it('take the root and lineage of a live parent, and no other', async () => {
      const parent = await open(bench.store);
      const child = await open(bench.store, { id: 'child', parent: 'ses_1', agent: 'helper' });
      const grandchild = await open(bench.store, { id: 'grandchild', parent: 'child' });
      expect([child.root, grandchild.root]).toEqual(['ses_1', 'ses_1']);
      expect([child.lineage, grandchild.lineage]).toEqual([parent.lineage, parent.lineage]);
      const view = await bench.store.readSession('acme', 'grandchild');
      expect(view?.ancestors.map(({ id }) => id)).toEqual(['child', 'ses_1']);
      expect(await tryOpen(bench.store, { id: 'orphan', parent: 'nobody' })).toEqual({ refused: 'parent_not_live' });
      expect(await tryOpen(bench.store, { id: 'late', parent: 'child' }, start + hour)).toEqual({ refused: 'parent_not_live' });
      await applyTenant(bench.store, 'initech');
      expect(await tryOpen(bench.store, { id: 'foreign', tenant: 'initech', parent: 'ses_1' })).toEqual({ refused: 'parent_not_live' });
      await bench.store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      expect(await tryOpen(bench.store, { id: 'deep', parent: 'grandchild' }, start + 2)).toEqual({ refused: 'parent_not_live' });
    });

    it('end with everything drawn from them, cancel what waits, and leave a record of each', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'child', parent: 'ses_1' });
      await open(store, { id: 'other' });
      await ask(store, { session: 'child' });
      await ask(store, { id: 'apr_2', session: 'other', callKey: 'other' });
      const ending = { status: 'revoked', reason: 'deviation' } as const;
      expect(await store.endSession('globex', 'ses_1', ending, start + 5, body('session.revoked'))).toBe(false);
      expect(await store.endSession('acme', 'ses_1', ending, start + 5, body('session.revoked', { session: 'ses_1', actor: 'local#dana' }))).toBe(true);
      expect(await store.endSession('acme', 'ses_1', ending, start + 6, body('session.revoked'))).toBe(false);
      for (const id of ['ses_1', 'child']) {
        expect((await store.readSession('acme', id))?.session).toMatchObject({ status: 'revoked', endReason: 'deviation', endedAt: start + 5 });
      }
      expect((await store.readSession('acme', 'other'))?.session.status).toBe('active');
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'cancelled', decidedAt: start + 5 });
      expect(await store.readApproval('acme', 'apr_2')).toMatchObject({ status: 'pending' });
      const records = (await store.readRecords('acme', 0, 100)).slice(-3).map(({ body: { type, session, actor } }) => [type, session, actor]);
      expect(records).toEqual([
        ['session.revoked', 'ses_1', 'local#dana'],
        ['session.revoked', 'child', 'local#dana'],
        ['approval.cancelled', 'child', 'taskgate'],
      ]);
    });

    it('can be ended after they were suspended, never brought back', async () => {
      const { store } = bench;
      await open(store);
      expect(await store.endSession('acme', 'ses_1', { status: 'suspended', reason: 'odd' }, start + 1, body('session.suspended'))).toBe(true);
      expect(await store.endSession('acme', 'ses_1', { status: 'suspended', reason: 'odd' }, start + 2, body('session.suspended'))).toBe(false);
      expect(await take(store)).toMatchObject({ claimed: false, why: 'session' });
      expect(await store.endSession('acme', 'ses_1', { status: 'revoked', reason: 'bad' }, start + 3, body('session.revoked'))).toBe(true);
      expect(await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 4, body('session.ended'))).toBe(false);
    });

    it('are listed youngest first, page by page, and past their end under no open status', async () => {
      const { store } = bench;
      for (let i = 0; i < 5; i++) await open(store, { id: `ses_${i}`, openedAt: start + (i >> 1), agent: i === 4 ? 'other' : 'matcher' });
      const first = await store.listSessions('acme', {}, { after: null, limit: 3 });
      const rest = await store.listSessions('acme', {}, { after: first.at(-1)?.id ?? null, limit: 3 });
      expect([...first, ...rest].map(({ id }) => id)).toEqual(['ses_4', 'ses_3', 'ses_2', 'ses_1', 'ses_0']);
      expect((await store.listSessions('acme', { status: 'active', agent: 'other' }, { after: null, limit: 9 })).map(({ id }) => id)).toEqual(['ses_4']);
      expect(await store.listSessions('globex', {}, { after: null, limit: 9 })).toEqual([]);
      bench.clock.now = start + hour;
      expect(await store.listSessions('acme', { status: 'active' }, { after: null, limit: 9 })).toEqual([]);
    });
  });

  describe('lineages', () => {
    const shared = { sharedMemoryWindow: day };

    it('are each session its own when the agent forgets', async () => {
      const first = await open(bench.store);
      expect((await open(bench.store, { id: 'ses_2' })).lineage).not.toBe(first.lineage);
    });

    it('are one for sessions of a remembering agent that overlap or ended within the window', async () => {
      const first = await open(bench.store, shared);
      const beside = await open(bench.store, { ...shared, id: 'beside' });
      const soon = await open(bench.store, { ...shared, id: 'soon', openedAt: start + hour + day - 1, expiresAt: start + 2 * day });
      expect([beside.lineage, soon.lineage]).toEqual([first.lineage, first.lineage]);
      const stranger = await open(bench.store, { ...shared, id: 'stranger', agent: 'other' });
      expect(stranger.lineage).not.toBe(first.lineage);
    });

    it('are forgotten once the window has passed', async () => {
      const first = await open(bench.store, shared);
      await bench.store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 10, body('session.ended'));
      const later = await open(bench.store, { ...shared, id: 'later', openedAt: start + 10 + day, expiresAt: start + 2 * day });
      expect(later.lineage).not.toBe(first.lineage);
    });

    it('are joined when a session meets several: labels united, under a version none of them had', async () => {
      const { store } = bench;
      await open(store, { id: 'a' });
      await open(store, { id: 'b' });
      const claimed = await take(store, { session: 'b', dispatch: 'dsp_b' });
      if (!claimed.claimed) throw new Error('not claimed');
      await store.settle({
        tenant: 'acme',
        session: 'b',
        dispatch: 'dsp_b',
        fence: claimed.fence,
        outcome: 'completed',
        label: external,
        approvalOutcome: null,
        at: start + 2,
        record: body('call.completed'),
      });
      const met = await open(store, { ...shared, id: 'c' });
      const views = await Promise.all(['a', 'b', 'c'].map((id) => store.readSession('acme', id)));
      expect(views.map((view) => view?.session.lineage)).toEqual([met.lineage, met.lineage, met.lineage]);
      expect(views.map((view) => view?.label)).toEqual([external, external, external]);
      expect(views[0]?.labelVersion).toBeGreaterThan(1);
    });

    it('of a child whose agent remembers join its parent with what that agent did before', async () => {
      const parent = await open(bench.store);
      const before = await open(bench.store, { id: 'before', agent: 'helper' });
      expect(before.lineage).not.toBe(parent.lineage);
      const child = await open(bench.store, { ...shared, id: 'child', parent: 'ses_1', agent: 'helper' });
      const views = await Promise.all(['ses_1', 'before', 'child'].map((id) => bench.store.readSession('acme', id)));
      expect(new Set(views.map((view) => view?.session.lineage))).toEqual(new Set([child.lineage]));
    });
  });
}
