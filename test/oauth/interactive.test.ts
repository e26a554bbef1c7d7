import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loggedIn, type Visit, visit } from '../console/visit.ts';
import { makeTestKey, sign, type TestKey } from '../identity/support.ts';
import { modernClient, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { ask, authorize, callback, consent, fields, listenOn, press, redeem, refresh, sessionOf, startHostBroker, token } from './host.ts';

let documents: Awaited<ReturnType<typeof listenOn>>;
let broker: TestBroker;
let ana: Visit;
let fetched = 0;
let key: TestKey;
const documentUrl = () => `${documents.url}/client.json`;

beforeAll(async () => {
  key = await makeTestKey();
  documents = await listenOn((request, response) => {
    fetched += 1;
    if (request.url === '/keys.json') return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.publicJwk] }));
    const body = {
      client_id: `${documents.url}${request.url}`,
      client_name: 'Harbour',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: request.url === '/keyed.json' ? 'private_key_jwt' : 'none',
      ...(request.url === '/keyed.json' ? { jwks_uri: `${documents.url}/keys.json` } : {}),
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  broker = await startHostBroker({ documents: [documentUrl(), `${documents.url}/keyed.json`] });
  ana = await loggedIn(broker, 'ana');
});
afterAll(async () => {
  await Promise.all([broker.end(), documents.close()]);
});

const open = async (over = {}) => {
  const asked = ask(over);
  return { asked, answer: await redeem(broker, await consent(broker, ana, asked), asked) };
};

describe('an interactive host', () => {
  it('finds from the address alone whose people log in where, and what is asked of it', async () => {
    const door = `${broker.url}/t/acme/mcp`;
    const refused = await fetch(door, { method: 'POST' });
    expect(refused.status).toBe(401);
    const metadata = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    const resource = (await (await fetch(metadata)).json()) as { resource: string; authorization_servers: string[] };
    expect(resource).toMatchObject({ resource: door, authorization_servers: [`${broker.url}/t/acme`] });
    const server = (await (await fetch(`${broker.url}/.well-known/oauth-authorization-server/t/acme`)).json()) as Record<string, unknown>;
    expect(server).toMatchObject({
      issuer: `${broker.url}/t/acme`,
      authorization_endpoint: `${broker.url}/t/acme/oauth/authorize`,
      registration_endpoint: `${broker.url}/t/acme/oauth/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
    const other = (await (await fetch(`${broker.url}/.well-known/oauth-authorization-server/t/globex`)).json()) as object;
    const none = (await (await fetch(`${broker.url}/.well-known/oauth-authorization-server/t/nowhere`)).json()) as object;
    expect(JSON.stringify(other).replaceAll('globex', 'x')).toBe(JSON.stringify(none).replaceAll('nowhere', 'x'));
    expect(other).not.toHaveProperty('registration_endpoint');
  });

  it('is given a session that is what the sponsor chose on the page, in their name and by their word', async () => {
    const asked = ask();
    const page = await authorize(broker, asked);
    const shown = await ana.get(page.pathname);
    for (const words of ['The Desk', 'invoice-matcher', 'Ends', 'at most 200', 'ledger__post_payment', 'Let it work for me'])
      expect(shown.text).toContain(words);
    const sent = await press(ana, page);
    const back = new URL(sent.headers.get('location') ?? '');
    expect(`${back.origin}${back.pathname}`).toBe(callback);
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'the state of the host', iss: `${broker.url}/t/acme` });
    const { status, body } = await redeem(broker, back.searchParams.get('code') ?? '', asked);
    expect(status).toBe(200);
    expect(body['authorization_details']).toMatchObject([
      { use_case: 'match-invoices', objective: 'Pay INV-7', inputs: { invoice: 'INV-7' }, attested_by: 'sponsor', mcp_url: `${broker.url}/t/acme/mcp` },
    ]);
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({
      sub: 'local#ana',
      aud: `${broker.url}/t/acme/mcp`,
      act: { sub: 'spiffe://acme.example/agent/invoice-matcher' },
    });
    const client = await modernClient({ mcpUrl: `${broker.url}/t/acme/mcp`, accessToken: body.access_token ?? '' });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    await client.close();
    const { session } = (await broker.ports.store.readSession('acme', sessionOf({ status, body })))!;
    expect(session).toMatchObject({ sponsor: 'local#ana', requester: 'client:desk', mode: 'delegated', attestedBy: 'sponsor' });
    const types = (await broker.ports.store.readRecords('acme', 0, 1_000)).map((one) => one.body.type);
    expect(types).toEqual(expect.arrayContaining(['session.consented', 'session.opened']));
  });

  it('opens nothing while a code is not taken, and nothing when the sponsor refuses or never answers', async () => {
    const before = (await broker.ports.store.listSessions('acme', {}, { after: null, limit: 100 })).length;
    await consent(broker, ana, ask());
    const refused = await press(ana, await authorize(broker, ask()), { decision: 'deny' });
    expect(new URL(refused.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied');
    await ana.get((await authorize(broker, ask())).pathname);
    expect((await broker.ports.store.listSessions('acme', {}, { after: null, limit: 100 })).length).toBe(before);
  });

  it('is shown again with what was written when an input does not fit', async () => {
    const page = await authorize(broker, ask());
    const again = await press(ana, page, { ...fields, 'input.invoice': 'INV-<b>' });
    expect(again.status).toBe(422);
    expect(again.text).toContain('The input &#39;invoice&#39; does not fit');
    expect(again.text).toContain('INV-&lt;b&gt;');
  });

  it.each([
    ['by the document at its address, fetched once while it is fresh', documentUrl],
    ['registered by an admin', () => 'desk'],
  ])('may be known %s', async (_, id) => {
    const before = fetched;
    const asked = ask({ client_id: id() });
    const code = await consent(broker, ana, asked);
    expect((await redeem(broker, code, asked, { client_id: id() })).status).toBe(200);
    expect(fetched - before).toBeLessThanOrEqual(1);
  });

  it('that has keys proves one of them with each code, by an assertion that is good once', async () => {
    const id = `${documents.url}/keyed.json`;
    const now = Math.floor(Date.now() / 1000);
    const assertion = (over = {}, by = key) =>
      sign(by, { iss: id, sub: id, aud: `${broker.url}/t/acme`, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...over });
    const proof = async (jwt: Promise<string>) => ({
      client_id: id,
      client_assertion: await jwt,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const asked = ask({ client_id: id });
    const code = await consent(broker, ana, asked);
    const another = await makeTestKey();
    for (const wrong of [{ client_id: id }, await proof(assertion({}, another)), await proof(assertion({ aud: 'https://elsewhere.example' }))])
      expect((await redeem(broker, code, asked, wrong)).body).toMatchObject({ error: 'invalid_client' });
    const good = await proof(assertion());
    expect((await redeem(broker, code, asked, good)).status).toBe(200);
    expect((await redeem(broker, code, asked, good)).body).toMatchObject({ error: 'invalid_client' });
  });

  it('may register itself where the tenant lets it, and nobody is told who it is', async () => {
    const response = await fetch(`${broker.url}/t/acme/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Passer-by',
        redirect_uris: [callback],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_post',
      }),
    });
    const registered = (await response.json()) as { client_id: string; token_endpoint_auth_method: string; client_secret?: string };
    expect([response.status, registered.token_endpoint_auth_method, registered.client_secret]).toEqual([201, 'none', undefined]);
    const asked = ask({ client_id: registered.client_id });
    expect((await ana.get((await authorize(broker, asked)).pathname)).text).toContain('nobody knows who it is');
    const code = await consent(broker, ana, asked);
    expect((await redeem(broker, code, asked, { client_id: registered.client_id })).status).toBe(200);
  });

  it('finds its way back to the page after a login by link', async () => {
    const page = await authorize(broker, ask());
    const stranger = visit(broker.url);
    const turned = await stranger.get(page.pathname);
    expect(turned.headers.get('location')).toContain('tenant=acme');
    await stranger.get(turned.headers.get('location') ?? '');
    const { linkFor } = await import('../console/visit.ts');
    const landed = await stranger.post(new URL(await linkFor(broker, 'ana')).pathname, {});
    expect(landed.headers.get('location')).toBe(page.pathname);
  });
});

