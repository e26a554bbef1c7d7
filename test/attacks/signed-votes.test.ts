import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chainRecord, recordsOf, type StoredRecord, verifyChain } from '../../server/audit/index.ts';
import type { ApprovalRow } from '../../server/store/store.ts';
import { acmePeople } from '../approvals/fixture.ts';
import { ana, bob, carl, dana, openPasskeys, type PasskeyBench, reason } from '../approvals/passkey-bench.ts';
import { type Authenticator, createAuthenticator, type Lie } from '../support/authenticator.ts';

let bench: PasskeyBench;
let bobs: { key: Authenticator; id: string };
let carls: { key: Authenticator; id: string };
beforeAll(async () => {
  bench = await openPasskeys();
  bobs = await bench.signer(bob);
  carls = await bench.signer(carl);
});
afterAll(() => bench.close());

const asked = 'approval:finance:passkey';
const ask = async (requirements = [asked]): Promise<ApprovalRow> => bench.ask(await bench.openSession(), requirements);
const voteOn = (row: ApprovalRow, more: object = {}) => ({ decision: 'approve', digest: row.digest, ...more });
const decide = (person: typeof bob, row: ApprovalRow, assertion: object, more: object = {}) =>
  bench.as(person, 'POST', `/approvals/${row.id}/decisions`, { ...voteOn(row, more), reason, assertion });
const untouched = async (row: ApprovalRow): Promise<void> => {
  expect(await bench.ports.store.readApproval('acme', row.id)).toMatchObject({ status: 'pending', votes: [] });
};
const lastRefusal = async (): Promise<StoredRecord['body'] | undefined> =>
  (await bench.ports.store.readRecords('acme', 0, 1000)).findLast(({ body }) => body.code === 'passkey.refused')?.body;

