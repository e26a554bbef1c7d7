import { describe, expect, it } from 'vitest';
import { ask, body, enrol, hour, newPasskey, newVote, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function passkeyRules(bench: Bench): void {
  const signed = { requirement: 'approval:finance:passkey', passkey: 'pky_1', counter: 1 };
  const askSigned = async () => {
    await open(bench.store);
    return ask(bench.store, { requirements: [signed.requirement] });
  };

  describe('a passkey', () => {
    it('is listed as it was enrolled, with the place of its record, to its tenant alone', async () => {
      const { store } = bench;
      const enrolled = await enrol(store);
      expect(enrolled).toEqual({ ...newPasskey(), record: enrolled.record, removedAt: null });
      expect((await store.readRecords('acme', enrolled.record, 1))[0]?.body).toMatchObject({ type: 'passkey.enrolled', passkey: { id: 'pky_1' } });
      await enrol(store, { id: 'pky_2', credential: 'other', person: 'local#carl', enrolledAt: start + 1 });
      expect((await store.listPasskeys('acme', null)).map(({ id }) => id)).toEqual(['pky_1', 'pky_2']);
      expect(await store.listPasskeys('acme', 'local#bob')).toEqual([enrolled]);
      expect(await store.listPasskeys('globex', null)).toEqual([]);
    });

    it('is enrolled once in a tenant, be it removed, and a person has only so many', async () => {
      const { store } = bench;
      const tryEnrol = (more: Parameters<typeof newPasskey>[0], most = 10) =>
        store.enrolPasskey(newPasskey({ id: 'new', ...more }), most, body('passkey.enrolled'));
      await enrol(store);
      await enrol(store, { tenant: 'globex' });
      const before = await typesOf(store, 'acme');
      expect(await tryEnrol({})).toEqual({ refused: 'taken' });
      expect(await tryEnrol({ person: 'local#carl' })).toEqual({ refused: 'taken' });
      expect(await tryEnrol({ credential: 'other' }, 1)).toEqual({ refused: 'too_many' });
      expect(await typesOf(store, 'acme')).toEqual(before);
      await store.removePasskey('acme', 'pky_1', start, body('passkey.removed'));
      expect(await tryEnrol({})).toEqual({ refused: 'taken' });
      expect(await tryEnrol({ credential: 'other' }, 1)).toMatchObject({ id: 'new' });
    });

    it('is confirmed once, and removed once, each with its record, by its own tenant', async () => {
      const { store } = bench;
      const how = { by: 'local#dana', effectiveAt: start + hour };
      await enrol(store, { confirmedBy: null, effectiveAt: null });
      expect(await store.confirmPasskey('globex', 'pky_1', how, body('passkey.confirmed'))).toBe(false);
      const both = await Promise.all([store, await bench.another()].map((one) => one.confirmPasskey('acme', 'pky_1', how, body('passkey.confirmed'))));
      expect(both.toSorted()).toEqual([false, true]);
      expect(await store.listPasskeys('acme', null)).toMatchObject([{ confirmedBy: 'local#dana', effectiveAt: start + hour }]);
      expect(await store.removePasskey('globex', 'pky_1', start, body('passkey.removed'))).toBe(false);
      expect(await store.removePasskey('acme', 'pky_1', start + 1, body('passkey.removed'))).toBe(true);
      expect(await store.removePasskey('acme', 'pky_1', start + 2, body('passkey.removed'))).toBe(false);
      expect(await store.listPasskeys('acme', null)).toMatchObject([{ removedAt: start + 1 }]);
      expect((await typesOf(store, 'acme')).filter((type) => type.startsWith('passkey.'))).toEqual([
        'passkey.enrolled',
        'passkey.confirmed',
        'passkey.removed',
      ]);
    });

    it('once removed is confirmed by nobody', async () => {
      await enrol(bench.store, { confirmedBy: null, effectiveAt: null });
      await bench.store.removePasskey('acme', 'pky_1', start, body('passkey.removed'));
      expect(await bench.store.confirmPasskey('acme', 'pky_1', { by: 'local#dana', effectiveAt: start }, body('passkey.confirmed'))).toBe(false);
    });

    it('signs a vote, which then counts where a plain one does not', async () => {
      const { store } = bench;
      await askSigned();
      await enrol(store);
      expect(await store.castVote(newVote('bob', { requirement: signed.requirement }))).toMatchObject({ voted: false, why: 'passkey' });
      expect(await store.castVote(newVote('bob', signed))).toMatchObject({ voted: true, approval: { status: 'approved', votes: [{ passkey: 'pky_1' }] } });
      expect(await store.listPasskeys('acme', null)).toMatchObject([{ counter: 1 }]);
    });

    it.each([
      ['of somebody else', { person: 'local#carl' }, {}],
      ['nobody enrolled', { id: 'pky_other' }, {}],
      ['of another tenant', { tenant: 'globex' }, {}],
      ['that nobody has confirmed', { confirmedBy: null, effectiveAt: null }, {}],
      ['before its time', { effectiveAt: start + 2 }, {}],
      ['that counts what it counted before', { counter: 5 }, { counter: 5 }],
      ['that counts back', { counter: 5 }, { counter: 4 }],
      ['that stops counting', { counter: 5 }, { counter: 0 }],
    ])('%s signs nothing', async (_, key, vote) => {
      const { store } = bench;
      await askSigned();
      await enrol(store, key);
      const before = await typesOf(store, 'acme');
      expect(await store.castVote(newVote('bob', { ...signed, ...vote }))).toMatchObject({ voted: false, why: 'passkey' });
      expect(await typesOf(store, 'acme')).toEqual(before);
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'pending', votes: [] });
    });

    it('signs nothing once removed, and one that never counts signs again and again', async () => {
      const { store } = bench;
      await open(store);
      await enrol(store);
      for (const id of ['apr_1', 'apr_2', 'apr_3']) await ask(store, { id, callKey: id, requirements: [signed.requirement] });
      for (const approval of ['apr_1', 'apr_2'])
        expect(await store.castVote(newVote('bob', { ...signed, approval, counter: 0 }))).toMatchObject({ voted: true });
      await store.removePasskey('acme', 'pky_1', start, body('passkey.removed'));
      expect(await store.castVote(newVote('bob', { ...signed, approval: 'apr_3', counter: 0 }))).toMatchObject({ voted: false, why: 'passkey' });
    });
  });

  describe('a challenge', () => {
    it('that nobody signed in time is forgotten by the sweep', async () => {
      const { store } = bench;
      await store.putChallenge(challenge, start);
      await store.putChallenge({ ...challenge, challenge: 'open', expiresAt: start + 9_000 }, start);
      await store.sweep(start + 2_000);
      // As it was before its end: nothing is left of it.
      expect(await store.takeChallenge('acme', 'c', 'local#bob', start)).toBeNull();
      expect(await store.takeChallenge('acme', 'open', 'local#bob', start)).toMatchObject({ challenge: 'open' });
    });

    const challenge = { tenant: 'acme', challenge: 'c', person: 'local#bob', purpose: 'vote', about: '{"a":1}', expiresAt: start + 1000 };

    it('is given to the first who asks, of many at once, and to its own person and tenant alone', async () => {
      const { store } = bench;
      await store.putChallenge(challenge, start);
      expect(await store.takeChallenge('acme', 'c', 'local#carl', start)).toBeNull();
      expect(await store.takeChallenge('globex', 'c', 'local#bob', start)).toBeNull();
      const other = await bench.another();
      const taken = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).takeChallenge('acme', 'c', 'local#bob', start)));
      expect(taken.filter((one) => one !== null)).toEqual([challenge]);
    });

    it('is gone when it has expired', async () => {
      await bench.store.putChallenge(challenge, start);
      expect(await bench.store.takeChallenge('acme', 'c', 'local#bob', start + 1000)).toBeNull();
      expect(await bench.store.takeChallenge('acme', 'c', 'local#bob', start)).toBeNull();
    });

    it('makes an older one of the same person go, when there are many, and nobody else’s', async () => {
      const { store } = bench;
      await store.putChallenge({ ...challenge, person: 'local#carl', challenge: 'carls' }, start);
      for (let i = 0; i < 25; i++) await store.putChallenge({ ...challenge, challenge: `c${i}`, expiresAt: start + 1000 + i }, start);
      expect(await store.takeChallenge('acme', 'c4', 'local#bob', start)).toBeNull();
      expect(await store.takeChallenge('acme', 'c5', 'local#bob', start)).toMatchObject({ challenge: 'c5' });
      expect(await store.takeChallenge('acme', 'carls', 'local#carl', start)).toMatchObject({ challenge: 'carls' });
    });
  });
}
