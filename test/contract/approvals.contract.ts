import { describe, expect, it } from 'vitest';
import { applyTenant, approve, ask, body, hour, limits, newApproval, newVote, open, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function approvalRules(bench: Bench): void {
  describe('an approval', () => {
    const tryAsk = (more: Parameters<typeof newApproval>[0], at = limits) => bench.store.openApproval(newApproval(more), at, body('approval.requested'));

    it('is opened once for a call key, however often it is asked for at once', async () => {
      const { store } = bench;
      await open(store);
      const other = await bench.another();
      const asked = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).openApproval(newApproval({ id: `apr_${i}` }), limits, body('approval.requested'))),
      );
      const ids = asked.map((answer) => ('refused' in answer ? answer.refused : answer.approval.id));
      expect(new Set(ids).size).toBe(1);
      expect(asked.filter((answer) => 'created' in answer && answer.created)).toHaveLength(1);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'approval.requested')).toHaveLength(1);
    });

    it('is answered as it was asked', async () => {
      await open(bench.store);
      const asked = {
        ...newApproval(),
        status: 'pending',
        votes: [],
        decidedAt: null,
        dispatch: null,
        outcome: null,
        sealedOutcome: null,
        editedFrom: null,
        supersededBy: null,
        rung: null,
      };
      expect(await ask(bench.store)).toEqual(asked);
      expect(await bench.store.readApproval('acme', 'apr_1')).toEqual(asked);
      expect(await bench.store.findApproval('acme', 'k'.repeat(64), start)).toEqual(asked);
      expect(await bench.store.readApproval('globex', 'apr_1')).toBeNull();
      expect(await bench.store.findApproval('globex', 'k'.repeat(64), start)).toBeNull();
    });

    it.each(['cancelled', 'superseded', 'revoked'] as const)('that was %s makes way for a new one; a second closing finds nothing', async (status) => {
      const { store } = bench;
      await open(store);
      await approve(store);
      expect(await store.closeApproval('globex', 'apr_1', status, start + 3, body(`approval.${status}`))).toBe(false);
      expect(await store.closeApproval('acme', 'apr_1', status, start + 3, body(`approval.${status}`))).toBe(true);
      expect(await store.closeApproval('acme', 'apr_1', 'cancelled', start + 4, body('approval.cancelled'))).toBe(false);
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status });
      expect(await take(store, { approval: { id: 'apr_1', digest: 'p'.repeat(64) } })).toMatchObject({ why: 'approval' });
      expect(await ask(store, { id: 'apr_2' })).toMatchObject({ id: 'apr_2', status: 'pending' });
    });

    it('once denied or used answers the same call until it expires, then makes way', async () => {
      const { store } = bench;
      await open(store, { expiresAt: start + 9 * hour });
      await ask(store);
      await store.castVote(newVote('bob', { decision: 'deny', reason: 'not ours' }));
      expect(await ask(store, { id: 'apr_2' })).toMatchObject({ id: 'apr_1', status: 'denied' });
      expect(await ask(store, { id: 'apr_2', createdAt: start + hour, expiresAt: start + 2 * hour })).toMatchObject({ id: 'apr_2' });
    });

    it('is limited to so many pending in a session and for an agent', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'ses_2' });
      for (const [i, session] of ['ses_1', 'ses_1', 'ses_2'].entries()) await ask(store, { id: `apr_${i}`, callKey: `key ${i}`, session });
      const few = { session: 2, agent: 9, tenant: 100 };
      expect(await tryAsk({ id: 'new', callKey: 'new' }, few)).toEqual({ refused: 'too_many_pending' });
      expect(await tryAsk({ id: 'new', callKey: 'new', session: 'ses_2' }, few)).toMatchObject({ created: true });
      expect(await tryAsk({ id: 'newer', callKey: 'newer', session: 'ses_2' }, { session: 9, agent: 4, tenant: 100 })).toEqual({ refused: 'too_many_pending' });
      expect(await tryAsk({ id: 'again', callKey: 'key 0' }, few)).toMatchObject({ created: false });
      await store.closeApproval('acme', 'apr_0', 'cancelled', start, body('approval.cancelled'));
      expect(await tryAsk({ id: 'room', callKey: 'room' }, few)).toMatchObject({ created: true });
    });

    it('is not opened for a session that is not live', async () => {
      await open(bench.store);
      await open(bench.store, { id: 'child', parent: 'ses_1', expiresAt: start + 9 * hour });
      expect(await tryAsk({ session: 'nobody' })).toEqual({ refused: 'session_not_live' });
      expect(await tryAsk({ tenant: 'globex' })).toEqual({ refused: 'session_not_live' });
      expect(await tryAsk({ session: 'child', createdAt: start + hour })).toEqual({ refused: 'session_not_live' });
    });

    it('is edited once: of two edits and the last vote at once one wins, and the call key leads to what won', async () => {
      const { store } = bench;
      await open(store);
      await ask(store, { requirements: ['approval:finance'] });
      const other = await bench.another();
      const original = { tenant: 'acme', id: 'apr_1', digest: 'p'.repeat(64) };
      const edit = (id: string, more = {}) => ({
        ...{ original, edited: newApproval({ id, digest: id.padEnd(64, '0'), requirements: ['approval:finance'] }) },
        ...{ revision: 1, actor: 'local#carl', reason: 'half of it', at: start + 1, ...more },
      });
      expect(await store.editApproval(edit('apr_old', { revision: 2 }))).toEqual({ edited: false, why: 'revision' });
      expect(await store.editApproval(edit('apr_else', { original: { ...original, tenant: 'globex' } }))).toEqual({ edited: false, why: 'not_pending' });
      expect(await store.editApproval(edit('apr_else', { original: { ...original, digest: 'q'.repeat(64) } }))).toEqual({ edited: false, why: 'not_pending' });
      const [one, two, voted] = await Promise.all([
        store.editApproval(edit('apr_2')),
        other.editApproval(edit('apr_3')),
        store.castVote(newVote('bob', { requirement: 'approval:finance' })),
      ]);
      expect([one.edited, two.edited, voted.voted].filter(Boolean)).toHaveLength(1);
      const found = await store.findApproval('acme', 'k'.repeat(64), start + 2);
      const before = await store.readApproval('acme', 'apr_1');
      if (voted.voted) expect(found).toMatchObject({ id: 'apr_1', status: 'approved' });
      else expect([found, before]).toMatchObject([{ id: before?.supersededBy, editedFrom: 'apr_1', status: 'pending' }, { status: 'superseded' }]);
      const types = await typesOf(store, 'acme');
      expect(types.filter((type) => type === 'approval.edited' || type === 'approval.approved')).toHaveLength(1);
    });

    it('of fifty deciders at once is decided by one', async () => {
      const { store } = bench;
      await open(store);
      await ask(store, { requirements: ['approval:finance'] });
      const other = await bench.another();
      const votes = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? store : other).castVote(newVote(`p${i}`, { requirement: 'approval:finance', decision: i % 3 ? 'approve' : 'deny', reason: 'because' })),
        ),
      );
      expect(votes.filter(({ voted }) => voted)).toHaveLength(1);
      expect(votes.find(({ voted }) => !voted)).toMatchObject({ why: 'not_pending' });
      const types = await typesOf(store, 'acme');
      expect(types.filter((type) => type === 'approval.voted')).toHaveLength(1);
      expect(types.filter((type) => type === 'approval.approved' || type === 'approval.denied')).toHaveLength(1);
    });

    it('needs as many distinct people as it says, and records on whose votes it rests', async () => {
      const { store } = bench;
      await open(store);
      await ask(store);
      expect(await store.castVote(newVote('bob'))).toMatchObject({ voted: true, approval: { status: 'pending', decidedAt: null } });
      expect(await store.castVote(newVote('bob'))).toMatchObject({ voted: false, why: 'already_voted' });
      expect(await store.castVote(newVote('carl'))).toMatchObject({ voted: true, approval: { status: 'approved', decidedAt: start + 1 } });
      const last = (await store.readRecords('acme', 0, 100)).at(-1)?.body;
      expect(last).toMatchObject({
        type: 'approval.approved',
        satisfied: [{ literal: 'approval:finance:2', source: 'votes', persons: ['local#bob', 'local#carl'] }],
      });
      expect((await store.readApproval('acme', 'apr_1'))?.votes.map(({ name }) => name)).toEqual(['bob', 'carl']);
    });

    it.each([
      ['an unknown approval', { approval: 'nothing' }, 'not_found'],
      ['an approval of another tenant', { tenant: 'globex' }, 'not_found'],
      ['another proposal', { digest: 'q'.repeat(64) }, 'digest'],
      ['a configuration that moved on', { revision: 2 }, 'revision'],
      ['an expired approval', { at: start + hour }, 'not_pending'],
      ['a person of its own chain', { person: 'local#ana' }, 'excluded'],
    ])('takes no vote for %s', async (_, more, why) => {
      const { store } = bench;
      await open(store);
      await ask(store);
      const before = await typesOf(store, 'acme');
      expect(await store.castVote(newVote('bob', more))).toMatchObject({ voted: false, why });
      expect(await typesOf(store, 'acme')).toEqual(before);
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'pending', votes: [] });
    });

    it('takes no vote for a requirement it does not have', async () => {
      await open(bench.store);
      await ask(bench.store);
      await expect(bench.store.castVote(newVote('bob', { requirement: 'approval:legal' }))).rejects.toThrow(/requirement/);
    });

    it('can be confirmed by the sponsor whom it excludes from approving', async () => {
      await open(bench.store);
      await ask(bench.store, { requirements: ['confirm:sponsor'] });
      expect(await bench.store.castVote(newVote('ana', { requirement: 'confirm:sponsor' }))).toMatchObject({ voted: true, approval: { status: 'approved' } });
    });

    it('under a vote that races an apply is decided under the configuration the role was read in, or not at all', async () => {
      const { store } = bench;
      await open(store);
      await ask(store, { requirements: ['approval:finance'] });
      const [vote] = await Promise.all([store.castVote(newVote('bob', { requirement: 'approval:finance' })), applyTenant(store, 'acme', 1)]);
      const types = await typesOf(store, 'acme');
      expect(vote.voted).toBe(
        types.lastIndexOf('approval.approved') !== -1 && types.lastIndexOf('approval.approved') < types.lastIndexOf('configuration.applied'),
      );
    });

    it('is listed youngest first, page by page, open ones only until they expire', async () => {
      const { store } = bench;
      await open(store);
      for (let i = 0; i < 4; i++) await ask(store, { id: `apr_${i}`, callKey: `key ${i}`, createdAt: start + i });
      const first = await store.listApprovals('acme', { status: 'pending' }, { after: null, limit: 3 });
      const rest = await store.listApprovals('acme', { status: 'pending', session: 'ses_1' }, { after: first.at(-1)?.id ?? null, limit: 3 });
      expect([...first, ...rest].map(({ id }) => id)).toEqual(['apr_3', 'apr_2', 'apr_1', 'apr_0']);
      expect(await store.listApprovals('globex', {}, { after: null, limit: 9 })).toEqual([]);
      bench.clock.now = start + hour;
      expect(await store.listApprovals('acme', { status: 'pending' }, { after: null, limit: 9 })).toEqual([]);
      expect(await store.listApprovals('acme', {}, { after: null, limit: 9 })).toHaveLength(4);
    });
  });
}
