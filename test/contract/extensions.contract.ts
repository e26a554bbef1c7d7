import { describe, expect, it } from 'vitest';
import type { Extension } from '../../server/store/index.ts';
import { applyTenant, approve, body, hour, open, start } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function extensionRules(bench: Bench): void {
  describe('an extension', () => {
    const prepare = async (): Promise<Extension> => {
      const session = await open(bench.store);
      const approval = await approve(bench.store, { tool: 'request_access' });
      const { expiresAt, budget, grants } = session;
      return {
        ...{ tenant: 'acme', session: session.id, approval, before: { expiresAt, budget, grants }, revision: 1, labelVersion: 0, at: start + 5 },
        next: { expiresAt: expiresAt + hour, budget: { ...budget, calls: 300 }, grants: [...grants, { ...grants[0]!, tool: 'mail__search' }] },
        record: body('session.extended', { session: session.id }),
      };
    };
    const rowOf = async () => (await bench.store.readSession('acme', 'ses_1'))!.session;

    it('changes the session and uses its approval up, together and once, with its record', async () => {
      const extension = await prepare();
      const other = await bench.another();
      const told = await Promise.all([0, 1, 2, 3].map((at) => (at % 2 ? other : bench.store).extendSession(extension)));
      expect(told.filter(Boolean)).toHaveLength(1);
      expect(await rowOf()).toMatchObject(extension.next);
      expect(await bench.store.readApproval('acme', extension.approval.id)).toMatchObject({ status: 'used', outcome: 'completed', dispatch: null });
      const records = await bench.store.readRecords('acme', 0, 100);
      expect(records.filter((one) => one.body.type === 'session.extended')).toHaveLength(1);
    });

    it.each([
      ['of another approval', (one: Extension) => ({ ...one, approval: { ...one.approval, digest: 'x'.repeat(64) } })],
      ['of another session', (one: Extension) => ({ ...one, session: 'ses_none' })],
      ['of another tenant', (one: Extension) => ({ ...one, tenant: 'globex' })],
      ['under a configuration that moved', (one: Extension) => ({ ...one, revision: 2 })],
      ['under labels that rose', (one: Extension) => ({ ...one, labelVersion: 1 })],
      ['of a session that changed meanwhile', (one: Extension) => ({ ...one, before: { ...one.before, expiresAt: one.before.expiresAt + 1 } })],
      ['past the end', (one: Extension) => ({ ...one, at: start + hour })],
    ])('%s changes nothing and leaves the approval as it was', async (_, bend) => {
      const extension = await prepare();
      expect(await bench.store.extendSession(bend(extension))).toBe(false);
      expect(await rowOf()).toMatchObject(extension.before);
      expect(await bench.store.readApproval('acme', extension.approval.id)).toMatchObject({ status: 'approved' });
    });

    it('of a session that ended, or whose configuration moved, changes nothing', async () => {
      const extension = await prepare();
      await applyTenant(bench.store, 'acme', 1);
      expect(await bench.store.extendSession(extension)).toBe(false);
      await bench.store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 6, body('session.ended'));
      expect(await bench.store.extendSession({ ...extension, revision: 2, at: start + 7 })).toBe(false);
    });
  });
}
