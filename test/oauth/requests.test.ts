import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as serveNode } from '@hono/node-server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oauthRoutes } from '../../server/oauth/index.ts';
import { StoreUnavailable } from '../../server/store/index.ts';
import { asAgent, delegated, grants, svid, task, types } from '../identity/local-client.ts';
import { startTestBroker, type TestBroker } from '../identity/support.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.close());

const send = (body: string | Uint8Array<ArrayBuffer>, type = 'application/x-www-form-urlencoded', path = '/t/acme/oauth/token') =>
  broker.app.request(path, { method: 'POST', body, headers: { 'content-type': type } });

describe('a token request', () => {
  it.each([
    ['as JSON', '{}', 'application/json', 'The body must be form-encoded.'],
    ['with a parameter twice', 'grant_type=a&grant_type=b', undefined, 'A parameter is given twice.'],
    ['with an empty parameter twice', 'grant_type=&grant_type=client_credentials', undefined, 'A parameter is given twice.'],
    ['larger than 64 KiB', `grant_type=${'a'.repeat(70_000)}`, undefined, 'The body is too large.'],
    ['empty', '', undefined, 'grant_type is missing.'],
    [
      'with half a client assertion',
      'grant_type=client_credentials&client_assertion=x',
      undefined,
      'client_assertion and client_assertion_type come together.',
    ],
    [
      'with another kind of assertion',
      'grant_type=client_credentials&client_assertion=x&client_assertion_type=saml',
      undefined,
      'This client_assertion_type is not supported.',
    ],
    ['with a client secret', 'grant_type=client_credentials&client_id=a&client_secret=b', undefined, 'client_assertion is missing.'],
  ])('%s is refused as malformed', async (_, body, type, description) => {
    const response = await send(body, type);
    expect(response.status).toBe(400);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ error: 'invalid_request', error_description: description });
  });

  it('that is not UTF-8 is refused', async () => {
    expect(await (await send(new Uint8Array([0x61, 0x3d, 0xff]))).json()).toMatchObject({ error: 'invalid_request' });
  });

  it('of an unknown grant type is refused', async () => {
    for (const grant of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code'])
      expect(await (await send(`grant_type=${grant}`)).json()).toMatchObject({ error: 'unsupported_grant_type' });
  });

  it.each([
    ['missing', undefined],
    ['not JSON', 'x'],
    ['not a list', '{}'],
    ['empty', '[]'],
    ['two tasks', JSON.stringify([...JSON.parse(task()), ...JSON.parse(task())])],
    ['of another type', '[{"type":"payment"}]'],
    ['with a member twice', '[{"type":"taskgate-task","use_case":"match-invoices","use_case":"other"}]'],
    ['with a member nobody knows', task({ ceiling: 'restricted' })],
    ['with a grant in it', task({ grants: [] })],
    ['with a use case that is no name', task({ use_case: '../x' })],
    ['with time that is not whole', task({ lifetime: 1.5 })],
    ['with no time', task({ lifetime: 0 })],
    ['with an objective too long', task({ objective: 'x'.repeat(2_001) })],
    ['nested a thousand deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
    ['with `__proto__` among the inputs', '[{"type":"taskgate-task","use_case":"match-invoices","inputs":{"__proto__":{}}}]'],
    ['that renew and open at once', task({ session_id: 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA' })],
  ])('with authorization_details %s is refused as such', async (_, details) => {
    const { authorization_details: __, ...form } = await asAgent(broker, '');
    const { status, body } = await broker.post('token', details === undefined ? form : { ...form, authorization_details: details });
    expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_authorization_details' });
  });

  it('never makes the door answer anything but a typed error, whatever stands in it', async () => {
    const name = fc.constantFrom(
      'grant_type',
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'authorization_details',
      'client_assertion',
      'client_assertion_type',
      'resource',
      'assertion',
      'client_id',
      '__proto__',
    );
    const value = fc.oneof(fc.string(), fc.constantFrom(...Object.values(grants), ...Object.values(types), task(), 'a.b.c', 'e30.e30.AA'), fc.json());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 10 }), async (pairs) => {
        const response = await send(new URLSearchParams(pairs).toString());
        expect([400, 401]).toContain(response.status);
        expect(Object.keys((await response.json()) as object).sort()).toEqual(['error', 'error_description']);
      }),
      { numRuns: 150 },
    );
  });

  it('tells strangers one thing, whether tenant, agent, or key is wrong', async () => {
    const bodies = new Set<string>();
    const attempts: readonly [string, Record<string, string>][] = [
      ['nobody', await asAgent(broker, task())],
      ['acme', await asAgent(broker, task(), { client_assertion: (await svid(broker)).replace(/.{8}$/, 'AAAAAAAA') })],
      ['acme', await asAgent(broker, task(), { client_assertion: 'e30.e30.AA' })],
      ['acme', await asAgent(broker, task(), { client_id: 'somebody-else' })],
      ['Not A Tenant', await asAgent(broker, task())],
    ];
    for (const [tenant, form] of attempts) {
      const { status, body } = await broker.post('token', form, { tenant: encodeURIComponent(tenant) });
      bodies.add(JSON.stringify([status, body]));
    }
    expect([...bodies]).toEqual([JSON.stringify([401, { error: 'invalid_client', error_description: 'The client could not be authenticated.' }])]);

    const exchanges = new Set<string>();
    const good = await delegated(broker);
    for (const [tenant, form] of [
      ['nobody', good],
      ['acme', { ...good, actor_token: 'e30.e30.AA' }],
      ['acme', { ...good, subject_token: 'e30.e30.AA' }],
    ] as const) {
      const { status, body } = await broker.post('token', form, { tenant });
      exchanges.add(JSON.stringify([status, body]));
    }
    expect([...exchanges]).toEqual([JSON.stringify([400, { error: 'invalid_grant', error_description: 'A token of this request is not valid here.' }])]);
  });

  it('of a stranger goes to the platform log, at most so many a minute, and never to a tenant', async () => {
    const before = (await broker.ports.store.readRecords('acme', 0, 1_000)).length;
    for (let n = 0; n < 60; n++)
      await broker.post('token', {
        grant_type: grants.client,
        client_assertion_type: types.assertion,
        client_assertion: 'e30.e30.AA',
        authorization_details: task(),
      });
    expect(await broker.ports.store.readRecords('acme', 0, 1_000)).toHaveLength(before);
    const log = await broker.ports.store.readRecords(null, 0, 1_000);
    expect(log.length).toBeGreaterThan(0);
    expect(log.length).toBeLessThan(60);
    expect(log.every(({ body }) => body.type === 'access.refused')).toBe(true);
  });

  it('is answered 503 while the store is away, and opens nothing', async () => {
    const store = { ...broker.ports.store, openSession: () => Promise.reject(new StoreUnavailable('away')) };
    const app = oauthRoutes({ ...broker.ports, store });
    const response = await app.request('/t/acme/oauth/token', { method: 'POST', body: new URLSearchParams(await delegated(broker)) });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
  });

  it('over a real connection is cut off at 64 KiB, however long its sender goes on', async () => {
    const server = serveNode({ fetch: broker.app.fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise<void>((resolve) => (server.listening ? resolve() : server.once('listening', resolve)));
    try {
      const { port } = server.address() as AddressInfo;
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const sent = httpRequest(
          { port, host: '127.0.0.1', method: 'POST', path: '/t/acme/oauth/token', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          (response) => {
            resolve(response.statusCode);
            response.resume();
            sent.destroy();
          },
        );
        sent.on('error', reject);
        // The request never ends: only the cap can make the door answer.
        sent.write(`grant_type=${'a'.repeat(200_000)}`);
      });
      expect(status).toBe(400);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('metadata', () => {
  const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await broker.app.request(path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('of a tenant’s issuer says where its endpoints are (RFC 8414), and is the same for a tenant that does not exist', async () => {
    const { status, body } = await get('/.well-known/oauth-authorization-server/t/acme');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issuer: 'http://localhost:7411/t/acme',
      token_endpoint: 'http://localhost:7411/t/acme/oauth/token',
      authorization_details_types_supported: ['taskgate-task'],
    });
    const other = await get('/.well-known/oauth-authorization-server/t/nobody');
    expect(JSON.stringify(other.body).replaceAll('/t/nobody', '/t/acme')).toBe(JSON.stringify(body));
    expect((await get('/.well-known/oauth-authorization-server/t/Not%20A%20Name')).status).toBe(404);
  });

  it('of a session’s door names its tenant’s issuer (RFC 9728) from the id alone; of /mcp none', async () => {
    const id = 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA';
    expect((await get(`/.well-known/oauth-protected-resource/sessions/${id}/mcp`)).body).toMatchObject({
      resource: `http://localhost:7411/sessions/${id}/mcp`,
      authorization_servers: ['http://localhost:7411/t/acme'],
    });
    expect((await get('/.well-known/oauth-protected-resource/sessions/nonsense/mcp')).status).toBe(404);
    const mcp = await get('/.well-known/oauth-protected-resource/mcp');
    expect(mcp.body).toMatchObject({ resource: 'http://localhost:7411/mcp' });
    expect(mcp.body).not.toHaveProperty('authorization_servers');
  });

  it('of keys shows the public halves of those in use', async () => {
    const { body } = await get('/t/acme/oauth/jwks.json');
    expect(body).toEqual({ keys: [broker.ports.keys.token[0]?.publicJwk] });
    expect(JSON.stringify(body)).not.toContain('"d"');
  });
});
