import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticate } from '../../server/identity/index.ts';
import { asAgent, delegated, granted, grants, idToken, svid, task, types } from '../identity/local-client.ts';
import { startProvider, type TestProvider } from '../identity/provider.ts';
import { issuerOf, makeTestKey, nowOf, sign, startTestBroker, type TestBroker, type TestKey } from '../identity/support.ts';

const id = 'spiffe://acme.example/agent/invoice-matcher';
let broker: TestBroker;
let provider: TestProvider;
let agentKey: TestKey;
let orchestratorKey: TestKey;

beforeAll(async () => {
  provider = await startProvider({ claims: () => ({ may_act: { sub: id } }) });
  [agentKey, orchestratorKey] = await Promise.all([makeTestKey('EdDSA'), makeTestKey()]);
  broker = await startTestBroker();
  await broker.change('acme', {
    trust: [
      { spiffe: 'acme.example', bundle: 'local', for: 'workloads' },
      { oidc: 'local', audience: 'taskgate', for: 'people' },
      { oidc: provider.issuer, audience: 'taskgate', for: 'people' },
      { oidc: provider.issuer, for: 'workloads' },
    ],
    agents: [
      { name: 'invoice-matcher', identity: id },
      { name: 'keyed', identity: { jwk: agentKey.publicJwk } },
      { name: 'cloud', identity: { issuer: provider.issuer, subject: 'machine' } },
    ],
    useCases: [
      { sponsors: { groups: ['finance'] }, inputs: { invoice: { type: 'string', pattern: '^INV-[0-9]{1,8}$' } } },
      { name: 'nightly', accountable: 'dana' },
    ],
    tenant: {
      people: {
        ana: { subject: 'local#ana', groups: ['finance'] },
        dana: { subject: 'local#dana', roles: ['admin'] },
        olga: { subject: `${provider.issuer}#olga`, groups: ['finance'] },
      },
      orchestrators: { scheduler: { jwk: orchestratorKey.publicJwk } },
    },
  });
});
afterAll(async () => {
  await Promise.all([broker.close(), provider.close()]);
});

const nightly = JSON.stringify([{ type: 'taskgate-task', use_case: 'nightly' }]);
const assertionOf = (key: TestKey, name: string): Promise<string> =>
  sign(key, { iss: name, sub: name, aud: issuerOf(broker), iat: nowOf(broker), exp: nowOf(broker) + 60, jti: crypto.randomUUID() });

