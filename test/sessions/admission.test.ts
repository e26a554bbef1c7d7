import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { type Login, verifyPersonToken } from '../../server/identity/index.ts';
import { type OpenRequest, openSession, taskDigest } from '../../server/sessions/index.ts';
import { idToken } from '../identity/local-client.ts';
import { grantOf, inDays, startTestBroker, type TestBroker, type TestTenant } from '../identity/support.ts';

let broker: TestBroker;
beforeEach(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.close());

async function logIn(as: string, more?: Readonly<Record<string, unknown>>, clients: readonly string[] = []): Promise<Login> {
  const login = await verifyPersonToken(broker.ports, broker.snapshot(), await idToken(broker, as, more), clients);
  if (isRefusal(login)) throw new Error(String(login.detail));
  return login;
}
const open = async (more: Partial<OpenRequest> = {}) =>
  openSession(broker.ports, broker.snapshot(), {
    agent: 'invoice-matcher',
    useCase: 'match-invoices',
    inputs: { invoice: 'INV-7' },
    ...more,
    login: 'login' in more ? (more.login ?? null) : await logIn('ana'),
  });
async function whyRefused(more: Partial<OpenRequest> = {}): Promise<string> {
  const answer = await open(more);
  if (!isRefusal(answer)) throw new Error('it was opened');
  return answer.message;
}
const autonomous: TestTenant = { useCases: [{ accountable: 'dana', inputs: {} }] };
const lastRecord = async () => (await broker.ports.store.readRecords('acme', 0, 100)).at(-1)?.body;

describe('a task session opens', () => {
  it('as the documents say, and the opening is on the record', async () => {
    const session = await open({ objective: 'Pay INV-7 if it matches' });
    expect(session).toMatchObject({
      tenant: 'acme',
      agent: 'invoice-matcher',
      useCase: 'match-invoices',
      workflow: 'invoice-matching',
      mode: 'delegated',
      sponsor: 'local#ana',
      requester: 'spiffe://acme.example/agent/invoice-matcher',
      objective: 'Pay INV-7 if it matches',
      attestedBy: 'agent',
      ceiling: 'confidential',
      budget: { calls: 200, amount: null, perDay: { calls: 1000, amount: 50_000_000 } },
      status: 'active',
      cnf: null,
    });
    if (isRefusal(session)) throw new Error();
    expect(session.id).toMatch(/^ses_acme_[A-Za-z0-9_-]{22}$/);
    expect(session.expiresAt - session.openedAt).toBeGreaterThan(1_798_000);
    expect(session.expiresAt - session.openedAt).toBeLessThanOrEqual(1_800_000);
    expect(session.taskSha256).toBe(taskDigest(session));
    expect(await lastRecord()).toMatchObject({
      type: 'session.opened',
      session: session.id,
      sponsor: 'local#ana',
      task_sha256: session.taskSha256,
      attested_by: 'agent',
    });
  });

  it('without a sponsor where the use case names who is accountable', async () => {
    await broker.change('acme', autonomous);
    expect(await open({ login: null, inputs: {} })).toMatchObject({ mode: 'autonomous', sponsor: 'local#dana' });
    // A login beside it changes nothing, and is not used up.
    const login = await logIn('ana');
    expect(await open({ login, inputs: {} })).toMatchObject({ mode: 'autonomous', sponsor: 'local#dana', attestedBy: 'agent' });
    expect(await broker.ports.store.useOnce(login.once.scope, login.once.key, login.once.expiresAt, broker.ports.clock())).toBe(true);
  });

  it('with defaults for inputs that have one', async () => {
    await broker.change('acme', {
      useCases: [{ sponsors: { groups: ['finance'] }, inputs: { invoice: { type: 'string' }, dry_run: { type: 'boolean', default: true } } }],
    });
    expect(await open()).toMatchObject({ inputs: { invoice: 'INV-7', dry_run: true } });
  });

  it('with fewer tools, less time and a lower ceiling when less is asked or the agent may less', async () => {
    await broker.change('acme', { agents: [{ name: 'invoice-matcher', identity: 'spiffe://acme.example/agent/invoice-matcher', clearance: 'internal' }] });
    const session = await open({ tools: ['mail__search'], lifetime: 60 });
    expect(session).toMatchObject({ grants: [{ tool: 'mail__search' }], ceiling: 'internal' });
    if (!isRefusal(session)) expect(session.expiresAt - session.openedAt).toBeLessThanOrEqual(60_000);
  });

  it('no longer than the use case allows, nor past the last day of agent and use case', async () => {
    const long = await open({ lifetime: 999_999 });
    if (isRefusal(long)) throw new Error(long.message);
    expect(long.expiresAt - long.openedAt).toBeLessThanOrEqual(14_400_000);
    const endOfToday = Date.parse(`${inDays(0)}T00:00:00Z`) + 86_400_000;
    await broker.change('acme', {
      agents: [{ name: 'invoice-matcher', identity: 'spiffe://acme.example/agent/invoice-matcher', expires: inDays(0) }],
      useCases: [{ sponsors: { groups: ['finance'] }, inputs: { invoice: {} }, lifetime: { default: '30m', longest: '9d' } }],
    });
    expect(await open({ lifetime: 700_000 })).toMatchObject({ expiresAt: endOfToday });
  });

  it('with group membership the issuer states, where the operator named the claim', async () => {
    const login = await logIn('eve');
    expect(await whyRefused({ login })).toBe('This person may not sponsor this use case.');
    const stated = { ...login, claimedGroups: ['finance'] };
    expect(await whyRefused({ login: stated })).toBe('This person may not sponsor this use case.');
    await broker.change('acme', { trust: [{ oidc: 'local', audience: 'taskgate', for: 'people', groups_claim: 'groups' }] });
    expect(await open({ login: stated })).toMatchObject({ sponsor: 'local#eve', sponsorGroups: ['finance'] });
  });
});

