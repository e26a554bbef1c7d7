import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { UpstreamPool } from '../../tools/index.ts';
import { type Api, openApi } from '../api/fixture.ts';
import { acme, acmePeople, globex, lawOf } from '../approvals/fixture.ts';

/** An admin who reviews for finance: the strongest an insider starts with. */
const mal = { tenant: 'acme', id: 'local#mal', name: 'mal' };
const emma = acme('local#emma');
const dana = acme('local#dana');
const fred = acme('local#fred');
const people = { ...acmePeople, mal: { subject: 'local#mal', groups: ['legal'], roles: ['admin', 'reviewer'] } };
const day = 24 * 3_600_000;

const opened: Api[] = [];
let api: Api;
beforeEach(async () => {
  api = await openApi();
  opened.push(api);
  // The real one is not started here; it lists what is pinned.
  const pins = (await api.ports.store.readConfiguration('acme'))?.pins ?? [];
  const connection = { definitions: async () => pins.map(({ definition }) => definition), close: async () => {} };
  Object.assign(api.ports, { upstreams: { connect: async () => connection, close: async () => {} } as unknown as UpstreamPool });
  await api.changePeople('acme', people);
});
afterAll(async () => {
  for (const one of opened) await one.close();
});

type Who = Parameters<Api['as']>[0];
interface Waiting {
  readonly id: string;
  readonly digest: string;
}
const document = (kind: string, more: object) => ({ source: `${kind}.yaml`, text: JSON.stringify({ kind, ...more }) });
const tenant = (over: object) => document('Tenant', { name: 'acme', people: { ...people, ...over } });

/** Applies as mal: all of it must wait, and mal must not be able to approve it. */
async function held(...files: { source: string; text: string }[]): Promise<Waiting> {
  const { json, status, text } = await api.as(mal, 'POST', '/documents/apply', { files });
  expect(status, text).toBe(200);
  expect({ applied: json.applied, waiting: json.waiting.length, files: json.items.map(({ waits }: { waits: boolean }) => waits) }).toEqual({
    ...{ applied: false, waiting: 1 },
    files: json.items.map(() => true),
  });
  const [change] = json.waiting as Waiting[];
  if (!change) throw new Error('nothing waits');
  expect(await codeOf(approve(mal, change))).toBe('change.own');
  return change;
}
const approve = (who: Who, { id, digest }: Waiting) => api.as(who, 'POST', `/changes/${id}/approve`, { digest });
const codeOf = async (answer: ReturnType<Api['as']>): Promise<string | number> => {
  const { status, json } = await answer;
  return status === 200 ? 200 : json.code;
};
async function vote(who: Who, requirements: string[] = ['approval:finance:2']): Promise<string | number> {
  const row = await api.ask(await api.openSession(), requirements);
  return codeOf(api.as(who, 'POST', `/approvals/${row.id}/decisions`, { decision: 'approve', digest: row.digest, reason: 'as ordered' }));
}
async function upstream(over: object) {
  const body = (await api.ports.store.readConfiguration('acme'))?.documents.find(({ kind }) => kind === 'Upstream')?.body;
  if (body?.kind !== 'Upstream') throw new Error('no upstream');
  return document('Upstream', { ...body, tools: body.tools.map((tool) => ({ ...tool, ...over })) });
}
const policy = (text: string, cases: string | null) => [
  { source: 'tenants/acme/acme/invoices.cedar', text },
  ...(cases === null ? [] : [{ source: 'tenants/acme/acme/invoices.cases.yaml', text: cases }]),
];
const inFinance = { mal: { ...people.mal, groups: ['legal', 'finance'] } };

