import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enterSession } from '../../server/call/enter-session.ts';
import { isRefusal } from '../../server/call/refusals.ts';
import { authenticate } from '../../server/identity/index.ts';
import { asAgent, delegated, type Granted, granted, grants, idToken, renewal, svid, task, types } from '../identity/local-client.ts';
import { inDays, startTestBroker, type TestBroker } from '../identity/support.ts';

const agents = ['invoice-matcher', 'other'].map((name) => ({ name, identity: `spiffe://acme.example/agent/${name}` }));
const useCase = { sponsors: { groups: ['finance'] }, inputs: { invoice: { type: 'string' } } };

let broker: TestBroker;
let open: Granted;
beforeEach(async () => {
  broker = await startTestBroker({ acme: { agents, useCases: [useCase] }, globex: {} });
  open = granted(await broker.post('token', await delegated(broker)));
});
afterEach(() => broker.close());

const renew = async (session = open.details.session_id, form: Readonly<Record<string, string>> = {}) =>
  broker.post('token', await asAgent(broker, renewal(session), form));
/** What the next call would meet at the door and at the session. */
async function nextCall(token = open.access_token): Promise<string> {
  const caller = await authenticate(broker.ports, { authorization: `Bearer ${token}`, door: 'session', session: open.details.session_id });
  if (isRefusal(caller)) return caller.refused;
  if ('kind' in caller) throw new Error('a connection');
  const session = await enterSession(broker.ports, caller);
  return isRefusal(session) ? session.refused : 'entered';
}

describe('renewal', () => {
  it('gives a fresh token for the same session on a fresh workload credential, however it was opened', async () => {
    broker.advance(14 * 60_000);
    const fresh = granted(await renew());
    expect(fresh.details).toEqual(open.details);
    broker.advance(5 * 60_000);
    expect(await nextCall()).toBe('token.expired');
    expect(await nextCall(fresh.access_token)).toBe('entered');
    expect((await broker.ports.store.readRecords('acme', 0, 100)).map(({ body }) => body.type)).toContain('session.renewed');
    // As long as the new token is good, what the old one opened stays open.
    const until = (await broker.ports.store.renewedUntil('acme', open.details.session_id)) ?? 0;
    expect(Math.floor(until / 1000)).toBe((decodeJwt(fresh.access_token) as { exp: number }).exp);
  });

  it('never outlives the session', async () => {
    broker.advance(29 * 60_000);
    expect(granted(await renew()).expires_in).toBeLessThanOrEqual(60);
    broker.advance(61_000);
    expect((await renew()).body).toEqual({ error: 'invalid_grant', error_description: 'This task has reached its end time.' });
  });

  it('is not to be had with an access token, another agent’s credential, or for another tenant’s session', async () => {
    expect((await renew(open.details.session_id, { client_assertion: open.access_token })).status).toBe(401);
    const gone = { error: 'invalid_grant', error_description: 'There is no such task.' };
    expect((await renew(open.details.session_id, { client_assertion: await svid(broker, 'acme', 'other') })).body).toEqual(gone);
    expect((await renew(`ses_acme_${'A'.repeat(22)}`)).body).toEqual(gone);
    expect((await renew('ses_globex_AAAAAAAAAAAAAAAAAAAAAA')).body).toEqual(gone);
    const elsewhere = {
      grant_type: grants.client,
      client_assertion_type: types.assertion,
      client_assertion: await svid(broker, 'globex'),
      authorization_details: renewal(open.details.session_id),
    };
    expect((await broker.post('token', elsewhere, { tenant: 'globex' })).body).toEqual(gone);
  });

  it('may name the session’s own door, and no other session’s', async () => {
    expect((await renew(open.details.session_id, { resource: open.details.mcp_url })).status).toBe(200);
    expect((await renew(open.details.session_id, { resource: open.details.mcp_url.replace('ses_acme_', 'ses_acme_x') })).body).toMatchObject({
      error: 'invalid_target',
    });
  });

  it.each([
    [
      'the agent was suspended by an admin',
      async () => broker.ports.store.setAgentStatus('acme', 'invoice-matcher', 'suspended', { type: 'agent.suspended', at: 0, tenant: 'acme' }),
    ],
    [
      'the agent was suspended in its document',
      async () => broker.change('acme', { agents: agents.map((one) => ({ ...one, status: 'suspended' })), useCases: [useCase] }),
    ],
    ['the agent has expired', async () => broker.change('acme', { agents: agents.map((one) => ({ ...one, expires: inDays(-1) })), useCases: [useCase] })],
    ['the use case is gone', async () => broker.change('acme', { agents, useCases: [{ ...useCase, name: 'another' }] })],
    ['the use case has expired', async () => broker.change('acme', { agents, useCases: [{ ...useCase, expires: inDays(-1) }] })],
    ['the sponsor was removed from the tenant', async () => broker.change('acme', { agents, useCases: [useCase], tenant: { people: {} } })],
    [
      'the sponsor left the group',
      async () => broker.change('acme', { agents, useCases: [useCase], tenant: { people: { ana: { subject: 'local#ana', groups: ['sales'] } } } }),
    ],
    [
      'two names of the document claim the sponsor',
      async () =>
        broker.change('acme', {
          agents,
          useCases: [useCase],
          tenant: { people: { ana: { subject: 'local#ana', groups: ['finance'] }, ann: { subject: 'local#ana', groups: ['finance'] } } },
        }),
    ],
    ['the tenant now asks for proof of a key', async () => broker.change('acme', { agents, useCases: [useCase], tenant: { require_proof: true } })],
  ])('is refused once %s', async (_, happen) => {
    expect((await renew()).status).toBe(200);
    await happen();
    const { status, body } = await renew();
    expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_grant' });
  });
});

