import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewStanding, StandingVote } from '../../server/store/standing-approvals.ts';
import { body, claimRequest, hour, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export const newStanding = (more: Partial<NewStanding> = {}): NewStanding => ({
  ...{ id: 'sta_1', tenant: 'acme', kind: 'standing', requirement: 'approval:finance:2', tool: 'ledger__post_payment', useCase: 'match-invoices' },
  ...{
    session: null,
    digest: 's'.repeat(64),
    sealed: new Uint8Array([1]),
    author: 'local#dana',
    createdAt: start,
    expiresAt: start + hour,
    endsAt: start + 9 * hour,
  },
  ...more,
});
export const standingVote = (name: string, decision: StandingVote['decision'] = 'approve'): StandingVote => ({
  person: `local#${name}`,
  name,
  decision,
  reason: 'as agreed',
  at: start + 1,
});
const full = (name: string, more = {}) => ({ ...standingVote(name), tenant: 'acme', standing: 'sta_1', digest: 's'.repeat(64), revision: 1, ...more });

export function standingRules(bench: Bench): void {
  const given = async (more: Partial<NewStanding> = {}): Promise<void> => {
    await bench.store.proposeStanding(newStanding(more), 1, null);
    for (const name of ['bob', 'carl']) await bench.store.voteStanding(full(name, { standing: more.id ?? 'sta_1' }));
  };
  /** Claims at once, from two processes, each drawing one call and an amount. */
  const drain = async (caps: { calls: number; total: number }, amounts: readonly number[], id = 'sta_1'): Promise<number[]> => {
    const other = await bench.another();
    const claims = await Promise.all(
      amounts.map(async (amount, i) => {
        const draws = [
          { scope: `standing/${id}`, key: 'calls', amount: 1, limit: caps.calls },
          { scope: `standing/${id}`, key: 'amount', amount, limit: caps.total },
        ];
        const { answer, durable } = await (i % 2 ? bench.store : other).claim(claimRequest({ standing: [{ id, digest: 's'.repeat(64) }], draws }));
        await durable;
        return answer.claimed ? amount : null;
      }),
    );
    return claims.filter((one) => one !== null);
  };

  describe('a standing approval', () => {
    it('is given by as many distinct people as it stands for, once', async () => {
      const { store } = bench;
      await open(store);
      expect(await store.proposeStanding(newStanding(), 2, null)).toEqual({ done: false, why: 'revision' });
      expect(await store.proposeStanding(newStanding(), 1, null)).toMatchObject({ done: true, standing: { status: 'pending', votes: [] } });
      expect(await store.voteStanding(full('bob', { digest: 'x'.repeat(64) }))).toEqual({ done: false, why: 'digest' });
      expect(await store.voteStanding(full('bob', { tenant: 'globex' }))).toEqual({ done: false, why: 'not_found' });
      expect(await store.voteStanding(full('bob', { revision: 2 }))).toEqual({ done: false, why: 'revision' });
      expect(await store.voteStanding(full('bob', { at: start + hour }))).toEqual({ done: false, why: 'not_pending' });
      const other = await bench.another();
      const votes = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other).voteStanding(full(`p${i % 6}`))));
      expect(votes.filter((one) => one.done)).toHaveLength(2);
      expect(await store.readStanding('acme', 'sta_1')).toMatchObject({ status: 'active', expiresAt: start + 9 * hour });
      expect((await typesOf(store, 'acme')).filter((type) => type === 'standing.given')).toHaveLength(1);
    });

    it('is no more after one of its group refuses it', async () => {
      await open(bench.store);
      await bench.store.proposeStanding(newStanding(), 1, null);
      await bench.store.voteStanding(full('bob', { decision: 'deny' }));
      expect(await bench.store.voteStanding(full('carl'))).toEqual({ done: false, why: 'not_pending' });
      expect(await bench.store.standingFor('acme', 'ledger__post_payment', 'ses_1', start + 2)).toEqual([]);
    });

    it('is never drawn from beyond its count or its total, by however many at once', async () => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      await given();
      const taken = await drain({ calls: 5, total: 100 }, Array(40).fill(7));
      expect(taken).toHaveLength(5);
      const [found] = await bench.store.standingFor('acme', 'ledger__post_payment', 'ses_1', start + 2);
      expect(found?.used).toEqual({ 'standing/sta_1 calls': 5, 'standing/sta_1 amount': 35 });
    });

    it('holds count and total for any amounts in any order', async () => {
      await open(bench.store, { expiresAt: start + 9 * hour });
      let made = 0;
      const amount = fc.integer({ min: 0, max: 60 });
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 100 }),
          fc.array(amount, { minLength: 1, maxLength: 10 }),
          async (calls, total, amounts) => {
            made += 1;
            const id = `sta_${made}`;
            await given({ id });
            const taken = await drain({ calls, total }, amounts, id);
            expect(taken.length).toBeLessThanOrEqual(calls);
            expect(taken.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(total);
          },
        ),
        { numRuns: 8 },
      );
    });

    it('takes nothing with a claim that is refused, and refuses one after it ended', async () => {
      const { store } = bench;
      await open(store, { expiresAt: start + 9 * hour });
      await given();
      const draws = [{ scope: 'standing/sta_1', key: 'calls', amount: 1, limit: 5 }];
      const claim = async (more: object) => (await store.claim(claimRequest({ standing: [{ id: 'sta_1', digest: 's'.repeat(64) }], draws, ...more }))).answer;
      expect(await claim({ standing: [{ id: 'sta_1', digest: 'x'.repeat(64) }] })).toEqual({ claimed: false, why: 'standing' });
      expect(await claim({ draws: [...draws, { scope: 'session/ses_1', key: 'calls', amount: 1, limit: 0 }] })).toMatchObject({
        claimed: false,
        why: 'budget',
      });
      expect((await store.standingFor('acme', 'ledger__post_payment', 'ses_1', start))[0]?.used).toEqual({});
      expect(await claim({ at: start + 9 * hour - 1 })).toMatchObject({ claimed: true });
      expect(await store.revokeStanding('acme', 'sta_1', start + 2, body('standing.revoked'))).toBe(true);
      expect(await store.revokeStanding('acme', 'sta_1', start + 3, body('standing.revoked'))).toBe(false);
      expect(await claim({})).toEqual({ claimed: false, why: 'standing' });
    });

    it('ends with its last moment, is forgotten by the sweep, and a remembered answer is found in its session alone', async () => {
      const { store } = bench;
      await open(store, { expiresAt: start + 9 * hour });
      await open(store, { id: 'ses_2' });
      await given();
      const remembered = newStanding({
        id: 'sta_r',
        kind: 'remembered',
        requirement: 'approval:finance',
        session: 'ses_1',
        expiresAt: start + hour,
        endsAt: start + hour,
        digest: 'r'.repeat(64),
      });
      expect(await store.proposeStanding(remembered, 1, standingVote('bob'))).toMatchObject({ done: true, standing: { status: 'active' } });
      const ids = async (session: string, at: number) => (await store.standingFor('acme', 'ledger__post_payment', session, at)).map(({ row }) => row.id).sort();
      expect(await ids('ses_1', start + 2)).toEqual(['sta_1', 'sta_r']);
      expect(await ids('ses_2', start + 2)).toEqual(['sta_1']);
      expect(await ids('ses_1', start + 9 * hour)).toEqual([]);
      await store.sweep(start + 9 * hour);
      expect(await store.readStanding('acme', 'sta_1')).toMatchObject({ status: 'expired', sealed: new Uint8Array() });
      expect((await typesOf(store, 'acme')).filter((type) => type === 'standing.expired')).toHaveLength(2);
    });

    it('to remember the same is to say it together', async () => {
      const { store } = bench;
      await open(store);
      const say = (id: string, name: string) => store.proposeStanding(newStanding({ id, kind: 'remembered', session: 'ses_1' }), 1, standingVote(name));
      expect(await say('sta_a', 'bob')).toMatchObject({ done: true, standing: { id: 'sta_a', status: 'pending' } });
      expect(await say('sta_b', 'bob')).toEqual({ done: false, why: 'already_voted' });
      expect(await say('sta_c', 'carl')).toMatchObject({ done: true, standing: { id: 'sta_a', status: 'active' } });
      expect(await store.listStanding('acme', {}, { after: null, limit: 10 })).toHaveLength(1);
      expect(await store.listStanding('globex', {}, { after: null, limit: 10 })).toEqual([]);
    });
  });
}