describe('an admin does not reach an approval by editing', () => {
  test('groups: neither their own, at once or for a day after another admin agreed, nor a friend’s', async () => {
    const change = await held(tenant({ ...inFinance, fred: { ...people.fred, roles: ['reviewer'] } }));
    expect(await vote(mal)).toBe('approval.not_in_group');
    expect(await codeOf(approve(emma, change))).toBe(200);
    expect([await vote(mal), await vote(fred)]).toEqual(['approval.too_recent', 'approval.too_recent']);
    expect(await vote(acme('local#bob'))).toBe(200);
    // What rests on none of it is theirs as before.
    expect(await vote(acme('local#lea'), ['approval:legal'])).toBe(200);
    api.now.at += day - 1;
    expect([await vote(mal), await vote(fred)]).toEqual(['approval.too_recent', 'approval.too_recent']);
    api.now.at += 1;
    expect([await vote(mal), await vote(fred)]).toEqual([200, 200]);
  });

  test('the group of a second account of theirs', async () => {
    const change = await held(tenant({ other: { subject: 'https://login.acme.example#mal', groups: ['finance'], roles: ['reviewer'] } }));
    expect(await codeOf(approve(emma, change))).toBe(200);
    expect(await vote({ ...mal, id: 'https://login.acme.example#mal', name: 'other' })).toBe('approval.too_recent');
  });

  test('labels and effects of the tool', async () => {
    await api.changePeople('acme', { ...people, ...inFinance });
    expect(await vote(mal)).toBe(200);
    const change = await held(await upstream({ effect: 'write', reaches: 'tenant' }));
    expect(await vote(mal)).toBe(200);
    expect(await codeOf(approve(emma, change))).toBe(200);
    expect([await vote(mal), await vote(acme('local#carl'))]).toEqual(['approval.too_recent', 200]);
  });

  test('what the agent is cleared for, and what the use case may reach', async () => {
    await api.changePeople('acme', { ...people, ...inFinance });
    const { documents } = (await api.ports.store.readConfiguration('acme')) ?? { documents: [] };
    const body = (kind: string): object => documents.find((one) => one.kind === kind)?.body ?? {};
    for (const wider of [
      document('Agent', { ...body('Agent'), clearance: 'restricted' }),
      document('UseCase', { ...body('UseCase'), ceiling: 'restricted' }),
    ]) {
      api.now.at += day;
      expect(await vote(mal)).toBe(200);
      expect(await codeOf(approve(emma, await held(wider)))).toBe(200);
      expect(await vote(mal)).toBe('approval.too_recent');
    }
  });

  test('forbids: weakened, lifted by somebody else, or gone', async () => {
    await api.changePeople('acme', { ...people, ...inFinance });
    const { text, cases } = lawOf('acme');
    const weaker = [
      [text.replace('approval:finance:2', 'approval:legal'), (cases ?? '').replaceAll('approval:finance:2', 'approval:legal')],
      [text.replace('500.0', '5000.0'), (cases ?? '').replace('amount: 600', 'amount: 6000').replace('600 needs', '6000 needs')],
      [text.slice(0, text.indexOf('@id("acme/payments')), (cases ?? '').slice((cases ?? '').indexOf('- case: 500'))],
    ] as const;
    for (const [law, guards] of weaker) await held(...policy(law, guards));
    expect(await vote(mal)).toBe(200);
    const { items } = (await api.as(emma, 'GET', '/changes')).json;
    expect(items).toHaveLength(weaker.length);
    expect(await codeOf(approve(emma, items[0]))).toBe(200);
    expect(await vote(mal)).toBe('approval.too_recent');
  });

  test('cases: fewer of them, or the same ones saying something else', async () => {
    await api.changePeople('acme', { ...people, ...inFinance });
    const { text, cases } = lawOf('acme');
    const other = (cases ?? '').replace('amount: 500', 'amount: 499');
    const extra = `${cases}- case: 501 waits\n  tool: ledger__post_payment\n  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 501 } }\n  expect: { decision: require }\n`;
    // More of them take nothing away, and hold at once.
    expect((await api.as(mal, 'POST', '/documents/apply', { files: policy(text, extra) })).json).toMatchObject({ applied: true, waiting: [] });
    await held(...policy(text, other));
    const change = await held(...policy(text, cases));
    expect(await codeOf(approve(emma, change))).toBe(200);
    expect(await vote(mal)).toBe('approval.too_recent');
  });

  test('what the agent signs in with at the tool', async () => {
    await api.changePeople('acme', { ...people, ...inFinance });
    await api.ports.store.putSecret('acme', 'ledger-key', new Uint8Array([1]), api.now.at, { type: 'credential.set', at: api.now.at });
    const { json } = await api.as(mal, 'PUT', '/credentials/ledger-key', { value: 'the-key-of-an-administrator' });
    expect([json.version, await codeOf(approve(mal, json.waiting))]).toEqual([1, 'change.own']);
    expect(await codeOf(approve(emma, json.waiting))).toBe(200);
    expect(await vote(mal)).toBe('approval.too_recent');
  });

  test('standing approvals: not by joining the group that gives them, nor by proposing one as an admin', async () => {
    const propose = async () => {
      const { json, text } = await api.as(mal, 'POST', '/standing-approvals', {
        ...{ requirement: 'approval:finance:2', tool: 'ledger__post_payment', use_case: 'match-invoices', max_calls: 5, max_amount: 9000 },
        arguments: { invoice: { const: 'INV-7' }, iban: { const: 'DE02120300000000202051' }, amount: { maximum: 5000 } },
        ends: new Date(api.now.at + 20 * day).toISOString().slice(0, 10),
        reason: 'the yearly contract',
      });
      expect(json.status, text).toBe('pending');
      return json as Waiting;
    };
    const give = (who: Who, { id, digest }: Waiting) =>
      codeOf(api.as(who, 'POST', `/standing-approvals/${id}/decisions`, { decision: 'approve', digest, reason: 'as ordered' }));
    const before = await propose();
    expect([await give(mal, before), await give(fred, before)]).toEqual(['approval.not_in_group', 'role.missing']);
    const change = await held(tenant({ ...inFinance, fred: { ...people.fred, roles: ['reviewer'] } }));
    expect(await codeOf(approve(emma, change))).toBe(200);
    const after = await propose();
    for (const one of [before, after]) expect([await give(mal, one), await give(fred, one)]).toEqual(['approval.excluded', 'approval.too_recent']);
    expect(await give(acme('local#bob'), after)).toBe(200);
    api.now.at += day;
    expect(await give(fred, await propose())).toBe(200);
  });
});