describe('a refresh token', () => {
  it('renews the session and no more, under a new name each time', async () => {
    const { answer } = await open();
    const again = await refresh(broker, answer.body.refresh_token ?? '');
    expect(again.status).toBe(200);
    expect(sessionOf(again)).toBe(sessionOf(answer));
    expect(again.body.refresh_token).not.toBe(answer.body.refresh_token);
    expect((again.body['authorization_details'] as { expires_at: number }[])[0]?.expires_at).toBe(
      (answer.body['authorization_details'] as { expires_at: number }[])[0]?.expires_at,
    );
    expect((await refresh(broker, again.body.refresh_token ?? '')).status).toBe(200);
  });

  it('is over with its session, and giving it up ends the session', async () => {
    const { answer } = await open();
    await token(broker, { token: answer.body.refresh_token ?? '' }, 'acme', 'revoke');
    expect((await broker.ports.store.readSession('acme', sessionOf(answer)))?.session).toMatchObject({ status: 'ended', endReason: 'ended by its host' });
    expect((await refresh(broker, answer.body.refresh_token ?? '')).body).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('what changed since the sponsor consented', () => {
  const agentsFile = () => join(broker.documents, 'tenants/acme/agents.yaml');
  const apply = async (change: (text: string) => string) => {
    const text = change(await readFile(agentsFile(), 'utf8'));
    const answer = await byTwoAdmins(broker, 'POST', '/documents/apply', { files: [{ source: 'agents.yaml', text }] });
    expect(answer.status).toBe(200);
  };

  it('makes a code stand for nothing, and takes a client that an agent names no more its way to renew', async () => {
    const { answer } = await open();
    const asked = ask();
    const code = await consent(broker, ana, asked);
    await apply((text) => text.replace(/^( *- )desk$/m, '$1desk-of-before'));
    expect((await redeem(broker, code, asked)).body).toMatchObject({ error: 'invalid_client' });
    expect((await refresh(broker, answer.body.refresh_token ?? '')).body).toMatchObject({ error: 'invalid_client' });
    await apply((text) => text);
    expect((await redeem(broker, code, asked)).body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringContaining('has changed since') });
    expect((await refresh(broker, answer.body.refresh_token ?? '')).status).toBe(200);
  });
});