describe('a task session is refused', () => {
  it('to an agent that is unknown, suspended by document or by an admin, or expired', async () => {
    expect(await whyRefused({ agent: 'nobody' })).toBe('This agent is not registered.');
    await broker.ports.store.setAgentStatus('acme', 'invoice-matcher', 'suspended', { type: 'agent.suspended', at: 0, tenant: 'acme' });
    expect(await open()).toMatchObject({ refused: 'agent.suspended' });
    await broker.ports.store.setAgentStatus('acme', 'invoice-matcher', 'active', { type: 'agent.activated', at: 0, tenant: 'acme' });
    const agent = { name: 'invoice-matcher', identity: 'spiffe://acme.example/agent/invoice-matcher' };
    await broker.change('acme', { agents: [{ ...agent, status: 'suspended' }] });
    expect(await open()).toMatchObject({ refused: 'agent.suspended' });
    await broker.change('acme', { agents: [{ ...agent, expires: inDays(-1) }] });
    expect(await whyRefused()).toMatch(/^This agent has expired/);
  });

  it('for a use case that is unknown, of another workflow, or expired; the first two alike', async () => {
    expect(await whyRefused({ useCase: 'nothing' })).toBe('There is no such use case for this agent.');
    await broker.change('acme', { useCases: [{ sponsors: { groups: ['finance'] }, workflow: 'payroll' }] });
    expect(await whyRefused()).toBe('There is no such use case for this agent.');
    await broker.change('acme', { useCases: [{ sponsors: { groups: ['finance'] }, expires: inDays(-1) }] });
    expect(await whyRefused()).toMatch(/^This use case has expired/);
  });

  it('without a sponsor, with one outside the groups, or one who is not of the tenant', async () => {
    expect(await whyRefused({ login: null })).toBe('This use case needs a sponsor; nobody has logged in for it.');
    expect(await whyRefused({ login: await logIn('eve') })).toBe('This person may not sponsor this use case.');
    const login = await logIn('ana');
    await broker.change('acme', { tenant: { people: {} } });
    expect(await whyRefused({ login })).toBe('This person may not sponsor this use case.');
  });

  it('when the sponsor logged in for no agent or for another one', async () => {
    const id = (name: string) => `spiffe://acme.example/agent/${name}`;
    await broker.change('acme', { agents: ['invoice-matcher', 'other'].map((name) => ({ name, identity: id(name), clients: [`${name}-app`] })) });
    expect(await whyRefused({ login: await logIn('ana', {}) })).toBe('The sponsor has not logged in for this agent.');
    expect(await whyRefused({ login: await logIn('ana', { agent: 'other' }) })).toBe('The sponsor has not logged in for this agent.');
    const login = await logIn('ana', {});
    // `may_act` decides when it is there, whatever the client was.
    const named = { ...(await logIn('ana', { agent: 'other' })), authorizedParty: 'invoice-matcher-app' };
    expect(await whyRefused({ login: named })).toBe('The sponsor has not logged in for this agent.');
    expect(await whyRefused({ login: { ...login, authorizedParty: 'other-app' } })).toBe('The sponsor has not logged in for this agent.');
    expect(await whyRefused({ login: { ...login, mayAct: { sub: id('invoice-matcher'), iss: 'https://elsewhere.example' } } })).toBe(
      'The sponsor has not logged in for this agent.',
    );
    expect(await open({ login: { ...login, authorizedParty: 'invoice-matcher-app' } })).toMatchObject({ sponsor: 'local#ana' });
    expect(await open({ login: { ...(await logIn('ana', {})), audiences: ['invoice-matcher-app'] } })).toMatchObject({ sponsor: 'local#ana' });
  });

  it('when agent and sponsor are one identity', async () => {
    await broker.change('acme', {
      agents: [{ name: 'invoice-matcher', identity: { issuer: 'https://login.acme.example', subject: 'bot' }, clients: ['app'] }],
      tenant: { people: { bot: { subject: 'https://login.acme.example#bot', groups: ['finance'] } } },
    });
    const login = { ...(await loginOf('https://login.acme.example#bot', 'bot')), authorizedParty: 'app' };
    expect(await whyRefused({ login })).toBe('An agent cannot sponsor itself.');
  });
  const loginOf = async (id: string, name: string): Promise<Login> =>
    ({
      person: { tenant: 'acme', id, name },
      claimedGroups: [],
      audiences: [],
      authorizedParty: null,
      mayAct: null,
      authorizationDetails: null,
      once: { scope: 'login/acme', key: id, expiresAt: broker.ports.clock() + 60_000 },
    }) as unknown as Login;

  it('when nobody is accountable any more', async () => {
    await broker.change('acme', { ...autonomous, tenant: { people: {} } });
    expect(await whyRefused({ login: null, inputs: {} })).toBe('Nobody is accountable for this use case now.');
  });

  it.each([
    ['missing', {}, "The input 'invoice' is missing."],
    ['undeclared', { invoice: 'INV-7', more: 1 }, "The use case has no input 'more'."],
    ['inherited from Object', { invoice: 'INV-7', constructor: 'x' }, "The use case has no input 'constructor'."],
  ])('with an input that is %s', async (_, inputs, message) => {
    expect(await whyRefused({ inputs })).toBe(message);
  });

  it('with an input that does not fit, in words that do not quote it', async () => {
    for (const invoice of ['INV-secret', 7, null, ['INV-7'], 'INV-7\n']) {
      const message = await whyRefused({ inputs: { invoice } });
      expect(message).toMatch(/^The input 'invoice' does not fit: /);
      expect(message).not.toContain('secret');
    }
  });

  it('with an objective that is empty, too long or not text', async () => {
    for (const objective of ['', '   ', 'x'.repeat(2_001), '\ud800']) expect(await whyRefused({ objective })).toMatch(/^The objective must be text/);
  });

  it('with a tool the use case does not grant, or none at all', async () => {
    expect(await whyRefused({ tools: ['mail__search', 'mail__send'] })).toBe("The tool 'mail__send' is not granted to this task.");
    await broker.change('acme', { useCases: [{ sponsors: { groups: ['finance'] }, inputs: { invoice: {} }, grants: [] }] });
    expect(await whyRefused()).toBe('This task would be granted no tool.');
  });

  it('to bearers where tenant or use case asks for proof of a key', async () => {
    await broker.change('acme', { tenant: { require_proof: true } });
    expect(await whyRefused()).toMatch(/bearers are refused/);
    await broker.change('acme', { useCases: [{ sponsors: { groups: ['finance'] }, require_proof: true, inputs: { invoice: {} } }] });
    expect(await whyRefused()).toMatch(/bearers are refused/);
  });

  it('when as many are open as may be, however many ask at once', async () => {
    await broker.change('acme', { useCases: [{ accountable: 'dana', inputs: {}, max_open_sessions: 3 }] });
    const answers = await Promise.all(Array.from({ length: 12 }, () => open({ login: null, inputs: {} })));
    expect(answers.filter((one) => !isRefusal(one))).toHaveLength(3);
  });

  it('when the configuration has moved on since it was read', async () => {
    const before = broker.snapshot();
    const login = await logIn('ana');
    await broker.change('acme', {});
    expect(await openSession(broker.ports, before, { agent: 'invoice-matcher', useCase: 'match-invoices', inputs: { invoice: 'INV-7' }, login })).toMatchObject(
      { refused: 'stale' },
    );
  });

  it('on a login that was used before, whoever comes first; a refused opening does not use it up', async () => {
    const login = await logIn('ana');
    expect(await whyRefused({ login, inputs: {} })).toBe("The input 'invoice' is missing.");
    const answers = await Promise.all(Array.from({ length: 8 }, () => open({ login })));
    expect(answers.filter((one) => !isRefusal(one))).toHaveLength(1);
    expect(await whyRefused({ login })).toBe('This login has been used before; log in again.');
  });

  it('on the record, with why', async () => {
    await whyRefused({ tools: ['mail__send'] });
    expect(await lastRecord()).toMatchObject({
      type: 'session.refused',
      agent: 'invoice-matcher',
      use_case: 'match-invoices',
      code: 'session.refused',
      sponsor: 'local#ana',
      detail: "The tool 'mail__send' is not granted to this task.",
    });
  });
});

