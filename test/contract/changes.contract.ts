import { describe, expect, it } from 'vitest';
import type { ChangeApproval, NewChange, Store } from '../../server/store/index.ts';
import { body, hour, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function newChange(more: Partial<NewChange> = {}): NewChange {
  const id = more.id ?? 'chg_1';
  return {
    tenant: 'acme',
    id,
    author: 'local#dana',
    reason: null,
    needs: 'admin',
    content: `content of ${id}`,
    digest: `digest of ${id}`,
    revision: 1,
    items: [{ tenant: 'acme', kind: 'Agent', name: 'matcher', change: 'changed', effect: 'widens', differences: ['more'], sha256: 'a'.repeat(64) }],
    touches: ['agent:matcher'],
    adds: { 'local#eve': ['group:finance'] },
    payload: new Uint8Array([1, 2, 3]),
    createdAt: start,
    expiresAt: start + hour,
    record: body('change.requested', { change: id }),
    ...more,
  };
}
export const approvalOf = (more: Partial<ChangeApproval> = {}): ChangeApproval => ({
  ...{ tenant: 'acme', id: 'chg_1', digest: 'digest of chg_1', revision: 1, by: 'local#emma', reason: null, at: start + 1 },
  record: body('change.approved', { change: 'chg_1' }),
  ...more,
});

async function request(store: Store, more: Partial<NewChange> = {}) {
  const answer = await store.requestChange(newChange(more));
  if ('refused' in answer) throw new Error(answer.refused);
  return answer;
}
const suspended = (store: Store) => store.setAgentStatus('acme', 'matcher', 'suspended', body('agent.suspended'));
const activate = (store: Store, approval: ChangeApproval) => store.setAgentStatus('acme', 'matcher', 'active', body('agent.activated'), approval);

export function changeRules(bench: Bench): void {
  describe('changes', () => {
    it('are kept as they were asked for, once for the same author and content', async () => {
      const { store } = bench;
      const { record: _, ...kept } = newChange();
      const { change, created } = await request(store);
      expect(created).toBe(true);
      expect(change).toEqual({ ...kept, status: 'pending', decidedAt: null, decidedBy: null, decisionReason: null });
      expect(await store.readChange('acme', 'chg_1')).toEqual(change);
      expect(await request(store, { id: 'chg_2', content: 'content of chg_1' })).toEqual({ change, created: false });
      expect((await request(store, { id: 'chg_3', content: 'content of chg_1', author: 'local#emma' })).created).toBe(true);
      expect((await store.listChanges('acme', { status: 'pending' }, { after: null, limit: 10 })).map(({ id }) => id)).toEqual(['chg_3', 'chg_1']);
      expect(await store.readChange('globex', 'chg_1')).toBeNull();
      expect(await store.listChanges('globex', {}, { after: null, limit: 10 })).toEqual([]);
      expect((await typesOf(store, 'acme')).slice(1)).toEqual(['change.requested', 'change.requested']);
    });

    it('planned on another revision are refused; asked for again on the next one, the older is superseded', async () => {
      const { store } = bench;
      expect(await store.requestChange(newChange({ revision: 2 }))).toEqual({ refused: 'stale' });
      await request(store);
      const next = { tenant: 'acme', documents: [], policies: [], pins: [], useCases: [] };
      const again = newChange({ id: 'chg_2', content: 'content of chg_1', revision: 2 });
      const applied = await store.applyConfiguration({ platform: null, tenants: [{ expectedRevision: 1, next, records: [] }], requests: [again] });
      expect(applied).toMatchObject({ applied: true, waiting: [{ id: 'chg_2', status: 'pending' }] });
      expect(await store.readChange('acme', 'chg_1')).toMatchObject({ status: 'superseded', payload: new Uint8Array() });
    });

    it('of which too many wait already take back the whole apply they came with', async () => {
      const { store } = bench;
      for (let i = 0; i < 100; i++) await request(store, { id: `chg_${i}` });
      expect(await store.requestChange(newChange({ id: 'more' }))).toEqual({ refused: 'too_many' });
      const next = { tenant: 'acme', documents: [], policies: [], pins: [], useCases: [] };
      const requests = [newChange({ id: 'more', revision: 2 })];
      const answer = await store.applyConfiguration({ platform: null, tenants: [{ expectedRevision: 1, next, records: [] }], requests });
      expect(answer).toEqual({ applied: false, moved: 'acme', why: 'too_many' });
      expect(await store.readRevision('acme')).toBe(1);
    });

    it('take effect for one of fifty who approve at once, in the transaction of what they put in force', async () => {
      const { store } = bench;
      const other = await bench.another();
      await suspended(store);
      await request(store);
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => activate(i % 2 ? store : other, approvalOf({ by: `local#admin-${i}` }))));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await store.readAgentStatus('acme', 'matcher')).toBe('active');
      expect((await typesOf(store, 'acme')).filter((type) => type === 'agent.activated' || type === 'change.approved')).toHaveLength(2);
      expect(await store.readChange('acme', 'chg_1')).toMatchObject({ status: 'applied', decidedAt: start + 1, payload: new Uint8Array() });
      const recent = await store.recentChanges('acme', start);
      expect(recent).toMatchObject([{ author: 'local#dana', touches: ['agent:matcher'], adds: { 'local#eve': ['group:finance'] } }]);
      expect(await store.recentChanges('acme', start + 1)).toEqual([]);
    });

    it.each<[string, Partial<ChangeApproval>]>([
      ['another digest', { digest: 'digest of chg_2' }],
      ['a role read at another revision', { revision: 2 }],
      ['after its expiry', { at: start + hour }],
      ['another change', { id: 'chg_2' }],
    ])('put nothing in force by an approval of %s', async (_, wrong) => {
      const { store } = bench;
      await suspended(store);
      await request(store);
      const before = await typesOf(store, 'acme');
      expect(await activate(store, approvalOf(wrong))).toBe(false);
      expect(await store.putSecret('acme', 'key', new Uint8Array([1]), start, body('credential.set'), approvalOf(wrong))).toBe(false);
      const token = { hash: 'h', tenant: 'acme', agent: 'matcher', createdBy: 'local#dana', expiresAt: start + hour, revoked: false };
      expect(await store.putAgentToken(token, body('agent.token_created'), approvalOf(wrong))).toBe(false);
      const next = { tenant: 'acme', documents: [], policies: [], pins: [], useCases: [] };
      const answer = await store.applyConfiguration({ platform: null, tenants: [{ expectedRevision: 1, next, records: [] }], approval: approvalOf(wrong) });
      expect(answer).toEqual({ applied: false, moved: 'acme', why: 'not_pending' });
      expect([await store.readAgentStatus('acme', 'matcher'), await store.readSecret('acme', 'key'), await store.readAgentToken('h')]).toEqual([
        'suspended',
        null,
        null,
      ]);
      expect([await store.readRevision('acme'), await typesOf(store, 'acme')]).toEqual([1, before]);
    });

    it('planned anew answer to their new digest only; once settled, to none', async () => {
      const { store } = bench;
      const { change } = await request(store);
      const next = { digest: 'other', revision: 1, items: [], touches: ['policy'], adds: {} };
      expect(await store.replanChange(change, next, body('change.replanned'))).toBe(true);
      expect(await store.replanChange(change, next, body('change.replanned'))).toBe(false);
      expect(await store.readChange('acme', 'chg_1')).toMatchObject(next);
      const how = { status: 'rejected', by: 'local#emma', reason: 'no', at: start + 2 } as const;
      expect(await store.settleChange(change, how, body('change.rejected'))).toBe(true);
      expect(await store.settleChange(change, how, body('change.rejected'))).toBe(false);
      expect(await store.replanChange({ ...change, digest: 'other' }, next, body('change.replanned'))).toBe(false);
      expect(await activate(store, approvalOf({ digest: 'other' }))).toBe(false);
      expect((await typesOf(store, 'acme')).slice(1)).toEqual(['change.requested', 'change.replanned', 'change.rejected']);
    });

    it('expire with a record and without what they held', async () => {
      const { store } = bench;
      await request(store);
      expect(await store.sweep(start + hour)).toMatchObject({ changes: 1 });
      expect(await store.sweep(start + hour)).toMatchObject({ changes: 0 });
      expect(await store.readChange('acme', 'chg_1')).toMatchObject({ status: 'expired', payload: new Uint8Array() });
      expect((await typesOf(store, 'acme')).at(-1)).toBe('change.expired');
    });
  });
}
