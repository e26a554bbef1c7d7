import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decideApproval, endDelegation, giveDelegation, listApprovals, proposeStanding, showApproval, whoMayEdit } from '../../server/approvals/index.ts';
import { chainRecord, recordsOf, type StoredRecord, verifyChain } from '../../server/audit/index.ts';
import type { Person } from '../../server/identity/index.ts';
import type { ApprovalRow } from '../../server/store/index.ts';
import { acme, acmePeople, type Bench, globex, openBench } from '../approvals/fixture.ts';
import { openPasskeys, type PasskeyBench } from '../approvals/passkey-bench.ts';
import type { Authenticator } from '../support/authenticator.ts';

let bench: Bench;
const people = { ...acmePeople, lena: { subject: 'local#lena', groups: ['legal'], roles: ['reviewer'] } };
const rules = { approvals: { delegable: { finance: '3d', legal: '1d' } } };
beforeAll(async () => {
  bench = await openBench();
  await bench.changePeople('acme', people, rules);
});
afterAll(() => bench.close());

const person = (name: keyof typeof people): Person => ({ tenant: 'acme', id: people[name].subject, name });
const [bob, carl, lea, lena, nora] = [person('bob'), person('carl'), person('lea'), person('lena'), person('nora')];
const hour = 3_600;
async function lend(from: Person, to: string, more: object = {}): Promise<string> {
  const answer = await giveDelegation(bench.ports, from, { group: 'finance', to, lifetime: hour, reason: 'on leave', ...more });
  return answer.ok ? answer.delegation.id : answer.code;
}
async function decide(who: Person, row: ApprovalRow, more: object = {}): Promise<string> {
  const answer = await decideApproval(bench.ports, who, { approval: row.id, digest: row.digest, decision: 'approve', reason: `for ${row.id}`, ...more });
  return answer.ok ? answer.approval.status : answer.code;
}
const asked = async (requirements = ['approval:finance'], session: Parameters<Bench['openSession']>[0] = {}) =>
  bench.ask(await bench.openSession(session), requirements);

beforeEach(async () => {
  for (const { id, lender, lenderName } of await bench.ports.store.listDelegations('acme', { inForceAt: bench.now.at }, { after: null, limit: 50 }))
    await endDelegation(bench.ports, { tenant: 'acme', id: lender, name: lenderName }, id);
});

