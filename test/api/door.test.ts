import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiRoutes } from '../../server/api/index.ts';
import { endpoints } from '../../server/api/routes.ts';
import { StoreUnavailable } from '../../server/store/store.ts';
import { acme } from '../approvals/fixture.ts';
import { type Api, openApi } from './fixture.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const bob = acme('local#bob');
const dana = acme('local#dana');
const filled = (path: string): string => path.replace(/\{\w+\}/g, 'some-name');

describe('who gets in', () => {
  test.each(endpoints.map((one) => [`${one.method} ${one.path}`, one] as const))('%s answers nobody without a person token', async (_, one) => {
    const session = await api.openSession();
    const wrong = [undefined, 'Bearer nonsense', 'Basic Ym9iOmJvYg==', `Bearer ${await api.taskToken(session)}`, `Bearer tgc_${'A'.repeat(43)}`];
    for (const authorization of wrong) {
      const answer = await api.as(null, one.method.toUpperCase(), filled(one.path), one.body ? {} : undefined, authorization ? { authorization } : {});
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('an agent token is refused at /v1 even when it names /v1 as its audience', async () => {
    const token = await api.taskToken(await api.openSession(), 'http://localhost:7411/v1');
    expect((await api.as(null, 'GET', '/me', undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('an expired token, and one changed in a byte, get nobody in', async () => {
    const token = await api.tokenOf(bob);
    expect((await api.as(null, 'GET', '/me', undefined, { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await api.as(null, 'GET', '/me', undefined, { authorization: `Bearer ${token.slice(0, -3)}AAA` })).status).toBe(401);
    api.now.at += 601_000;
    expect((await api.as(null, 'GET', '/me', undefined, { authorization: `Bearer ${token}` })).json.code).toBe('token.expired');
  });

  test('me says who I am in my own tenant', async () => {
    expect((await api.as(bob, 'GET', '/me')).json).toEqual({ tenant: 'acme', person: 'local#bob', name: 'bob', roles: ['reviewer'], groups: ['finance'] });
    expect((await api.as({ ...bob, tenant: 'globex' }, 'GET', '/me')).json).toMatchObject({ tenant: 'globex', name: null, roles: [], groups: [] });
  });

  test.each([
    ['evil.example', null, 403, 'host.refused'],
    ['localhost:7411.evil.example', null, 403, 'host.refused'],
    ['localhost:7411@evil.example', null, 403, 'host.refused'],
    ['localhost:9999', null, 403, 'host.refused'],
    ['localhost:7411', 'http://evil.example', 403, 'origin.refused'],
    ['localhost:7411', 'null', 403, 'origin.refused'],
    ['localhost:7411', 'http://localhost:7411', 200, undefined],
    ['127.0.0.1:7411', null, 200, undefined],
    ['[::1]:7411', 'http://[::1]:7411', 200, undefined],
  ])('Host %s with Origin %s: %i', async (host, origin, status, code) => {
    const answer = await api.as(bob, 'GET', '/me', undefined, { host, ...(origin === null ? {} : { origin }) });
    expect(answer.status).toBe(status);
    expect(answer.json.code).toBe(code);
  });

  const byRole = endpoints.filter(({ access }) => Array.isArray(access));
  test.each(byRole.map((one) => [`${one.method} ${one.path}`, one] as const))(
    '%s is refused to whoever lacks the role, before anything is read or looked up',
    async (_, one) => {
      const reviewers = one.access.includes('reviewer') ? [] : [bob];
      for (const person of [...reviewers, acme('local#ana'), acme('local#stranger')]) {
        const answers = await Promise.all(
          ['invoice-matcher', 'no-such-agent'].map((name) =>
            api.as(person, one.method.toUpperCase(), one.path.replace(/\{\w+\}/g, name), one.body ? '{"broken' : undefined),
          ),
        );
        expect(answers.map(({ status, json }) => [status, json.code])).toEqual([
          [403, 'role.missing'],
          [403, 'role.missing'],
        ]);
        expect(answers[0]?.text).toBe(answers[1]?.text);
      }
    },
  );

  test('an unnamed person sees no agent, use case, upstream or tool', async () => {
    for (const path of ['/agents', '/agents/invoice-matcher', '/use-cases', '/upstreams', '/tools']) {
      expect((await api.as(acme('local#stranger'), 'GET', path)).json.code).toBe('person.not_named');
    }
  });
});

describe('what is read of a request', () => {
  const path = '/agents/invoice-matcher/suspend';
  test.each([
    ['a body that is not JSON', '{"reason":', 400, 'body.bad_json'],
    ['a duplicate key', '{"reason":"one reason","reason":"another"}', 400, 'body.bad_json'],
    ['a key __proto__', '{"__proto__":{"reason":"xxxx"}}', 400, 'body.bad_json'],
    ['nesting', `{"reason":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'body.bad_json'],
    ['an array', '[]', 400, 'body.invalid'],
    ['null', 'null', 400, 'body.invalid'],
    ['too much', JSON.stringify({ reason: 'x'.repeat(1_048_576) }), 413, 'body.too_large'],
    ['an unknown field', '{"reason":"long enough","admin":true}', 400, 'body.invalid'],
  ])('%s is refused', async (_, body, status, code) => {
    const answer = await api.as(dana, 'POST', path, body);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(await api.ports.store.readAgentStatus('acme', 'invoice-matcher')).toBe('active');
  });
  test('a form is not JSON', async () => {
    const answer = await api.as(dana, 'POST', path, 'reason=because', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(415);
  });
  test('a refused value is not said back', async () => {
    const answer = await api.as(dana, 'PUT', '/credentials/none', { value: 5, secret: 'canary-1', canary2: {} });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('canary-1');
  });
  test.each(['?limit=0', '?limit=101', '?limit=1e9', '?limit=ten', '?cursor=', '?nonsense=1', '?limit=1&limit=2', '?status=done'])(
    'GET /approvals%s is refused',
    async (query) => {
      expect((await api.as(bob, 'GET', `/approvals${query}`)).json.code).toBe('query.invalid');
    },
  );
  test('what is not there is a problem, too, and nothing is cached', async () => {
    const answer = await api.as(bob, 'GET', '/no-such-thing');
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found']);
    expect((await api.as(bob, 'GET', '/me')).headers.get('cache-control')).toBe('no-store');
  });
});

describe('when something fails', () => {
  const failing = (error: Error) => {
    const store = { ...api.ports.store, readApproval: () => Promise.reject(error) };
    return apiRoutes({ ...api.ports, store });
  };
  const ask = async (app: ReturnType<typeof apiRoutes>): Promise<Response> =>
    app.request('http://localhost:7411/v1/approvals/apr_1', { headers: { host: 'localhost:7411', authorization: `Bearer ${await api.tokenOf(bob)}` } });
  test('an unreachable store is 503 and says nothing more', async () => {
    const response = await ask(failing(new StoreUnavailable('/var/lib/secret-path is gone')));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.text()).not.toContain('secret-path');
  });
  test('a bug is 500 and says nothing more', async () => {
    const response = await ask(failing(new Error('canary-2')));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('canary-2');
  });
});

test('mounted beside other doors it answers nothing but /v1', async () => {
  const app = new Hono();
  app.route('/', apiRoutes(api.ports));
  app.get('/elsewhere', (context) => context.text('here'));
  app.notFound((context) => context.text('nowhere', 404));
  const ask = async (path: string, host = 'evil.example') => (await app.request(`http://localhost:7411${path}`, { headers: { host } })).text();
  expect(await ask('/elsewhere')).toBe('here');
  expect(await ask('/nothing')).toBe('nowhere');
  expect(await ask('/v1/nothing')).toContain('host.refused');
  expect(await ask('/v1/nothing', 'localhost:7411')).toContain('"code":"not_found"');
});

describe('over real HTTP', () => {
  test('a body without a length is cut off at the cap, and the server lives on', async () => {
    const server = serve({ fetch: (request) => api.fetch(request), port: 0, hostname: '127.0.0.1' });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const token = await api.tokenOf(dana);
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(
        {
          ...{ port, host: '127.0.0.1', method: 'POST', path: '/v1/agents/invoice-matcher/suspend' },
          headers: { host: 'localhost:7411', authorization: `Bearer ${token}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        },
        (response) => resolve(response.statusCode ?? 0),
      );
      outgoing.on('error', reject);
      for (let i = 0; i < 20; i++) outgoing.write('x'.repeat(65_536));
      outgoing.end();
    });
    expect(status).toBe(413);
    const alive = await new Promise<number>((resolve, reject) => {
      const headers = { host: 'localhost:7411', authorization: `Bearer ${token}` };
      httpRequest({ port, host: '127.0.0.1', path: '/v1/me', headers }, (response) => resolve(response.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
    expect(alive).toBe(200);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('openapi.json', () => {
  test('describes every operation with the shapes requests are checked with, to anyone', async () => {
    const { status, json } = await api.as(null, 'GET', '/openapi.json');
    expect(status).toBe(200);
    expect(json.openapi).toBe('3.1.0');
    for (const one of endpoints) {
      const described = json.paths[one.path][one.method];
      expect(described.responses[one.status]).toBeDefined();
      expect(described.requestBody !== undefined).toBe(one.body !== null);
      expect(described.parameters.filter((p: { in: string }) => p.in === 'path')).toHaveLength(one.path.split('{').length - 1);
    }
    const ids = endpoints.map((one) => json.paths[one.path][one.method].operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(json.paths['/approvals'].get.parameters.map(({ name }: { name: string }) => name)).toEqual(['cursor', 'limit', 'status']);
  });
});
