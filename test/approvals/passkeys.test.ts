import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { challengeOf } from '../../server/audit/signed-vote.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { acme, acmePeople, globex } from './fixture.ts';
import { ana, bob, carl, dana, day, openPasskeys, type PasskeyBench, reason } from './passkey-bench.ts';

let bench: PasskeyBench;
beforeAll(async () => {
  bench = await openPasskeys();
});
afterAll(() => bench.close());

const statusOf = async (id: string): Promise<string> => {
  const { json } = await bench.as(dana, 'GET', '/passkeys');
  return json.items.find((one: { id: string }) => one.id === id)?.status;
};

describe('enrolling a passkey', () => {
  test('takes a fresh login, a second admin with a fresh login, and a day', async () => {
    const stale = { ...bob, loggedInAt: bench.now.at - 301_000 };
    for (const person of [bob, stale]) expect((await bench.as(person, 'POST', '/me/passkeys/options')).json.code).toBe('login.not_fresh');
    const { id } = await bench.enrol(bob);
    expect(await statusOf(id)).toBe('waits_for_admin');
    expect((await bench.as(bench.fresh(carl), 'POST', `/passkeys/${id}/confirm`)).json.code).toBe('role.missing');
    expect((await bench.as(dana, 'POST', `/passkeys/${id}/confirm`)).json.code).toBe('login.not_fresh');
    const confirmed = await bench.as(bench.fresh(dana), 'POST', `/passkeys/${id}/confirm`);
    expect(confirmed.json).toMatchObject({ status: 'waits', confirmed_by: 'local#dana', effective_at: Math.floor((bench.now.at + day) / 1000) });
    bench.now.at += day - 1;
    expect(await statusOf(id)).toBe('waits');
    expect((await bench.as(bench.fresh(dana), 'POST', `/passkeys/${id}/confirm`)).json).toEqual(confirmed.json);
    bench.now.at += 1;
    expect(await statusOf(id)).toBe('in_effect');
  });

  test('is recorded with the key, its confirmation with the admin, its removal with who did it', async () => {
    const { id, key } = await bench.signer(carl);
    await bench.as(bench.fresh(carl), 'DELETE', `/me/passkeys/${id}`);
    const about = (await bench.ports.store.readRecords('acme', 0, 1000)).filter(({ body }) => body.passkey?.id === id).map(({ body }) => body);
    expect(about).toMatchObject([
      { type: 'passkey.enrolled', actor: 'local#carl', passkey: { credential: key.id, algorithm: -7, rp_id: 'localhost', name: 'yellow key' } },
      { type: 'passkey.confirmed', actor: 'local#dana', person: 'local#carl' },
      { type: 'passkey.removed', actor: 'local#carl', person: 'local#carl' },
    ]);
    expect(about[0]).not.toHaveProperty('personal');
  });

  test('nobody confirms their own, be they an admin, nor under a second account', async () => {
    await bench.changePeople('acme', {
      ...acmePeople,
      dana: { subject: 'local#dana', roles: ['admin', 'reviewer'], groups: ['finance'] },
      'dana-too': { subject: 'https://login.acme.example#dana', roles: ['admin'] },
    });
    const { id } = await bench.enrol(dana);
    for (const own of [dana, { tenant: 'acme', id: 'https://login.acme.example#dana', name: 'dana-too' }])
      expect((await bench.as(bench.fresh(own), 'POST', `/passkeys/${id}/confirm`)).json.code).toBe('passkey.own');
    expect(await statusOf(id)).toBe('waits_for_admin');
    await bench.changePeople('acme', acmePeople);
  });

  test('not by an admin of the last 24 hours, nor for somebody whom one made an admin', async () => {
    const puppet = { tenant: 'acme', id: 'local#puppet', name: 'puppet' };
    const people = { ...acmePeople, puppet: { subject: puppet.id, roles: ['admin'] } };
    const { json } = await bench.as(dana, 'POST', '/documents/apply', {
      files: [{ source: 'tenant.yaml', text: JSON.stringify({ kind: 'Tenant', name: 'acme', people }) }],
    });
    const [change] = json.waiting;
    expect((await bench.as(acme('local#emma'), 'POST', `/changes/${change.id}/approve`, { digest: change.digest })).status).toBe(200);
    const [theirs, carls] = [await bench.enrol(puppet), await bench.enrol(carl)];
    const confirm = async (who: typeof dana, id: string) => (await bench.as(bench.fresh(who), 'POST', `/passkeys/${id}/confirm`)).json;
    expect((await confirm(dana, theirs.id)).code).toBe('passkey.too_recent');
    expect((await confirm(puppet, carls.id)).code).toBe('passkey.too_recent');
    expect((await confirm(acme('local#emma'), theirs.id)).status).toBe('waits');
    bench.now.at += day;
    expect((await confirm(puppet, carls.id)).status).toBe('waits');
    await bench.changePeople('acme', acmePeople);
  });

  test('a tenant of one person needs nobody else, and its records say so', async () => {
    const greta = globex('local#greta');
    const snapshot = await bench.ports.tenants.current('globex');
    const { enrolPasskey, offerEnrolment } = await import('../../server/approvals/passkeys/index.ts');
    if (!snapshot) throw new Error('no tenant');
    const alone = { person: bench.fresh(greta), snapshot: { ...snapshot, document: { ...snapshot.document, personal: true } } };
    const offered = await offerEnrolment(bench.ports, alone);
    if (!offered.ok) throw new Error(offered.code);
    const made = createAuthenticator().make(offered.options) as never;
    expect(await enrolPasskey(bench.ports, alone, { name: 'mine', credential: made })).toMatchObject({ ok: true, passkey: { status: 'waits' } });
    const last = (await bench.ports.store.readRecords('globex', 0, 1000)).at(-1)?.body;
    expect(last).toMatchObject({ type: 'passkey.enrolled', personal: true, effective_at: bench.now.at + day });
  });

  test('sent again answers the same and enrols nothing more', async () => {
    const person = bench.fresh(bob);
    const key = createAuthenticator();
    const { json } = await bench.as(person, 'POST', '/me/passkeys/options');
    const body = { name: 'again', credential: key.make(json.options) };
    const answers = [await bench.as(person, 'POST', '/me/passkeys', body), await bench.as(person, 'POST', '/me/passkeys', body)];
    expect(answers[1]?.json).toEqual(answers[0]?.json);
    expect((await bench.as(person, 'GET', '/me/passkeys')).json.items.filter((one: { name: string }) => one.name === 'again')).toHaveLength(1);
  });

  test('a passkey is removed by its owner or an admin, at once; of others it is not there', async () => {
    const { id } = await bench.signer(carl);
    expect((await bench.as(bench.fresh(bob), 'DELETE', `/me/passkeys/${id}`)).status).toBe(404);
    expect((await bench.as(bench.fresh(dana), 'DELETE', `/me/passkeys/${id}`)).status).toBe(404);
    expect((await bench.as(dana, 'DELETE', `/passkeys/${id}`)).json.code).toBe('login.not_fresh');
    expect((await bench.as(bench.fresh(dana), 'DELETE', `/passkeys/${id}`)).json.status).toBe('removed');
    expect((await bench.as(bench.fresh(globex('local#jan')), 'DELETE', `/passkeys/${id}`)).status).toBe(404);
  });
});

