import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpoints } from '../../server/api/routes.ts';
import { readSecretValue } from '../../server/credentials/index.ts';
import { hashConnectionToken } from '../../server/identity/index.ts';
import { acme, acmePeople, lawOf } from '../approvals/fixture.ts';
import { type Answer, type Api, openApi } from './fixture.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const dana = acme('local#dana');
const bob = acme('local#bob');
const ana = acme('local#ana');
const olga = acme('local#olga');
const lea = acme('local#lea');
const typesSince = async (from: number): Promise<string[]> => (await api.ports.store.readRecords('acme', from, 500)).map(({ body }) => body.type);
const count = async (): Promise<number> => (await api.ports.store.readRecords('acme', 0, 1000)).length;

/** The answer has exactly the shape the description promises. */
function asDescribed(answer: Answer, method: string, path: string): Answer {
  const one = endpoints.find((each) => each.method === method && each.path === path);
  expect([answer.status, answer.status >= 400 ? answer.text : '']).toEqual([one?.status, '']);
  expect(one?.answer.safeParse(answer.json).error?.issues ?? []).toEqual([]);
  return answer;
}

describe('sessions', () => {
  test('a role sees all, a sponsor their own, anyone else none', async () => {
    const mine = await api.openSession();
    const other = await api.openSession({ sponsor: 'local#fred' });
    const idsFor = async (person: typeof bob): Promise<string[]> =>
      asDescribed(await api.as(person, 'GET', '/sessions?status=active'), 'get', '/sessions').json.items.map(({ id }: { id: string }) => id);
    for (const person of [bob, dana, olga]) expect(await idsFor(person)).toEqual(expect.arrayContaining([mine.id, other.id]));
    expect(await idsFor(ana)).toContain(mine.id);
    expect(await idsFor(ana)).not.toContain(other.id);
    expect(await idsFor(acme('local#stranger'))).toEqual([]);

    const detail = asDescribed(await api.as(ana, 'GET', `/sessions/${mine.id}`), 'get', '/sessions/{id}');
    expect(detail.json).toMatchObject({
      objective: 'Pay INV-7',
      inputs: { invoice: 'INV-7' },
      calls: 0,
      bound: false,
      expires_at: Math.floor(mine.expiresAt / 1000),
    });
    const [hidden, none] = await Promise.all([api.as(ana, 'GET', `/sessions/${other.id}`), api.as(ana, 'GET', '/sessions/ses_acme_nowhere')]);
    expect([hidden.status, hidden.text]).toEqual([404, none.text]);
  });

  test('an admin, its sponsor or a reviewer it has asked ends it, once, with a record; what waited in it is cancelled', async () => {
    for (const person of [dana, ana, bob]) {
      const session = await api.openSession();
      const row = await api.ask(session);
      const from = await count();
      for (const other of [lea, olga]) expect((await api.as(other, 'POST', `/sessions/${session.id}/end`, {})).json.code).toBe('role.missing');
      const ended = asDescribed(await api.as(person, 'POST', `/sessions/${session.id}/end`, { reason: 'Paid by hand' }), 'post', '/sessions/{id}/end');
      expect(ended.json).toMatchObject({ status: 'ended', end_reason: 'Paid by hand' });
      expect((await api.as(person, 'POST', `/sessions/${session.id}/end`, {})).json).toEqual(ended.json);
      expect((await typesSince(from)).filter((type) => type === 'session.ended')).toHaveLength(1);
      expect((await api.ports.store.readApproval('acme', row.id))?.status).toBe('cancelled');
    }
  });

  test('suspending needs a reason', async () => {
    const session = await api.openSession();
    expect((await api.as(dana, 'POST', `/sessions/${session.id}/suspend`, {})).json.code).toBe('body.invalid');
    const answer = await api.as(dana, 'POST', `/sessions/${session.id}/suspend`, { reason: 'Odd payments' });
    expect(answer.json).toMatchObject({ status: 'suspended', end_reason: 'Odd payments' });
  });
});