describe('nobody approves their own change', () => {
  test('under a second account', async () => {
    const second = 'https://login.acme.example#mal';
    await api.changePeople('acme', { ...people, other: { subject: second, roles: ['admin'] } });
    const change = await held(tenant({ ...inFinance, other: { subject: second, roles: ['admin'] } }));
    expect(await codeOf(approve({ ...mal, id: second, name: 'other' }, change))).toBe('change.own');
    expect((await api.as(emma, 'GET', `/changes/${change.id}`)).json.approvers).toEqual(['dana', 'emma']);
  });

  test('through somebody they made an admin, nor that one through them', async () => {
    const puppet = { tenant: 'acme', id: 'local#puppet', name: 'puppet' };
    const admin = { subject: 'local#puppet', roles: ['admin'] };
    const change = await held(tenant({ puppet: admin }));
    expect(await codeOf(approve(puppet, change))).toBe('role.missing');
    expect(await codeOf(approve(emma, change))).toBe(200);
    const asked = (await api.as(puppet, 'POST', '/documents/apply', { files: [tenant({ puppet: admin, ...inFinance })] })).json.waiting[0];
    expect(await codeOf(approve(mal, asked))).toBe('change.recent');
    const mine = await held(tenant({ puppet: admin, fred: { ...people.fred, roles: ['reviewer'] } }));
    expect(await codeOf(approve(puppet, mine))).toBe('change.recent');
    expect(await codeOf(approve(dana, asked))).toBe(200);
    api.now.at += day;
    expect(await codeOf(approve(puppet, await replanned(mine)))).toBe(200);
  });

  test('as one whom the change itself makes an admin, under whatever account', async () => {
    const change = await held(tenant({ other: { subject: 'https://login.acme.example#emma', roles: ['admin'] } }));
    expect(await codeOf(approve(emma, change))).toBe('change.made_admin');
  });

  test.each([
    ['a reviewer', acme('local#bob')],
    ['an auditor', acme('local#olga')],
    ['a person without a role', fred],
  ])('as %s', async (_, who) => {
    expect(await codeOf(approve(who, await held(tenant(inFinance))))).toBe('role.missing');
  });
});

/** The change as it waits now, after one try that planned it anew. */
async function replanned(change: Waiting): Promise<Waiting> {
  expect(await codeOf(approve(dana, change))).toBe('change.replanned');
  return (await api.as(dana, 'GET', `/changes/${change.id}`)).json;
}