describe('a vote signed by a passkey', () => {
  const signedVote = async (person: typeof bob, key: ReturnType<typeof createAuthenticator>, row: { id: string; digest: string }, more: object = {}) => {
    const vote = { decision: 'approve', digest: row.digest, ...more };
    const { options, signs } = await bench.challenge(person, row.id, vote);
    const answer = await bench.as(person, 'POST', `/approvals/${row.id}/decisions`, { ...vote, reason, assertion: key.sign(options) });
    return { answer, options, signs };
  };

  test('approves what asks for two of them; what each signed stands in the record and verifies there', async () => {
    const [one, two] = [await bench.signer(bob), await bench.signer(carl)];
    const row = await bench.ask(await bench.openSession(), ['approval:finance:2:passkey']);
    const first = await signedVote(bob, one.key, row);
    expect(first.options.challenge).toBe(challengeOf(first.signs));
    expect(Object.keys(first.signs).sort()).toEqual(['approval', 'decision', 'edits', 'expiry', 'nonce', 'proposal', 'requirement', 'reviewer']);
    expect(first.answer.json).toMatchObject({ status: 'pending', votes: [{ person: 'local#bob', signed: true }] });
    expect((await signedVote(carl, two.key, row)).answer.json).toMatchObject({ status: 'approved' });
    const records = (await bench.ports.store.readRecords('acme', 0, 1000)).filter(({ body }) => body.approval === row.id).map(({ body }) => body);
    expect(records.filter(({ signature }) => signature !== undefined).map(({ signature }) => signature?.signed)).toMatchObject([
      { approval: row.id, proposal: row.digest, decision: 'approve', requirement: 'approval:finance:2:passkey', reviewer: 'local#bob', edits: null },
      { reviewer: 'local#carl' },
    ]);
    expect(await verifyChain(recordsOf(bench.ports.store, 'acme'))).toMatchObject({ ok: true, signatures: 2 });
  });

  test('of the sponsor confirms; a signed vote counts for the plain form; a signed denial denies', async () => {
    const sponsor = await bench.signer(ana);
    const confirm = await bench.ask(await bench.openSession(), ['confirm:sponsor:passkey']);
    expect((await signedVote(ana, sponsor.key, confirm)).answer.json.status).toBe('approved');
    const reviewer = await bench.signer(bob);
    const plain = await bench.ask(await bench.openSession(), ['approval:finance']);
    expect((await signedVote(bob, reviewer.key, plain)).answer.json).toMatchObject({ status: 'approved', votes: [{ signed: true }] });
    const denied = await bench.ask(await bench.openSession(), ['approval:finance:passkey']);
    expect((await signedVote(bob, reviewer.key, denied, { decision: 'deny' })).answer.json.status).toBe('denied');
    expect(await verifyChain(recordsOf(bench.ports.store, 'acme'))).toMatchObject({ ok: true });
  });

  test('said again answers as it did, though its challenge is used up', async () => {
    const { key } = await bench.signer(bob);
    const row = await bench.ask(await bench.openSession(), ['approval:finance:passkey']);
    const vote = { decision: 'approve', digest: row.digest };
    const { options } = await bench.challenge(bob, row.id, vote);
    const body = { ...vote, reason, assertion: key.sign(options) };
    const answers = [await bench.as(bob, 'POST', `/approvals/${row.id}/decisions`, body), await bench.as(bob, 'POST', `/approvals/${row.id}/decisions`, body)];
    expect(answers.map(({ json }) => json.status)).toEqual(['approved', 'approved']);
  });

  test('needs a key in effect: without one no challenge is given, and a plain vote is told why it is none', async () => {
    const nora = { tenant: 'acme', id: 'local#nora', name: 'nora' };
    const row = await bench.ask(await bench.openSession(), ['approval:finance:passkey']);
    const vote = { decision: 'approve', digest: row.digest };
    expect((await bench.as(nora, 'POST', `/approvals/${row.id}/challenge`, vote)).json.code).toBe('passkey.none');
    await bench.enrol(nora);
    expect((await bench.as(nora, 'POST', `/approvals/${row.id}/challenge`, vote)).json.code).toBe('passkey.none');
    expect((await bench.as(nora, 'POST', `/approvals/${row.id}/decisions`, { ...vote, reason })).json.code).toBe('passkey.required');
  });
});
