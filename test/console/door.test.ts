import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secret, startProvider, type TestProvider, walkLogin } from '../identity/provider.ts';
import { newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import { fieldOf, linkFor, loggedIn, visit } from './visit.ts';

const port = 17_411 + Math.floor(Math.random() * 20_000);
const callback = `http://localhost:${port}/console/login/callback`;
let provider: TestProvider;
let broker: TestBroker;

beforeAll(async () => {
  provider = await startProvider({ redirects: [callback], clients: ['taskgate', 'console-client', 'matcher-app'] });
  const dir = await newFolder();
  await writeFile(join(dir, 'client-secret'), `${secret}\n`);
  broker = await startTestBroker({
    dir,
    port,
    platform(document) {
      const tenants = document['tenants'] as Record<string, { trust: unknown[] }>;
      const client = { client_id: 'console-client', client_secret_file: join(dir, 'client-secret') };
      tenants['acme']?.trust.push({ oidc: provider.issuer, audience: 'taskgate', for: 'people', ...client });
      return document;
    },
    change: (document) => {
      if (document['kind'] !== 'Tenant' || document['name'] !== 'acme') return document;
      const people = { rita: { subject: `${provider.issuer}#rita`, groups: ['finance'], roles: ['reviewer'] } };
      return { ...document, people: { ...(document['people'] as object), ...people } };
    },
  });
});
afterAll(async () => {
  await broker.end();
  await provider.close();
});

const begin = (tenant = 'acme', to = '/console') => {
  const one = visit(broker.url);
  const query = new URLSearchParams({ tenant, issuer: provider.issuer, to });
  return { one, start: one.get(`/console/login/start?${query}`) };
};
async function throughIssuer(as: string, to = '/console') {
  const { one, start } = begin('acme', to);
  const address = (await start).headers.get('location') ?? '';
  const back = await walkLogin(address, as, callback);
  return { one, address: new URL(address), back, answer: await one.get(`${back.pathname}${back.search}`, { 'sec-fetch-site': 'cross-site' }) };
}

describe('a login at the issuer of the tenant', () => {
  it('is the code flow with PKCE, state and nonce, and lands where one wanted to go', async () => {
    const { one, address, answer } = await throughIssuer('rita', '/console/approvals/apr_1');
    const asked = Object.fromEntries(address.searchParams);
    expect(asked).toMatchObject({ client_id: 'console-client', response_type: 'code', code_challenge_method: 'S256', redirect_uri: callback });
    for (const random of ['state', 'nonce', 'code_challenge']) expect(asked[random]?.length).toBeGreaterThan(40);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/approvals/apr_1']);
    expect([...one.cookies.keys()]).toEqual(['__Host-taskgate']);
    const queue = await one.get('/console');
    expect(queue.status).toBe(200);
    expect(queue.text).toContain('rita');
  });

  it('is finished only by the browser that began it', async () => {
    const { start } = begin();
    const back = await walkLogin((await start).headers.get('location') ?? '', 'rita', callback);
    const other = visit(broker.url);
    expect((await other.get(`${back.pathname}${back.search}`)).status).toBe(403);
    await begin().start;
    expect(other.cookies.size).toBe(0);
  });

  it('is good once, and only with the state it was begun with', async () => {
    const { one, back, answer } = await throughIssuer('rita');
    expect(answer.status).toBe(303);
    expect((await one.get(`${back.pathname}${back.search}`)).status).toBe(403);
    const again = begin();
    const returned = await walkLogin((await again.start).headers.get('location') ?? '', 'rita', callback);
    returned.searchParams.set('state', 'another');
    expect((await again.one.get(`${returned.pathname}${returned.search}`)).status).toBe(403);
    expect(again.one.cookies.size).toBe(0);
  });

  it('lets nobody in whom the tenant does not name, and answers as to every other login that did not work', async () => {
    const { one, answer } = await throughIssuer('zoe');
    const none = await visit(broker.url).get('/console/login/callback?code=x&state=y');
    expect([answer.status, answer.text]).toEqual([403, none.text]);
    expect(one.cookies.size).toBe(0);
  });

  it('goes to an issuer of that tenant only, and back to the console only', async () => {
    for (const [tenant, issuer] of [
      ['globex', provider.issuer],
      ['nowhere', provider.issuer],
      ['acme', 'https://login.evil.example'],
      ['acme', 'local'],
    ] as const) {
      const query = new URLSearchParams({ tenant, issuer });
      expect((await visit(broker.url).get(`/console/login/start?${query}`)).status).toBe(403);
    }
    for (const to of ['https://evil.example/', '//evil.example', '/console//evil.example', '/v1/me', '/console/../v1', '/console\\evil']) {
      const { answer } = await throughIssuer('rita', to);
      expect(answer.headers.get('location'), to).toBe('/console');
    }
  });
});

describe('a link for one login', () => {
  it('is used up by pressing, not by looking', async () => {
    const link = new URL(await linkFor(broker, 'bob')).pathname;
    const preview = visit(broker.url);
    for (let look = 0; look < 3; look++) expect((await preview.get(link)).text).toContain('Log in as bob');
    expect((await preview.post(link, {})).status).toBe(303);
    expect((await preview.get('/console')).text).toContain('Waiting for you');
    const second = visit(broker.url);
    expect([(await second.get(link)).status, (await second.post(link, {})).status, second.cookies.size]).toEqual([403, 403, 0]);
  });

  it('of two who press at once logs one in', async () => {
    const link = new URL(await linkFor(broker, 'bob')).pathname;
    const all = await Promise.all(Array.from({ length: 8 }, () => visit(broker.url).post(link, {})));
    expect(all.map(({ status }) => status).sort()).toEqual([303, ...Array(7).fill(403)]);
  });

  it('is kept as a hash alone', async () => {
    const link = await linkFor(broker, 'bob');
    const one = visit(broker.url);
    await one.post(new URL(link).pathname, {});
    const secrets = [link.split('/').at(-1) ?? '', one.cookies.get('__Host-taskgate') ?? ''];
    const { DatabaseSync } = await import('node:sqlite');
    const file = new DatabaseSync(join(broker.dir, 'data', 'taskgate.db'), { readOnly: true });
    const kept = JSON.stringify([file.prepare('SELECT * FROM console_links').all(), file.prepare('SELECT * FROM console_sessions').all()]);
    file.close();
    for (const text of secrets) {
      expect(kept).not.toContain(text);
      expect(kept).not.toContain(text.split('.')[1] ?? 'x');
      expect(broker.logged()).not.toContain(text.split('.')[1] ?? 'x');
    }
  });

  it('is made only for people who log in on this machine', async () => {
    await expect(linkFor(broker, 'rita')).rejects.toThrow('issues nothing');
    await expect(linkFor(broker, 'nobody')).rejects.toThrow('issues nothing');
  });
});

describe('a login', () => {
  it('is ended by logging out, on the record, and its cookie is good for nothing any more', async () => {
    const one = await loggedIn(broker, 'bob');
    const held = one.cookies.get('__Host-taskgate') ?? '';
    const csrf = fieldOf((await one.get('/console')).text, 'csrf');
    expect((await one.post('/console/logout', { csrf })).status).toBe(303);
    expect(one.cookies.size).toBe(0);
    const thief = visit(broker.url);
    thief.cookies.set('__Host-taskgate', held);
    expect((await thief.get('/console')).status).toBe(303);
    const records = await broker.ports.store.readRecords('acme', 0, 1000);
    const last = records.filter(({ body }) => body.door === 'console').at(-1);
    expect(last?.body).toMatchObject({ type: 'person.logout', actor: 'local#bob' });
  });

  it('asks again for whoever has none, and comes back to the page they wanted', async () => {
    const answer = await visit(broker.url).get('/console/approvals/apr_x');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/login?to=%2Fconsole%2Fapprovals%2Fapr_x']);
    expect((await visit(broker.url).get('/console/login')).text).toContain('Tenant');
    const page = await visit(broker.url).get('/console/login?tenant=acme');
    expect(page.text).toContain(`Continue at ${new URL(provider.issuer).host}`);
    expect(page.text).toContain('npx taskgate login --tenant acme --as NAME --web');
  });
});

describe('every answer', () => {
  it('lets nothing inline run, nothing go elsewhere, nobody frame it', async () => {
    const one = await loggedIn(broker, 'bob');
    for (const path of ['/console', '/console/login', '/console/approvals/none', '/console/link/acme.x', '/console/assets/console.js', '/console/nowhere']) {
      const { headers, text } = await one.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, path).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      if (!path.includes('assets')) expect(headers.get('cache-control')).toBe('no-store');
      expect(text).not.toMatch(/<script(?![^>]* src="\/console\/assets\/)|style="|onclick=|https?:\/\/(?!localhost)/);
    }
  });

  it('sets cookies that only this host gets, over TLS, that no script reads', async () => {
    const one = visit(broker.url);
    const { headers } = await one.post(new URL(await linkFor(broker, 'bob')).pathname, {});
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-taskgate=[^;]+; Path=\/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$/)]);
  });
});

describe('time', () => {
  it('ends a link after five minutes, a login after half an hour without use and after twelve hours in any case', async () => {
    const link = new URL(await linkFor(broker, 'bob')).pathname;
    const [idle, busy] = [await loggedIn(broker, 'bob'), await loggedIn(broker, 'bob')];
    broker.travel(300_001);
    expect((await visit(broker.url).post(link, {})).status).toBe(403);
    broker.travel(20 * 60_000);
    for (const one of [idle, busy]) expect((await one.get('/console')).status).toBe(200);
    for (let minutes = 25; minutes < 12 * 60; minutes += 25) {
      expect((await busy.get('/console')).status).toBe(200);
      broker.travel(25 * 60_000);
    }
    expect((await idle.get('/console')).headers.get('location')).toBe('/console/login?to=%2Fconsole&tenant=acme');
    expect((await busy.get('/console')).status).toBe(303);
  });
});