/** The other admin puts in force what waits. */
async function approved({ id, digest }: { id: string; digest: string }): Promise<void> {
  const answer = await api.as({ tenant: 'acme', id: 'local#emma', name: 'emma' }, 'POST', `/changes/${id}/approve`, { digest });
  expect(asDescribed(answer, 'post', '/changes/{id}/approve').json.status).toBe('applied');
}

describe('agents', () => {
  test('suspended and activated by an admin, each once on the record', async () => {
    const from = await count();
    for (let i = 0; i < 2; i++) {
      const answer = asDescribed(await api.as(dana, 'POST', '/agents/invoice-matcher/suspend', { reason: 'Odd payments' }), 'post', '/agents/{name}/suspend');
      expect(answer.json.status).toBe('suspended');
    }
    expect(asDescribed(await api.as(ana, 'GET', '/agents/invoice-matcher'), 'get', '/agents/{name}').json.status).toBe('suspended');
    const asked = asDescribed(await api.as(dana, 'POST', '/agents/invoice-matcher/activate'), 'post', '/agents/{name}/activate').json;
    expect([asked.status, asked.waiting.approvers]).toEqual(['suspended', ['emma']]);
    await approved(asked.waiting);
    expect((await api.as(dana, 'POST', '/agents/invoice-matcher/activate')).json).toMatchObject({ status: 'active', waiting: null });
    expect(await typesSince(from)).toEqual(['agent.suspended', 'change.requested', 'change.approved', 'agent.activated']);
    expect((await api.as(dana, 'POST', '/agents/nobody/suspend', { reason: 'Odd payments' })).status).toBe(404);
    asDescribed(await api.as(ana, 'GET', '/agents'), 'get', '/agents');
  });

  test('a connection token is shown once, kept as its hash alone, and revoked', async () => {
    const made = asDescribed(await api.as(dana, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3600 }), 'post', '/agents/{name}/tokens');
    expect(made.json.token).toMatch(/^tgc_[A-Za-z0-9_-]{43}$/);
    expect(await api.ports.store.readAgentToken(hashConnectionToken(made.json.token))).toBeNull();
    await approved(made.json.waiting);
    const stored = await api.ports.store.readAgentToken(hashConnectionToken(made.json.token));
    expect(stored).toMatchObject({ tenant: 'acme', agent: 'invoice-matcher', createdBy: 'local#dana', revoked: false });
    expect(JSON.stringify(await api.ports.store.readRecords('acme', 0, 1000))).not.toContain(made.json.token);
    expect((await api.as(dana, 'DELETE', `/agents/another/tokens/${made.json.id}`)).status).toBe(404);
    for (let i = 0; i < 2; i++) expect((await api.as(dana, 'DELETE', `/agents/invoice-matcher/tokens/${made.json.id}`)).json.revoked).toBe(true);
    expect((await api.ports.store.readAgentToken(made.json.id))?.revoked).toBe(true);
  });

  test('a request with a used Idempotency-Key makes no second token', async () => {
    const make = () => api.as(dana, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3600 }, { 'idempotency-key': 'once' });
    const answers = await Promise.all([make(), make(), make()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  test.each([[{}], [{ expires_in: 0 }], [{ expires_in: 10 ** 9 }], [{ expires_in: 1.5 }]])('a token without a sane end is refused: %j', async (body) => {
    expect((await api.as(dana, 'POST', '/agents/invoice-matcher/tokens', body)).json.code).toBe('body.invalid');
  });
});

describe('what there is', () => {
  test.each(['/use-cases', '/upstreams', '/tools', '/agents'])('%s answers as described', async (path) => {
    const { json } = asDescribed(await api.as(ana, 'GET', path), 'get', path);
    expect(json.items.length).toBeGreaterThan(0);
  });
});

describe('credentials', () => {
  test('a value goes in, encrypted, and never comes back', async () => {
    const answer = asDescribed(await api.as(dana, 'PUT', '/credentials/ledger-key', { value: 'canary-secret-1' }), 'put', '/credentials/{name}');
    expect(answer.json).toMatchObject({ name: 'ledger-key', version: 1, waiting: null });
    const second = await api.as(dana, 'PUT', '/credentials/ledger-key', { value: 'canary-secret-2' });
    expect(second.json.version).toBe(1);
    await approved(second.json.waiting);
    expect(await readSecretValue(api.ports, 'acme', 'ledger-key')).toEqual({ value: 'canary-secret-2', version: 2 });
    const list = asDescribed(await api.as(dana, 'GET', '/credentials'), 'get', '/credentials');
    expect(list.text + answer.text + second.text + JSON.stringify(await api.ports.store.readRecords('acme', 0, 1000))).not.toContain('canary-secret');
  });
  test.each(['', ' padded ', 'two\nlines', 'nul\0byte'])(
    'a value that fits neither a header nor an environment is refused without being said back: %j',
    async (value) => {
      const answer = await api.as(dana, 'PUT', '/credentials/ledger-key', { value });
      expect(answer.json.code).toBe('body.invalid');
    },
  );
  test('a credential no document declares is not there', async () => {
    expect((await api.as(dana, 'PUT', '/credentials/other', { value: 'something' })).status).toBe(404);
  });
});

describe('documents', () => {
  const tenant = (people: object): string => JSON.stringify({ kind: 'Tenant', name: 'acme', people });
  test('planned without effect, applied with a record, then nothing left to do', async () => {
    const files = [{ source: 'tenant.yaml', text: tenant({ ...acmePeople, eve: { subject: 'local#eve', groups: ['finance'], roles: ['reviewer'] } }) }];
    const plan = asDescribed(await api.as(dana, 'POST', '/documents/plan', { files }), 'post', '/documents/plan');
    expect(plan.json).toMatchObject({
      applied: false,
      items: [{ tenant: 'acme', kind: 'Tenant', change: 'changed', effect: 'widens' }],
      notices: ['What widens would wait for another admin.'],
    });
    const revision = await api.ports.store.readRevision('acme');
    const from = await count();
    const { json } = asDescribed(await api.as(dana, 'POST', '/documents/apply', { files }), 'post', '/documents/apply');
    expect(json).toMatchObject({ applied: false, items: [{ waits: true }], waiting: [{ author: 'local#dana', approvers: ['emma'] }] });
    expect(await api.ports.store.readRevision('acme')).toBe(revision);
    await approved(json.waiting[0]);
    expect(await api.ports.store.readRevision('acme')).toBe((revision ?? 0) + 1);
    expect(await typesSince(from)).toEqual(['change.requested', 'change.approved', 'configuration.applied']);
    expect((await api.as(dana, 'POST', '/documents/apply', { files })).json).toMatchObject({ applied: false, items: [] });
    expect((await api.as({ tenant: 'acme', id: 'local#eve', name: 'eve' }, 'GET', '/me')).json.roles).toEqual(['reviewer']);
    await api.changePeople('acme', acmePeople);
  });
  test("what is wrong in the operator's document or with another tenant is not told", async () => {
    const platform = await api.ports.store.readPlatform();
    if (platform?.body.kind !== 'Platform') throw new Error('no platform');
    const globex = platform.body.tenants['globex'];
    const twice = { ...platform.body.tenants, globex: { trust: [...(globex?.trust ?? []), ...(platform.body.tenants['acme']?.trust ?? []).slice(1)] } };
    await api.ports.store.applyConfiguration({ platform: { ...platform, body: { ...platform.body, tenants: twice } }, tenants: [] });
    const answer = await api.as(dana, 'POST', '/documents/plan', { files: [{ source: 'tenant.yaml', text: tenant(acmePeople) }] });
    await api.ports.store.applyConfiguration({ platform, tenants: [] });
    expect(answer.status).toBe(422);
    expect(answer.json.problems).toEqual([
      { file: '', line: null, path: '', cause: 'The configuration as a whole would not hold', remedy: 'Ask the operator' },
    ]);
    expect(answer.text).not.toContain('globex');
  });
  test('one bad document, and nothing is applied; file and remedy are named', async () => {
    const files = [
      { source: 'tenant.yaml', text: tenant({ dana: { subject: 'local#dana', roles: ['admin'] } }) },
      { source: 'bad.yaml', text: 'kind: Agent\ntenant: acme\nname: BAD NAME\n' },
    ];
    const revision = await api.ports.store.readRevision('acme');
    const { status, json } = await api.as(dana, 'POST', '/documents/apply', { files });
    expect([status, json.code]).toEqual([422, 'documents.invalid']);
    expect(json.problems[0]).toMatchObject({ file: 'bad.yaml', cause: expect.any(String), remedy: expect.any(String) });
    expect(await api.ports.store.readRevision('acme')).toBe(revision);
  });
});

const anyProblem = { file: expect.any(String), line: expect.toSatisfy(() => true), path: expect.any(String), remedy: expect.any(String) };

describe('policies', () => {
  test('the active ones are valid, tested, and no case is missing', async () => {
    expect(asDescribed(await api.as(dana, 'POST', '/policies/check', {}), 'post', '/policies/check').json).toEqual({ ok: true, problems: [] });
    const { json } = asDescribed(await api.as(olga, 'POST', '/policies/test', {}), 'post', '/policies/test');
    expect(json).toMatchObject({ ok: true, untested: [], results: [{ ok: true }, { ok: true }] });
  });
  test('a candidate stands in for the file of its name and changes nothing', async () => {
    const { file, text, cases } = lawOf('acme');
    const weaker = { file, text: text.replace('500.0', '5000.0'), cases };
    expect((await api.as(dana, 'POST', '/policies/test', { files: [weaker] })).json).toMatchObject({ ok: false });
    const broken = { file, text: text.replace('context.args.amount', 'context.args.amonut'), cases };
    const checked = await api.as(dana, 'POST', '/policies/check', { files: [broken] });
    expect(checked.json).toMatchObject({ ok: false, problems: [{ file, remedy: expect.any(String) }] });
    expect((await api.as(dana, 'POST', '/policies/test', {})).json.ok).toBe(true);
  });
  test('explained: what would be decided and why', async () => {
    const ask = (amount: number) =>
      api.as(dana, 'POST', '/policies/explain', { tool: 'ledger__post_payment', facts: { args: { invoice: 'INV-7', iban: 'DE1', amount } } });
    const waits = asDescribed(await ask(600), 'post', '/policies/explain').json;
    expect(waits).toMatchObject({ decision: 'require', requirements: ['approval:finance:2'] });
    expect(waits.text).toContain('Payments above 500 need two people from finance');
    expect((await ask(400)).json.decision).toBe('allow');
    const suspended = { args: { invoice: 'INV-7', iban: 'DE1', amount: 400 }, agent: { status: 'suspended' } };
    expect((await api.as(dana, 'POST', '/policies/explain', { tool: 'ledger__post_payment', facts: suspended })).json.decision).toBe('deny');
    expect((await api.as(dana, 'POST', '/policies/explain', { tool: 'ledger__nothing' })).status).toBe(404);
    const foreign = { args: { invoice: 'INV-7', iban: 'DE1', amount: 400 }, session: { tenant: 'globex' } };
    const walled = await api.as(dana, 'POST', '/policies/explain', { tool: 'ledger__post_payment', facts: foreign });
    expect(walled.json).toMatchObject({ decision: 'deny', policies: [{ id: expect.stringMatching(/^platform\//) }] });
    const unknown = await api.as(dana, 'POST', '/policies/explain', { tool: 'ledger__post_payment', facts: { agent: { name: 'nobody' } } });
    expect(unknown.json.code).toBe('facts.unknown');
  });
  test('explained: what would change it, also by other texts than those in force', async () => {
    const asked = { tool: 'ledger__post_payment', facts: { args: { invoice: 'INV-7', iban: 'DE1', amount: 600 } } };
    const waits = asDescribed(await api.as(dana, 'POST', '/policies/explain', asked), 'post', '/policies/explain').json;
    expect(waits.changes).toContainEqual({ facts: [{ fact: 'context.args.amount', from: '600', to: '500' }], decision: 'allow', requirements: [] });
    expect(waits.text).toContain('if the argument amount were 500 instead of 600: it would be allowed');
    const { file, text, cases } = lawOf('acme');
    const files = [{ file, text: text.replace('500.0', '5000.0'), cases }];
    expect((await api.as(dana, 'POST', '/policies/explain', { ...asked, files })).json.decision).toBe('allow');
    const broken = await api.as(dana, 'POST', '/policies/explain', { ...asked, files: [{ file, text: 'permit', cases }] });
    expect(broken.json).toMatchObject({ code: 'policies.invalid', problems: [{ file }] });
  });
  test('activated only when they hold, every case does, and each policy is missed by one; by an admin, with a record', async () => {
    const { file, text, cases } = lawOf('acme');
    const revision = await api.ports.store.readRevision('acme');
    const spare = text.replace(/@id\("acme\/[a-z-]+"\)/, '@id("acme/spare")').split(';')[0];
    const refused: [string, { file: string; text: string; cases: string | null }][] = [
      ['does not hold', { file, text: text.replace('500.0', '5000.0'), cases }],
      ['No case would notice', { file: 'spare.cedar', text: `${spare};`, cases: null }],
      ['No case would notice', { file, text, cases: null }],
      ['is not `acme/`', { file: 'other.cedar', text: text.replaceAll('@id("acme/', '@id("globex/'), cases: null }],
      [
        'nest',
        {
          file: 'deep.cedar',
          text: `@id("acme/deep") @reason("x") forbid (principal, action, resource) when { ${'('.repeat(150)}true${')'.repeat(150)} };`,
          cases: null,
        },
      ],
    ];
    for (const [cause, one] of refused) {
      const answer = await api.as(dana, 'POST', '/policies/activate', { files: [one] });
      expect(answer.json).toMatchObject({
        code: 'documents.invalid',
        problems: expect.arrayContaining([{ cause: expect.stringContaining(cause), ...anyProblem }]),
      });
    }
    expect(await api.ports.store.readRevision('acme')).toBe(revision);
    expect((await api.as(olga, 'POST', '/policies/activate', { files: [{ file, text, cases }] })).json.code).toBe('role.missing');

    const commented = `// Reviewed\n${text}`;
    const from = await count();
    const done = asDescribed(await api.as(dana, 'POST', '/policies/activate', { files: [{ file, text: commented, cases }] }), 'post', '/policies/activate');
    expect(done.json).toMatchObject({ applied: true, items: [{ name: file, change: 'changed' }] });
    expect(await typesSince(from)).toEqual(['configuration.applied']);
    expect((await api.ports.store.readConfiguration('acme'))?.policies).toMatchObject([{ file, text: commented }]);
  });
  test('the schema names the tools', async () => {
    expect(asDescribed(await api.as(dana, 'GET', '/policies/schema'), 'get', '/policies/schema').json.schema).toContain('ledger__post_payment');
  });
});

describe('audit', () => {
  test('records are paged in order and the chain verifies', async () => {
    const seen: number[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const { json } = asDescribed(await api.as(olga, 'GET', `/audit/records?from=${from}&limit=7`), 'get', '/audit/records');
      seen.push(...json.items.map(({ index }: { index: number }) => index));
      from = json.next;
    }
    expect(seen).toEqual(seen.map((_, i) => i));
    expect(seen.length).toBe(await count());
    const verified = asDescribed(await api.as(olga, 'GET', '/audit/verify'), 'get', '/audit/verify').json;
    expect(verified).toMatchObject({ ok: true, count: seen.length });
  });
});