describe('a task opens by token exchange', () => {
  it('with a token for the session that the documents allow, not for what was asked', async () => {
    const { access_token, expires_in, details } = granted(await broker.post('token', await delegated(broker, { task: task({ lifetime: 999_999 }) })));
    expect(details).toMatchObject({
      type: 'taskgate-task',
      use_case: 'match-invoices',
      objective: 'Find the order an invoice belongs to',
      inputs: { invoice: 'INV-7' },
      attested_by: 'agent',
      tools: ['mail__search', 'mail__read_message', 'ledger__post_payment'],
      mcp_url: `http://localhost:7411/sessions/${details.session_id}/mcp`,
    });
    expect(expires_in).toBe(900);
    expect(details.expires_at - nowOf(broker)).toBeLessThanOrEqual(4 * 3_600);
    expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    const claims = decodeJwt(access_token);
    expect(claims).toMatchObject({
      iss: issuerOf(broker),
      aud: details.mcp_url,
      client_id: id,
      act: { sub: id },
      sub: 'local#ana',
      mode: 'delegated',
      tenant: 'acme',
      sid: details.session_id,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
    const caller = await authenticate(broker.ports, { authorization: `Bearer ${access_token}`, door: 'session', session: details.session_id });
    expect(caller).toMatchObject({
      tenant: 'acme',
      agent: 'invoice-matcher',
      session: details.session_id,
      sponsor: 'local#ana',
      bound: false,
      door: 'session',
    });
  });

  it('with a token that ends with a session shorter than 15 minutes', async () => {
    const { expires_in } = granted(await broker.post('token', await delegated(broker, { task: task({ lifetime: 60 }) })));
    expect(expires_in).toBeGreaterThanOrEqual(59);
    expect(expires_in).toBeLessThanOrEqual(60);
  });

  it('for a sponsor who logged in at a real OpenID provider', async () => {
    const form = { ...(await delegated(broker)), subject_token: await provider.logIn('olga') };
    expect(decodeJwt(granted(await broker.post('token', form)).access_token)).toMatchObject({ sub: `${provider.issuer}#olga`, act: { sub: id } });
  });

  it('attested by the sponsor whose login covers it, or by an orchestrator that proves its key beside the agent', async () => {
    const login = { agent: 'invoice-matcher', authorization_details: JSON.parse(task()) as unknown };
    expect(granted(await broker.post('token', await delegated(broker, { login }))).details.attested_by).toBe('sponsor');
    const orchestrated = await delegated(broker, {
      form: { client_assertion_type: types.assertion, client_assertion: await assertionOf(orchestratorKey, 'scheduler') },
    });
    const { details } = granted(await broker.post('token', orchestrated));
    expect(details.attested_by).toBe('orchestrator');
    expect((await broker.ports.store.readSession('acme', details.session_id))?.session.requester).toBe('orchestrator:scheduler');
  });

  it('not with an orchestrator’s key alone, nor with a wrong one beside the agent', async () => {
    const assertion = await assertionOf(orchestratorKey, 'scheduler');
    expect((await broker.post('token', { ...(await delegated(broker)), actor_token: assertion })).body).toMatchObject({ error: 'invalid_grant' });
    const alone = {
      grant_type: grants.client,
      client_assertion_type: types.assertion,
      client_assertion: await assertionOf(orchestratorKey, 'scheduler'),
      authorization_details: nightly,
    };
    expect((await broker.post('token', alone)).body).toMatchObject({ error: 'unauthorized_client' });
    const wrong = await delegated(broker, { form: { client_assertion_type: types.assertion, client_assertion: await assertionOf(agentKey, 'scheduler') } });
    expect(await broker.post('token', wrong)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('a task opens for the agent alone', () => {
  it('with its SVID as client assertion, under either type', async () => {
    for (const type of [types.assertion, types.spiffe]) {
      const { access_token } = granted(await broker.post('token', await asAgent(broker, nightly, { client_assertion_type: type })));
      const claims = decodeJwt(access_token);
      expect(claims).toMatchObject({ sub: id, client_id: id, mode: 'autonomous' });
      expect(claims).not.toHaveProperty('act');
    }
  });

  it('with private_key_jwt, each assertion once', async () => {
    const form = {
      grant_type: grants.client,
      client_assertion_type: types.assertion,
      client_assertion: await assertionOf(agentKey, 'keyed'),
      authorization_details: nightly,
    };
    expect(decodeJwt(granted(await broker.post('token', form)).access_token)).toMatchObject({ sub: 'keyed' });
    expect(await broker.post('token', form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const asSpiffe = { ...form, client_assertion_type: types.spiffe, client_assertion: await assertionOf(agentKey, 'keyed') };
    expect(await broker.post('token', asSpiffe)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('with the JWT its cloud gave it, as a jwt-bearer grant; and an orchestrator may vouch for the task', async () => {
    const form = async (): Promise<Record<string, string>> => ({
      grant_type: grants.bearer,
      assertion: await provider.machineToken('machine', issuerOf(broker)),
      authorization_details: nightly,
    });
    expect(granted(await broker.post('token', await form())).details.attested_by).toBe('agent');
    const vouched = { ...(await form()), client_assertion_type: types.assertion, client_assertion: await assertionOf(orchestratorKey, 'scheduler') };
    expect(granted(await broker.post('token', vouched)).details.attested_by).toBe('orchestrator');
  });

  it('not where the use case needs a sponsor', async () => {
    expect((await broker.post('token', await asAgent(broker, task()))).body).toEqual({
      error: 'invalid_grant',
      error_description: 'This use case needs a sponsor; nobody has logged in for it.',
    });
  });

  it('as a child of its own live task, with the sponsor of that', async () => {
    const parent = granted(await broker.post('token', await delegated(broker))).details.session_id;
    const child = granted(await broker.post('token', await asAgent(broker, task({ parent, tools: ['mail__search'] }))));
    expect(child.details).toMatchObject({ parent, tools: ['mail__search'] });
    expect(decodeJwt(child.access_token)).toMatchObject({ sub: 'local#ana', act: { sub: id } });
  });
});

describe('the door of a token', () => {
  it('is /mcp when the resource says so', async () => {
    const { access_token, details } = granted(await broker.post('token', await asAgent(broker, nightly, { resource: 'http://localhost:7411/mcp' })));
    expect(details.mcp_url).toBe('http://localhost:7411/mcp');
    expect(decodeJwt(access_token).aud).toBe('http://localhost:7411/mcp');
  });

  it.each([
    'http://localhost:7411',
    'http://localhost:7411/v1',
    'https://evil.example/mcp',
    'http://localhost:7411/mcp/',
    'http://localhost:7411/sessions/ses_acme_AAAAAAAAAAAAAAAAAAAAAA/mcp',
  ])('is never %s', async (resource) => {
    expect((await broker.post('token', await asAgent(broker, nightly, { resource }))).body).toMatchObject({ error: 'invalid_target' });
  });
});

describe('a person’s token', () => {
  const form = async (as: string): Promise<Record<string, string>> => ({
    grant_type: grants.exchange,
    subject_token: await idToken(broker, as, {}),
    subject_token_type: types.id,
    resource: 'http://localhost:7411/v1',
  });

  it('is for /v1, an hour long, and the login is used up and on the record', async () => {
    const once = await form('dana');
    const answer = await broker.post('token', once);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 3_600, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    });
    expect(decodeJwt(String(answer.body['access_token']))).toMatchObject({ aud: 'http://localhost:7411/v1', sub: 'local#dana', tenant: 'acme' });
    expect((await broker.ports.store.readRecords('acme', 0, 1_000)).at(-1)?.body).toMatchObject({ type: 'person.login', actor: 'local#dana' });
    expect((await broker.post('token', once)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await broker.post('token', { ...(await delegated(broker)), subject_token: once['subject_token'] ?? '' })).status).toBe(400);
  });

  it('is not given to whom the document does not name, nor with an actor', async () => {
    const stranger = { ...(await form('ana')), subject_token: await provider.logIn('stranger') };
    expect((await broker.post('token', stranger)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await broker.post('token', { ...(await form('ana')), actor_token: await svid(broker), actor_token_type: types.jwt })).body).toMatchObject({
      error: 'invalid_request',
    });
  });
});