describe('revocation', () => {
  const revoke = (token: string, form: Readonly<Record<string, string>> = {}, tenant = 'acme') => broker.post('revoke', { token, ...form }, { tenant });

  it('ends the session and all below it: the next call is refused', async () => {
    const child = granted(await broker.post('token', await asAgent(broker, task({ parent: open.details.session_id })))).details.session_id;
    expect(await nextCall()).toBe('entered');
    expect(await revoke(open.access_token, { client_assertion_type: types.assertion, client_assertion: await svid(broker) })).toEqual({
      status: 200,
      body: {},
    });
    expect(await nextCall()).toBe('session.ended');
    expect((await broker.ports.store.readSession('acme', child))?.session.status).toBe('ended');
    expect((await renew()).status).toBe(400);
    expect(await revoke(open.access_token)).toEqual({ status: 200, body: {} });
  });

  it('needs no more than the token, even an expired one', async () => {
    broker.advance(16 * 60_000);
    expect(await nextCall()).toBe('token.expired');
    await revoke(open.access_token);
    expect((await broker.ports.store.readSession('acme', open.details.session_id))?.session.status).toBe('ended');
  });

  it('does nothing, in the same words, for a token that is unknown, forged, of another tenant or of another agent', async () => {
    const forged = `${open.access_token.slice(0, -8)}AAAAAAAA`;
    expect(await revoke('unknown')).toEqual({ status: 200, body: {} });
    expect(await revoke(forged)).toEqual({ status: 200, body: {} });
    expect(await revoke(open.access_token, {}, 'globex')).toEqual({ status: 200, body: {} });
    const other = { client_assertion_type: types.assertion, client_assertion: await svid(broker, 'acme', 'other') };
    expect(await revoke(open.access_token, other)).toEqual({ status: 200, body: {} });
    expect(await nextCall()).toBe('entered');
  });

  it('does not overlook a wrong client assertion, a missing token, or a person’s token', async () => {
    expect((await revoke(open.access_token, { client_assertion_type: types.assertion, client_assertion: 'x.y.z' })).status).toBe(401);
    expect((await broker.post('revoke', {})).body).toMatchObject({ error: 'invalid_request' });
    expect((await revoke(await personToken('dana'))).body).toMatchObject({ error: 'unsupported_token_type' });
    expect(await nextCall()).toBe('entered');
  });
});

async function personToken(as: string, tenant = 'acme'): Promise<string> {
  const form = {
    grant_type: grants.exchange,
    subject_token: await idToken(broker, as, {}, tenant),
    subject_token_type: types.id,
    resource: 'http://localhost:7411/v1',
  };
  return String((await broker.post('token', form, { tenant })).body['access_token']);
}

describe('introspection', () => {
  const asWorkload = async (agent = 'invoice-matcher', tenant = 'acme') => ({
    client_assertion_type: types.assertion,
    client_assertion: await svid(broker, tenant, agent),
  });

  it('tells an agent about its own token, and an admin about any of the tenant', async () => {
    const shown = {
      active: true,
      sub: 'local#ana',
      tenant: 'acme',
      sid: open.details.session_id,
      token_type: 'Bearer',
      authorization_details: [{ session_id: open.details.session_id }],
    };
    expect((await broker.post('introspect', { token: open.access_token, ...(await asWorkload()) })).body).toMatchObject(shown);
    expect((await broker.post('introspect', { token: open.access_token }, { authorization: `Bearer ${await personToken('dana')}` })).body).toMatchObject(shown);
  });

  it('answers inactive, and nothing else, for what is not the asker’s or not alive', async () => {
    const inactive = { status: 200, body: { active: false } };
    expect(await broker.post('introspect', { token: open.access_token, ...(await asWorkload('other')) })).toEqual(inactive);
    expect(await broker.post('introspect', { token: open.access_token, ...(await asWorkload('invoice-matcher', 'globex')) }, { tenant: 'globex' })).toEqual(
      inactive,
    );
    expect(await broker.post('introspect', { token: 'unknown', ...(await asWorkload()) })).toEqual(inactive);
    expect(await broker.post('introspect', { token: await personToken('ana'), ...(await asWorkload()) })).toEqual(inactive);
    await broker.post('revoke', { token: open.access_token });
    expect(await broker.post('introspect', { token: open.access_token, ...(await asWorkload()) })).toEqual(inactive);
  });

  it('is for nobody else', async () => {
    const refused = { status: 401, body: { error: 'invalid_client', error_description: 'The client could not be authenticated.' } };
    const ask = (authorization?: string) => broker.post('introspect', { token: open.access_token }, authorization === undefined ? {} : { authorization });
    expect(await ask()).toEqual(refused);
    expect(await ask(`Bearer ${open.access_token}`)).toEqual(refused);
    expect(await ask(`Bearer ${await personToken('bob')}`)).toEqual(refused);
    expect(await ask(`Bearer ${await personToken('dana', 'globex')}`)).toEqual(refused);
  });
});