describe('a place that is lent', () => {
  it('lets its delegate read and vote, says for whom, and leaves the lender no vote beside it', async () => {
    const row = await asked(['approval:finance:2']);
    expect(await decide(lea, row)).toBe('approval.not_in_group');
    expect((await showApproval(bench.ports, lea, row.id)).ok).toBe(false);
    await lend(bob, 'lea');
    expect((await listApprovals(bench.ports, lea, { status: null, after: null, limit: 9 })).items.map(({ id }) => id)).toContain(row.id);
    expect((await showApproval(bench.ports, lea, row.id)).ok).toBe(true);
    expect(await decide(lea, row)).toBe('pending');
    expect(await decide(lea, row)).toBe('pending');
    expect(await decide(bob, row)).toBe('delegation.spent');
    const [vote] = (await bench.ports.store.readApproval('acme', row.id))?.votes ?? [];
    expect(vote).toMatchObject({ person: 'local#lea', behalf: { person: 'local#bob', name: 'bob' } });
    const records = (await bench.ports.store.readRecords('acme', 0, 5_000)).map(({ body }) => body).filter(({ approval }) => approval === row.id);
    expect(records.find(({ type }) => type === 'approval.voted')).toMatchObject({ actor: 'local#lea', on_behalf_of: 'local#bob' });
    expect(await decide(carl, row)).toBe('approved');
  });

  it('is spent once the lender has voted', async () => {
    const row = await asked(['approval:finance:2']);
    await lend(bob, 'lea');
    await decide(bob, row);
    expect(await decide(lea, row)).toBe('delegation.spent');
  });

  it('gives one person no second vote, however many places they are lent', async () => {
    const row = await asked(['approval:finance:2']);
    await lend(bob, 'lea');
    await lend(carl, 'lea');
    expect(await decide(lea, row, { behalf: 'bob' })).toBe('pending');
    expect(await decide(lea, row, { behalf: 'carl' })).not.toBe('approved');
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes).toHaveLength(1);
  });

  const inChain: [string, Parameters<Bench['openSession']>[0], string][] = [
    ['the lender is the sponsor', { sponsor: 'local#bob' }, 'delegation.barred'],
    ['the lender is the sponsor under another account', { sponsor: 'https://login.acme.example#bob' }, 'delegation.barred'],
    ['the lender opened the session', { requester: 'local#bob' }, 'delegation.barred'],
    ['the delegate is the sponsor', { sponsor: 'local#lea' }, 'approval.excluded'],
    ['the delegate opened the session', { requester: 'local#lea' }, 'approval.excluded'],
    ['the delegate is the sponsor under another account', { sponsor: 'https://login.acme.example#lea' }, 'approval.excluded'],
  ];
  it.each(inChain)('approves nothing where %s', async (_, session, code) => {
    await lend(bob, 'lea');
    const row = await asked(['approval:finance'], session);
    expect(await decide(lea, row)).toBe(code);
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes).toEqual([]);
  });

  it('approves nothing where the lender, or the delegate, just changed what it rests on or was added to it', async () => {
    await lend(bob, 'lea');
    const { store } = bench.ports;
    const row = await asked();
    const real = store.recentChanges.bind(store);
    for (const [author, adds, code] of [
      ['local#bob', {}, 'delegation.barred'],
      ['local#lea', {}, 'approval.too_recent'],
      ['local#emma', { 'local#bob': ['group:finance'] }, 'delegation.barred'],
    ] as const) {
      store.recentChanges = async () => [{ author, touches: ['group:finance'], adds, decidedAt: bench.now.at }];
      expect(await decide(lea, row)).toBe(code);
    }
    store.recentChanges = real;
    expect(await decide(lea, row)).toBe('approved');
  });

  it('is never lent on, to oneself, to a colleague of the group, to who is no reviewer, nor beyond the tenant', async () => {
    await lend(bob, 'lea');
    expect(await lend(lea, 'lena')).toBe('delegation.not_yours');
    expect(await lend(bob, 'lena')).toBe('delegation.already_there');
    for (const to of ['carl', 'nora', 'bob', 'fred', 'dana', 'hugo', 'nobody', '__proto__']) expect(await lend(carl, to)).toBe('delegation.not_to_them');
    expect(await lend(acme('local#fred'), 'lea')).toBe('approval.not_reviewer');
    expect(await lend(globex('local#hugo'), 'hugo')).toBe('delegation.not_offered');
    expect(await lend({ ...globex('local#hugo'), tenant: 'acme' }, 'lea')).toBe('approval.not_reviewer');
  });

  it('is bounded in time, by the tenant and by its own end', async () => {
    expect(await lend(bob, 'lea', { lifetime: 3 * 24 * hour + 1 })).toBe('delegation.too_long');
    await lend(bob, 'lea', { lifetime: 60 });
    const row = await asked();
    bench.now.at += 60_000;
    expect(await decide(lea, row)).toBe('approval.not_in_group');
    bench.now.at -= 60_000;
    expect(await decide(lea, row)).toBe('approved');
  });

  it('ends with the lender’s group or role, with the tenant’s word, and when it is taken back', async () => {
    await lend(bob, 'lea');
    const row = await asked();
    for (const [changed, rule] of [
      [{ ...people, bob: { ...people.bob, groups: [] } }, rules],
      [{ ...people, bob: { ...people.bob, roles: [] } }, rules],
      [{ ...people, bob: { ...people.bob, subject: 'local#robert' } }, rules],
      [{ ...people, lea: { ...people.lea, roles: [] } }, rules],
      [people, {}],
      [people, { approvals: { delegable: { legal: '1d' } } }],
    ] as const) {
      await bench.changePeople('acme', changed, rule);
      expect(await decide(lea, row)).toMatch(/approval\.not_/);
    }
    await bench.changePeople('acme', people, rules);
    const [held] = await bench.ports.store.listDelegations('acme', { delegate: 'local#lea', inForceAt: bench.now.at }, { after: null, limit: 1 });
    for (const stranger of [carl, lena, globex('local#jan')])
      expect(await endDelegation(bench.ports, stranger, held?.id ?? '')).toMatchObject({ code: 'delegation.not_found' });
    expect(await endDelegation(bench.ports, acme('local#dana'), held?.id ?? '')).toMatchObject({ ok: true });
    expect(await decide(lea, row)).toBe('approval.not_in_group');
  });

  it('lends a vote and nothing else: no narrowing, no standing approval, no other group, no confirmation of the sponsor', async () => {
    await lend(bob, 'lea');
    const row = await asked(['approval:finance', 'confirm:sponsor'], { sponsor: 'local#bob' });
    expect(await decide(lea, row, { requirement: 'confirm:sponsor' })).toBe('delegation.barred');
    const plain = await asked();
    expect(await whoMayEdit(bench.ports, lea, { approval: plain.id, digest: plain.digest, reason: 'half of it' })).toMatchObject({ ok: false });
    const standing = { requirement: 'approval:finance', tool: 'ledger__post_payment', use_case: 'match-invoices' } as never;
    expect(await proposeStanding(bench.ports, lea, standing)).toMatchObject({ code: 'approval.not_in_group' });
    expect(await decide(nora, await asked(['approval:legal']), { behalf: 'bob' })).toBe('approval.not_in_group');
  });
});