describe('a signature is good for its own vote alone:', () => {
  test('a deny signature does not approve', async () => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row, { decision: 'deny' }));
    expect((await decide(bob, row, bobs.key.sign(options))).json.code).toBe('passkey.refused');
    expect(await lastRefusal()).toMatchObject({ actor: 'local#bob', approval: row.id, detail: 'it signs the opposite decision' });
    await untouched(row);
  });

  test('one for another approval does not, of the same reviewer and requirement', async () => {
    const [mine, other] = [await ask(), await ask()];
    const { options } = await bench.challenge(bob, other.id, voteOn(other));
    expect((await decide(bob, mine, bobs.key.sign(options))).json.code).toBe('passkey.refused');
    expect(await lastRefusal()).toMatchObject({ detail: 'it signs a vote on another proposal' });
    await untouched(mine);
  });

  test('one for another requirement does not', async () => {
    const nora = { tenant: 'acme', id: 'local#nora', name: 'nora' };
    const { key } = await bench.signer(nora);
    const row = await ask([asked, 'approval:legal:passkey']);
    const { options } = await bench.challenge(nora, row.id, voteOn(row, { requirement: 'approval:legal:passkey' }));
    expect((await decide(nora, row, key.sign(options), { requirement: asked })).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('one asked for by another reviewer does not, whoever of the two sends it, and whosever key signed', async () => {
    for (const [sender, signer] of [
      [carl, carls.key],
      [carl, bobs.key],
      [bob, carls.key],
    ] as const) {
      const row = await ask();
      const { options } = await bench.challenge(bob, row.id, voteOn(row));
      expect((await decide(sender, row, signer.sign(options))).json.code).toBe('passkey.refused');
      await untouched(row);
    }
  });

  test('one for another digest is asked for in vain, and one for this digest names no other', async () => {
    const [row, other] = [await ask(), await ask()];
    expect((await bench.as(bob, 'POST', `/approvals/${row.id}/challenge`, voteOn(other))).json.code).toBe('approval.digest_mismatch');
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    expect((await decide(bob, row, bobs.key.sign(options), { digest: other.digest })).json.code).toBe('approval.digest_mismatch');
    await untouched(row);
  });

  test('an expired one is none', async () => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    const assertion = bobs.key.sign(options);
    bench.now.at += 5 * 60_000;
    expect((await decide(bob, row, assertion)).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('a challenge that was tried once is used up, whether or not what came with it was good', async () => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    expect((await decide(bob, row, bobs.key.sign(options, { flags: 1 }))).json.code).toBe('passkey.refused');
    expect((await decide(bob, row, bobs.key.sign(options))).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('one is used once, of twenty at the same time', async () => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    const assertion = bobs.key.sign(options);
    const answers = await Promise.all(Array.from({ length: 20 }, () => decide(bob, row, assertion)));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes).toHaveLength(1);
  });

  test('one is used at most once, of twenty across approvals: who comes first with the wrong one has used it up', async () => {
    const [row, other] = [await ask(), await ask()];
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    const assertion = bobs.key.sign(options);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => decide(bob, i % 2 ? other : row, assertion)));
    const counted = answers.some(({ status }) => status === 200);
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes).toHaveLength(counted ? 1 : 0);
    await untouched(other);
  });

  test('a challenge nobody gave out, made by the very rule, is none', async () => {
    const row = await ask();
    const { signs } = await bench.challenge(bob, row.id, voteOn(row));
    const { challengeOf } = await import('../../server/audit/signed-vote.ts');
    const forged = challengeOf({ ...signs, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect((await decide(bob, row, bobs.key.sign({ challenge: forged }))).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('what was asked for to enrol a key does not sign a vote, nor the other way round', async () => {
    const row = await ask();
    const { json } = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys/options');
    expect((await decide(bob, row, bobs.key.sign(json.options))).json.code).toBe('passkey.refused');
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    const answer = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys', { name: 'x', credential: createAuthenticator().make(options) });
    expect(answer.json.code).toBe('passkey.not_enrolled');
    await untouched(row);
  });

  test.each<[string, Lie]>([
    ['without the person verified', { flags: 1 }],
    ['without the person present', { flags: 4 }],
    ['at another origin', { origin: 'https://localhost.evil.example' }],
    ['at another port of this machine', { origin: 'http://localhost:7412' }],
    ['for another host', { rpId: 'evil.example' }],
    ['inside a page of somebody else', { crossOrigin: true }],
    ['as a registration', { type: 'webauthn.create' }],
    ['with a counter that does not grow', { counter: 1 }],
  ])('one made %s is none', async (_, lie) => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    bobs.key.sign(options);
    expect((await decide(bob, row, bobs.key.sign(options, lie))).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('a changed byte in any part of it is noticed', async () => {
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      const row = await ask();
      const { options } = await bench.challenge(bob, row.id, voteOn(row));
      const made = bobs.key.sign(options);
      const bytes = Buffer.from(made.response[part], 'base64url');
      bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 1;
      expect((await decide(bob, row, { ...made, response: { ...made.response, [part]: bytes.toString('base64url') } })).json.code).toBe('passkey.refused');
      await untouched(row);
    }
  });

  test.each([
    ['nothing', {}],
    ['a number', { id: 1 }],
    ['far too much', { id: 'A'.repeat(5000), rawId: 'A'.repeat(5000), type: 'public-key', response: {} }],
    ['something not base64url', { id: '<', rawId: '<', type: 'public-key', response: { clientDataJSON: '<', authenticatorData: '<', signature: '<' } }],
  ])('%s in its place is a wrong shape', async (_, assertion) => {
    const row = await ask();
    expect((await decide(bob, row, assertion)).json.code).toBe('body.invalid');
  });
});

describe('who may not sign', () => {
  test('the sponsor, with a passkey of theirs, approves nothing they are excluded from', async () => {
    await bench.signer(ana);
    const row = await ask();
    expect((await bench.as(ana, 'POST', `/approvals/${row.id}/challenge`, voteOn(row))).json.code).toBe('approval.excluded');
    expect((await decide(ana, row, createAuthenticator().sign({ challenge: 'AAAA' }))).json.code).toBe('approval.excluded');
  });

  test('a reviewer taken out of the group between challenge and vote', async () => {
    const row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    await bench.changePeople('acme', { ...acmePeople, bob: { subject: 'local#bob', roles: ['reviewer'] } });
    expect((await decide(bob, row, bobs.key.sign(options))).json.code).toBe('approval.not_in_group');
    await bench.changePeople('acme', acmePeople);
    await untouched(row);
  });

  test('a key that was removed between challenge and vote', async () => {
    const { key, id } = await bench.signer(carl);
    const row = await ask();
    const { options } = await bench.challenge(carl, row.id, voteOn(row));
    await bench.as(bench.fresh(carl), 'DELETE', `/me/passkeys/${id}`);
    expect((await decide(carl, row, key.sign(options))).json.code).toBe('passkey.refused');
    await untouched(row);
  });

  test('a key enrolled once is enrolled by nobody again', async () => {
    for (const person of [carl, dana]) {
      const { json } = await bench.as(bench.fresh(person), 'POST', '/me/passkeys/options');
      expect((await bench.as(bench.fresh(person), 'POST', '/me/passkeys', { name: 'x', credential: bobs.key.make(json.options) })).json.code).toBe(
        'passkey.taken',
      );
    }
  });

  test.each(['key\u202eyek', 'a\u200bb', 'line\nbreak', '<b>key</b>', '', 'x'.repeat(61)])(
    'a key called %j is not enrolled: an admin is to read its name',
    async (name) => {
      const { json } = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys/options');
      const answer = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys', { name, credential: createAuthenticator().make(json.options) });
      expect(answer.json.code).toBe('body.invalid');
    },
  );

  test.each<[string, Lie]>([
    ['without the person verified', { flags: 1 }],
    ['at another origin', { origin: 'https://evil.example' }],
    ['inside a page of somebody else', { crossOrigin: true }],
    ['of an algorithm nobody asked for', { algorithm: -65535 }],
    ['with certificates that would have to be looked up', { format: 'packed', statement: new Map<string, unknown>([['x5c', [new Uint8Array(8)]]]) }],
    ['with an attestation of a kind nobody asked for', { format: 'android-key' }],
    ['as an authentication', { type: 'webauthn.get' }],
  ])('a key made %s is not enrolled', async (_, lie) => {
    const { json } = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys/options');
    const answer = await bench.as(bench.fresh(bob), 'POST', '/me/passkeys', { name: 'x', credential: createAuthenticator().make(json.options, lie) });
    expect(answer.json.code).toBe('passkey.not_enrolled');
  });
});

describe('a record of signed votes', () => {
  /** The log with one record changed, chained anew as somebody would who holds the store. */
  async function rewritten(change: (body: StoredRecord['body']) => StoredRecord['body']): Promise<StoredRecord[]> {
    const out: StoredRecord[] = [];
    for await (const { index, tenant, body } of recordsOf(bench.ports.store, 'acme')) {
      out.push(chainRecord(out.at(-1)?.hash ?? '0'.repeat(64), index, tenant, change(body)));
    }
    return out;
  }
  let row: ApprovalRow;
  beforeAll(async () => {
    row = await ask();
    const { options } = await bench.challenge(bob, row.id, voteOn(row));
    expect((await decide(bob, row, bobs.key.sign(options))).status).toBe(200);
  });
  const isVote = (body: StoredRecord['body']): boolean => body.type === 'approval.voted' && body.approval === row.id;

  test('verifies as it is', async () => {
    const verified = await verifyChain(await rewritten((body) => body));
    expect(verified).toMatchObject({ ok: true });
    expect(verified.ok && verified.signatures).toBeGreaterThan(0);
  });

  test.each<[string, (body: StoredRecord['body']) => StoredRecord['body']]>([
    ['a vote given to somebody else', (body) => (isVote(body) ? { ...body, actor: 'local#carl' } : body)],
    ['a vote turned round', (body) => (isVote(body) ? { ...body, vote: 'deny' } : body)],
    ['a vote moved to another proposal', (body) => (isVote(body) ? { ...body, proposal_sha256: 'f'.repeat(64) } : body)],
    ['a signature taken off', (body) => (isVote(body) ? (({ signature: _, ...rest }) => rest)(body) : body)],
    [
      'what was signed changed',
      (body) => (isVote(body) && body.signature ? { ...body, signature: { ...body.signature, signed: { ...body.signature.signed, nonce: 'x' } } } : body),
    ],
    [
      'the signature changed',
      (body) =>
        isVote(body) && body.signature ? { ...body, signature: { ...body.signature, signature: body.signature.signature.replace(/.{8}$/, 'AAAAAAAA') } } : body,
    ],
    ['a key put in its place', (body) => (isVote(body) && body.signature ? { ...body, signature: { ...body.signature, public_key: 'AAAA' } } : body)],
    [
      'the key enrolled by somebody else',
      (body) => (body.type === 'passkey.enrolled' && body.passkey?.id === bobs.id ? { ...body, actor: 'local#carl' } : body),
    ],
    ['the key never confirmed', (body) => (body.type === 'passkey.confirmed' && body.passkey?.id === bobs.id ? { ...body, type: 'person.login' } : body)],
    ['the key in effect too early', (body) => (body.type === 'passkey.confirmed' && body.passkey?.id === bobs.id ? { ...body, effective_at: 9e15 } : body)],
  ])('shows %s, though the chain was made anew', async (_, change) => {
    expect(await verifyChain(await rewritten(change))).toMatchObject({ ok: false });
  });
});