describe('only what was read is put in force', () => {
  const inForce = async () => (await api.ports.store.readRecords('acme', 0, 1000)).filter(({ body }) => body.type === 'configuration.applied').length;

  test('no other digest, of whatever change', async () => {
    const change = await held(tenant(inFinance));
    const other = await held(tenant({ fred: { ...people.fred, roles: ['reviewer'] } }));
    const before = await inForce();
    const flipped = `${change.digest.slice(0, -1)}${change.digest.endsWith('0') ? '1' : '0'}`;
    for (const digest of [flipped, other.digest, '0'.repeat(64)]) expect(await codeOf(approve(emma, { id: change.id, digest }))).toBe('change.digest_mismatch');
    expect(await codeOf(approve(emma, { id: change.id, digest: change.digest.toUpperCase() }))).toBe('body.invalid');
    expect(await inForce()).toBe(before);
  });

  test('not what somebody wrote into the store in its place', async () => {
    const change = await held(tenant(inFinance));
    const row = await api.ports.store.readChange('acme', change.id);
    if (!row) throw new Error('gone');
    const harmless = { ...row, items: [], digest: 'f'.repeat(64) };
    await api.ports.store.replanChange(row, harmless, { type: 'change.replanned', at: api.now.at });
    const before = await inForce();
    expect(await codeOf(approve(emma, { id: change.id, digest: harmless.digest }))).toBe('change.replanned');
    expect(await inForce()).toBe(before);
    expect((await api.as(emma, 'GET', `/changes/${change.id}`)).json).toMatchObject({ digest: change.digest, items: [{ kind: 'Tenant' }] });
  });

  test('not after what it is laid over has moved: planned anew, and approved anew', async () => {
    const change = await held(tenant(inFinance));
    const less = { ...people, fred: { subject: 'local#fred' } };
    const moved = await api.as(emma, 'POST', '/documents/apply', { files: [document('Tenant', { name: 'acme', people: less })] });
    expect(moved.json).toMatchObject({ applied: true, waiting: [] });
    const shown = (await api.as(emma, 'GET', `/changes/${change.id}`)).json;
    expect(shown).toMatchObject({ stale: true, digest: change.digest });
    const fresh = await replanned(change);
    expect(fresh.digest).not.toBe(change.digest);
    // What waits still says that fred is in finance, which it now would give back: that is in what is read.
    expect((fresh as unknown as typeof shown).items[0].differences).toContain('people.fred.groups: finance added (widens)');
    expect(await codeOf(approve(emma, change))).toBe('change.digest_mismatch');
    expect(await codeOf(approve(emma, fresh))).toBe(200);
  });

  test('once: by one of fifty who approve together, and never again', async () => {
    const crowd = Array.from({ length: 50 }, (_, i) => ({ tenant: 'acme', id: `local#admin-${i}`, name: `admin-${i}` }));
    const admins = Object.fromEntries(crowd.map(({ id, name }) => [name, { subject: id, roles: ['admin'] }]));
    await api.changePeople('acme', { ...people, ...admins });
    const change = await held(tenant({ ...admins, ...inFinance }));
    const before = await inForce();
    const codes = await Promise.all(crowd.map((who) => codeOf(approve(who, change))));
    expect(codes.filter((code) => code === 200)).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set([200, 'change.not_pending']));
    expect(await inForce()).toBe(before + 1);

    // Taken back and tried again with the old word.
    expect((await api.as(emma, 'POST', '/documents/apply', { files: [tenant(admins)] })).json).toMatchObject({ applied: true, waiting: [] });
    expect(await codeOf(approve(emma, change))).toBe('change.not_pending');
    const again = await held(tenant({ ...admins, ...inFinance }));
    expect(await codeOf(approve(emma, { id: again.id, digest: change.digest }))).toBe('change.digest_mismatch');
  });

  test('not once it was rejected, withdrawn or left alone for a week', async () => {
    const files = (group: string) => tenant({ mal: { ...people.mal, groups: ['legal', group] } });
    const [rejected, withdrawn, late] = [await held(files('a')), await held(files('b')), await held(files('c'))];
    expect((await api.as(emma, 'POST', `/changes/${rejected.id}/reject`, { reason: 'what for?' })).json.status).toBe('rejected');
    expect((await api.as(mal, 'POST', `/changes/${withdrawn.id}/reject`, { reason: 'a mistake' })).json.status).toBe('withdrawn');
    api.now.at += 7 * day;
    for (const change of [rejected, withdrawn, late]) expect(await codeOf(approve(emma, change))).toBe('change.not_pending');
    expect((await api.as(emma, 'GET', '/changes')).json.items).toEqual([]);
  });
});

test('a change of another tenant answers like one that is not there', async () => {
  const change = await held(tenant(inFinance));
  const jan = globex('local#jan');
  const nowhere = 'chg_AAAAAAAAAAAAAAAAAAAAAA';
  const asked = async (id: string) => [
    await api.as(jan, 'GET', `/changes/${id}`),
    await api.as(jan, 'POST', `/changes/${id}/approve`, { digest: change.digest }),
    await api.as(jan, 'POST', `/changes/${id}/reject`, { reason: 'not ours' }),
  ];
  const shape = (answers: Awaited<ReturnType<typeof asked>>) => answers.map(({ status, text }) => [status, text]);
  expect(shape(await asked(change.id))).toEqual(shape(await asked(nowhere)));
  expect((await api.as(jan, 'GET', '/changes')).json.items).toEqual([]);
  expect((await api.as(emma, 'GET', `/changes/${change.id}`)).json.status).toBe('pending');
});