describe('a vote in a lent place that a passkey signs', () => {
  let keyed: PasskeyBench;
  let key: Authenticator;
  let row: ApprovalRow;
  const on = (more: object = {}) => ({ decision: 'approve', digest: row.digest, ...more });
  beforeAll(async () => {
    keyed = await openPasskeys();
    await keyed.changePeople('acme', people, rules);
    ({ key } = await keyed.signer(lea));
    for (const [lender, name] of [
      [bob, 'bob'],
      [carl, 'carl'],
    ] as const)
      expect((await giveDelegation(keyed.ports, lender, { group: 'finance', to: 'lea', lifetime: hour, reason: `${name} is away` })).ok).toBe(true);
    row = await keyed.ask(await keyed.openSession(), ['approval:finance:2:passkey']);
  });
  afterAll(() => keyed.close());

  it('names both, is good for that place alone, and verifies offline with both names', async () => {
    const { options, signs } = await keyed.challenge(lea, row.id, on({ on_behalf_of: 'bob' }));
    expect(signs).toMatchObject({ reviewer: 'local#lea', on_behalf_of: 'local#bob' });
    const send = async (more: object) => keyed.as(lea, 'POST', `/approvals/${row.id}/decisions`, on({ reason: 'as ordered', ...more }));
    expect((await send({ on_behalf_of: 'carl', assertion: key.sign(options) })).json.code).toBe('passkey.refused');
    const again = await keyed.challenge(lea, row.id, on({ on_behalf_of: 'bob' }));
    expect((await send({ on_behalf_of: 'bob', assertion: key.sign(again.options) })).status).toBe(200);

    const rewritten = async (change: (body: StoredRecord['body']) => StoredRecord['body']): Promise<StoredRecord[]> => {
      const out: StoredRecord[] = [];
      for await (const { index, tenant, body } of recordsOf(keyed.ports.store, 'acme')) {
        out.push(chainRecord(out.at(-1)?.hash ?? '0'.repeat(64), index, tenant, change(body)));
      }
      return out;
    };
    const verified = await verifyChain(await rewritten((body) => body));
    expect(verified.ok && verified.signatures).toBe(1);
    const isVote = ({ type }: StoredRecord['body']): boolean => type === 'approval.voted';
    const without = ({ on_behalf_of: _, ...rest }: StoredRecord['body']): StoredRecord['body'] => rest;
    for (const change of [without, (body: StoredRecord['body']) => ({ ...body, on_behalf_of: 'local#carl' })])
      expect(await verifyChain(await rewritten((body) => (isVote(body) ? change(body) : body)))).toMatchObject({ ok: false });
  });
});
