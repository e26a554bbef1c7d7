import { describe, expect, it } from 'vitest';
import type { CodeGrant } from '../../server/store/index.ts';
import { body, hour, newSession, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export const newCode = (over: object = {}) => ({ tenant: 'acme', hash: 'c1', content: '{"to":"what"}', madeAt: start, expiresAt: start + hour, ...over });
export const newGrant = (over: Partial<CodeGrant> = {}): CodeGrant => ({
  code: 'c1',
  refresh: { tenant: 'acme', hash: 'r1', client: 'desk', resource: 'https://broker/t/acme/mcp', madeAt: start },
  ...over,
});
const consented = body('session.consented');

export function authorizationRules(bench: Bench): void {
  const redeem = (id: string, grant = newGrant(), at = start) =>
    bench.store.openSession(newSession({ id, openedAt: at }), at, body('session.opened', { session: id }), grant);

  describe('a code of a sponsor’s consent', () => {
    it('is found by its tenant and hash alone, and forgets what it was for once it opened a session', async () => {
      const { store } = bench;
      await store.putAuthorizationCode(newCode(), consented);
      expect(await store.readAuthorizationCode('acme', 'c1')).toEqual({ ...newCode(), session: null });
      expect(await store.readAuthorizationCode('globex', 'c1')).toBeNull();
      expect(await redeem('ses_1')).toMatchObject({ id: 'ses_1' });
      expect(await store.readAuthorizationCode('acme', 'c1')).toMatchObject({ session: 'ses_1', content: '' });
      expect(await typesOf(store, 'acme')).toEqual(expect.arrayContaining(['session.consented', 'session.opened']));
    });

    it('opens one session, whoever shows it at the same time, and nothing is left of the others', async () => {
      const { store } = bench;
      const other = await bench.another();
      await store.putAuthorizationCode(newCode(), consented);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => {
          const { refresh } = newGrant();
          const session = newSession({ id: `ses_${at}` });
          return (at % 2 ? other : store).openSession(session, start, body('session.opened'), newGrant({ refresh: { ...refresh, hash: `r${at}` } }));
        }),
      );
      expect(answers.filter((answer) => !('refused' in answer))).toHaveLength(1);
      expect(answers.filter((answer) => 'refused' in answer && answer.refused === 'code_used')).toHaveLength(7);
      expect(await store.listSessions('acme', {}, { after: null, limit: 10 })).toHaveLength(1);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'session.opened')).toHaveLength(1);
    });

    it('opens nothing past its end, once it is burnt, or under another tenant', async () => {
      const { store } = bench;
      await store.putAuthorizationCode(newCode(), consented);
      expect(await redeem('ses_1', newGrant(), start + hour)).toEqual({ refused: 'code_used' });
      expect(await store.openSession(newSession({ id: 'ses_2', tenant: 'globex' }), start, body('session.opened', { tenant: 'globex' }), newGrant())).toEqual({
        refused: 'code_used',
      });
      await store.burnAuthorizationCode('acme', 'c1', start + 1);
      expect(await redeem('ses_3', newGrant(), start + 2)).toEqual({ refused: 'code_used' });
    });

    it('from before the store’s epoch is good no more', async () => {
      const { store } = bench;
      await store.putAuthorizationCode(newCode(), consented);
      const { epoch } = await store.readState();
      const recordFor = (tenant: string | null) => ({ type: 'store.restored' as const, at: start + 1, ...(tenant === null ? {} : { tenant }) });
      await store.startEpoch({ found: epoch, next: epoch + 1, at: start + 1, reason: 'restored', recordFor });
      expect(await store.readAuthorizationCode('acme', 'c1')).toBeNull();
    });
  });

  describe('a refresh token', () => {
    it('is used once, whoever shows it at the same time; the next takes its place with all it was bound to', async () => {
      const { store } = bench;
      await store.putAuthorizationCode(newCode(), consented);
      await redeem('ses_1');
      expect(await store.readRefreshToken('acme', 'r1')).toEqual({ ...newGrant().refresh, session: 'ses_1', usedAt: null });
      expect(await store.readRefreshToken('globex', 'r1')).toBeNull();
      const turns = await Promise.all(Array.from({ length: 6 }, (_, at) => store.rotateRefreshToken('acme', 'r1', `next${at}`, start + 5)));
      expect(turns.filter(Boolean)).toHaveLength(1);
      expect(await store.readRefreshToken('acme', 'r1')).toMatchObject({ usedAt: start + 5 });
      const next = `next${turns.indexOf(true)}`;
      expect(await store.readRefreshToken('acme', next)).toEqual({ ...newGrant().refresh, hash: next, session: 'ses_1', madeAt: start + 5, usedAt: null });
      expect(await store.rotateRefreshToken('acme', 'none', 'x', start)).toBe(false);
    });

    it('goes with its session, and a code that opened nothing with its time', async () => {
      const { store, clock } = bench;
      for (const hash of ['c1', 'c2']) await store.putAuthorizationCode(newCode({ hash }), consented);
      await redeem('ses_1');
      await open(store, { id: 'ses_2' });
      clock.now = start + hour / 2;
      await store.sweep(clock.now);
      expect(await store.readRefreshToken('acme', 'r1')).not.toBeNull();
      await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, clock.now, body('session.ended'));
      clock.now = start + 2 * hour;
      await store.sweep(clock.now);
      expect([
        await store.readRefreshToken('acme', 'r1'),
        await store.readAuthorizationCode('acme', 'c1'),
        await store.readAuthorizationCode('acme', 'c2'),
      ]).toEqual([null, null, null]);
    });
  });
}