describe('who attests objective and inputs', () => {
  const details = (more: Readonly<Record<string, unknown>> = {}) => [
    { type: 'taskgate-task', use_case: 'match-invoices', objective: 'Pay it', inputs: { invoice: 'INV-7' }, ...more },
  ];
  const covered = (more?: Readonly<Record<string, unknown>>) => logIn('ana', { agent: 'invoice-matcher', authorization_details: details(more) });

  it('is the sponsor when the login covers exactly this task', async () => {
    expect(await open({ login: await covered(), objective: 'Pay it' })).toMatchObject({ attestedBy: 'sponsor' });
    expect(await open({ login: await covered({ objective: undefined }) })).toMatchObject({
      attestedBy: 'sponsor',
      objective: 'Find the order an invoice belongs to',
    });
  });

  it('is the orchestrator that proved its key, else the agent', async () => {
    expect(await open({ attestedBy: 'orchestrator', requester: 'orchestrator:scheduler' })).toMatchObject({
      attestedBy: 'orchestrator',
      requester: 'orchestrator:scheduler',
    });
    expect(await open()).toMatchObject({ attestedBy: 'agent' });
  });

  it('is nobody when the login covers another task: it is refused', async () => {
    for (const more of [{ objective: 'Pay it twice' }, { inputs: { invoice: 'INV-8' } }, { use_case: 'other' }, { objective: undefined }]) {
      expect(await whyRefused({ login: await covered(more), objective: 'Pay it' })).toBe("The sponsor's login covers another task.");
    }
    expect(await whyRefused({ login: await covered({ surprise: 1 }), objective: 'Pay it' })).toBe("The sponsor's login covers something that is not one task.");
  });

  it('binds tools and lifetime too: a login that names them covers no more', async () => {
    const login = await covered({ tools: ['mail__search'], lifetime: 60 });
    expect(await whyRefused({ login, objective: 'Pay it', tools: ['ledger__post_payment'] })).toBe(
      "The sponsor's login does not cover the tool 'ledger__post_payment'.",
    );
    const session = await open({ login, objective: 'Pay it', lifetime: 600 });
    expect(session).toMatchObject({ grants: [grantOf('mail__search')] });
    if (!isRefusal(session)) expect(session.expiresAt - session.openedAt).toBeLessThanOrEqual(60_000);
  });
});
