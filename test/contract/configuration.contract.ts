import { describe, expect, it } from 'vitest';
import type { StoredDocument } from '../../server/store/index.ts';
import { applyTenant, body, channel, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const platform: StoredDocument = {
  kind: 'Platform',
  name: 'platform',
  body: { apiVersion: 'taskgate/v1', kind: 'Platform', operators: [], tenants: {}, commands: {} },
  source: '/etc/platform.yaml',
};
const next = (tenant: string) => ({ tenant, documents: [], policies: [{ file: 'a.cedar', text: 'permit', cases: null }], pins: [], useCases: [] });

export function configurationRules(bench: Bench): void {
  describe('configuration', () => {
    it('is answered as it was applied, with its revision', async () => {
      const { store } = bench;
      const applied = await store.applyConfiguration({ platform, tenants: [{ expectedRevision: 1, next: next('acme'), records: [] }] });
      expect(applied).toEqual({ applied: true, revisions: { acme: 2 }, waiting: [] });
      expect(await store.readConfiguration('acme')).toEqual({ ...next('acme'), revision: 2 });
      expect(await store.readPlatform()).toEqual(platform);
      expect(await store.readRevision('acme')).toBe(2);
      expect(await store.listTenants()).toEqual([
        { tenant: 'acme', revision: 2 },
        { tenant: 'globex', revision: 1 },
      ]);
    });

    it('is all or nothing: one tenant that moved takes everything back, records too', async () => {
      const { store } = bench;
      const records = [body('configuration.applied')];
      const answer = await store.applyConfiguration({
        platform,
        tenants: [
          { expectedRevision: 1, next: next('acme'), records },
          { expectedRevision: 7, next: next('globex'), records },
        ],
        platformRecords: records,
      });
      expect(answer).toEqual({ applied: false, moved: 'globex', why: 'revision' });
      expect(await store.readRevision('acme')).toBe(1);
      expect(await store.readPlatform()).toBeNull();
      expect(await typesOf(store, 'acme')).toEqual(['configuration.applied']);
      expect(await typesOf(store, null)).toEqual([]);
    });

    it('keeps the tools that are held and tells of them with it, or does neither', async () => {
      const { store } = bench;
      await applyTenant(store, 'acme', 1, [channel('on-call')]);
      const held = [{ upstream: 'ledger', tool: 'pay', change: 'changed', pinned: 'a', seen: 'b', at: start }] as const;
      const quarantine = (expectedRevision: number) => ({
        expectedRevision,
        next: { ...next('acme'), documents: [channel('on-call')], quarantine: held, offered: { ledger: ['pay'] } },
        records: [body('tools.quarantined')],
        events: [{ type: 'change.quarantined', at: start, about: 'ledger', facts: { upstream: 'ledger' } } as const],
      });
      expect(await store.applyConfiguration({ platform: null, tenants: [quarantine(1)] })).toMatchObject({ applied: false });
      expect(await store.listDeliveries('acme', {}, { after: null, limit: 10 })).toEqual([]);
      await store.applyConfiguration({ platform: null, tenants: [quarantine(2)] });
      expect(await store.readConfiguration('acme')).toMatchObject({ quarantine: held, offered: { ledger: ['pay'] } });
      expect(await store.listDeliveries('acme', {}, { after: null, limit: 10 })).toMatchObject([{ type: 'change.quarantined', channel: 'on-call' }]);
    });

    it('lets one of two changes made from the same revision through', async () => {
      const other = await bench.another();
      const change = { platform: null, tenants: [{ expectedRevision: 1, next: next('acme'), records: [] }] };
      const answers = await Promise.all([bench.store.applyConfiguration(change), other.applyConfiguration(change)]);
      expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
    });

    it('knows no tenant that was never applied', async () => {
      expect(await bench.store.readConfiguration('initech')).toBeNull();
      expect(await bench.store.readRevision('initech')).toBeNull();
      await applyTenant(bench.store, 'initech');
      expect(await bench.store.readRevision('initech')).toBe(1);
    });
  });

  describe('secrets, tokens and what is used once', () => {
    it('numbers the versions of a secret and lists no value', async () => {
      const { store } = bench;
      for (const byte of [1, 2]) await store.putSecret('acme', 'ledger-key', new Uint8Array([byte]), start + byte, body('credential.set'));
      expect(await store.readSecret('acme', 'ledger-key')).toEqual({ sealed: new Uint8Array([2]), version: 2 });
      expect(await store.listSecrets('acme')).toEqual([{ name: 'ledger-key', version: 2, updatedAt: start + 2 }]);
      expect(await store.readSecret('globex', 'ledger-key')).toBeNull();
    });

    it('revokes a token once, and only for its own tenant', async () => {
      const { store } = bench;
      const token = { hash: 'h', tenant: 'acme', agent: 'matcher', createdBy: 'local#dana', expiresAt: start + 1, revoked: false };
      await store.putAgentToken(token, body('agent.token_created'));
      expect(await store.readAgentToken('h')).toEqual(token);
      expect(await store.revokeAgentToken('globex', 'h', body('agent.token_revoked'))).toBe(false);
      expect(await store.revokeAgentToken('acme', 'h', body('agent.token_revoked'))).toBe(true);
      expect(await store.revokeAgentToken('acme', 'h', body('agent.token_revoked'))).toBe(false);
      expect(await store.readAgentToken('h')).toEqual({ ...token, revoked: true });
      expect(await typesOf(store, 'globex')).toEqual(['configuration.applied']);
    });

    it('is true for one of fifty that use a key at once, and again only after it expired', async () => {
      const other = await bench.another();
      const uses = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? bench.store : other).useOnce('jti', 'a', start + 10, start)));
      expect(uses.filter(Boolean)).toHaveLength(1);
      expect(await bench.store.useOnce('other', 'a', start + 10, start)).toBe(true);
      expect(await bench.store.useOnce('jti', 'a', start + 20, start + 9)).toBe(false);
      expect(await bench.store.useOnce('jti', 'a', start + 20, start + 10)).toBe(true);
    });

    it('remembers what an admin said of an agent', async () => {
      const { store } = bench;
      expect(await store.readAgentStatus('acme', 'matcher')).toBe('active');
      await store.setAgentStatus('acme', 'matcher', 'suspended', body('agent.suspended'));
      expect(await store.readAgentStatus('acme', 'matcher')).toBe('suspended');
      expect(await store.readAgentStatus('globex', 'matcher')).toBe('active');
    });
  });
}
