import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRedirect, matchesRedirect } from '../../server/documents/redirects.ts';
import { fetchClient, isDocumentAddress } from '../../server/oauth/clients/fetch-document.ts';
import { sha256Hex } from '../../tools/index.ts';
import { fieldOf, loggedIn, type Visit, visit } from '../console/visit.ts';
import { ask, authorize, callback, consent, fields, listenOn, press, redeem, refresh, sessionOf, startHostBroker, token } from '../oauth/host.ts';
import type { TestBroker } from '../support/broker.ts';

let broker: TestBroker;
let ana: Visit;
let documents: Awaited<ReturnType<typeof listenOn>>;
let answerWith: (url: string) => { status?: number; type?: string; body: string; location?: string };
const asked: string[] = [];
const names = ['elsewhere', 'lies', 'secret', 'redirects', 'huge', 'page', 'nested', 'nowhere', 'javascript'];

beforeAll(async () => {
  documents = await listenOn((request, response) => {
    asked.push(request.url ?? '');
    const { status = 200, type = 'application/json', body, location } = answerWith(request.url ?? '');
    response.writeHead(status, { 'content-type': type, ...(location === undefined ? {} : { location }) }).end(body);
  });
  broker = await startHostBroker({ documents: names.map((name) => `${documents.url}/${name}`) });
  ana = await loggedIn(broker, 'ana');
});
afterAll(async () => {
  await Promise.all([broker.end(), documents.close()]);
});

const statusOf = async (session: string) => (await broker.ports.store.readSession('acme', session))?.session.status;
const open = async () => {
  const request = ask();
  const code = await consent(broker, ana, request);
  return { request, code, answer: await redeem(broker, code, request) };
};
/** Nobody is sent anywhere but to a page of Taskgate that says so. */
const stopped = (page: URL): boolean => page.origin === broker.url && page.pathname === '/console/consent';

describe('whoever has a code that was meant for another', () => {
  it.each([
    ['another verifier', { code_verifier: 'x'.repeat(43) }],
    ['another client, which it is', { client_id: 'shelf' }],
    ['another address', { redirect_uri: 'http://127.0.0.1:4712/callback' }],
    ['another resource', { resource: 'https://evil.example/mcp' }],
  ])('gets nothing for it with %s, and burns it', async (_, over) => {
    const request = ask();
    const code = await consent(broker, ana, request);
    expect((await redeem(broker, code, request, over)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await redeem(broker, code, request)).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('gets nothing at another tenant, nor without any client', async () => {
    const request = ask();
    const code = await consent(broker, ana, request);
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: request.verifier };
    expect((await token(broker, { ...form, client_id: 'desk' }, 'globex')).body).toMatchObject({ error: 'invalid_client' });
    expect((await token(broker, form)).body).toMatchObject({ error: 'invalid_client' });
    expect((await redeem(broker, code, request)).status).toBe(200);
  });

  it('ends what it opened by showing it a second time, however it is shown', async () => {
    const { request, code, answer } = await open();
    expect(await statusOf(sessionOf(answer))).toBe('active');
    expect((await redeem(broker, code, request, { code_verifier: 'y'.repeat(43) })).body).toMatchObject({ error: 'invalid_grant' });
    expect(await statusOf(sessionOf(answer))).toBe('revoked');
    expect((await refresh(broker, answer.body.refresh_token ?? '')).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('is one of however many show it at once, and the session of none of them lives on', async () => {
    const request = ask();
    const code = await consent(broker, ana, request);
    const answers = await Promise.all(Array.from({ length: 6 }, () => redeem(broker, code, request)));
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).toBeLessThanOrEqual(1);
    for (const one of given) expect(await statusOf(sessionOf(one))).toBe('revoked');
  });

  it('has two minutes, and finds nothing of it in the store but its hash', async () => {
    const request = ask();
    const code = await consent(broker, ana, request);
    const found = await broker.ports.store.readAuthorizationCode('acme', sha256Hex(code));
    expect((found?.expiresAt ?? 0) - (found?.madeAt ?? 0)).toBe(120_000);
    expect(JSON.stringify(found)).not.toContain(code);
  });
});

describe('a request without PKCE', () => {
  it.each([
    ['with none', { code_challenge: null, code_challenge_method: null }],
    ['with the verifier itself as challenge', { code_challenge_method: 'plain' }],
    ['with a challenge and no method, which is plain', { code_challenge_method: null }],
    ['with an empty challenge', { code_challenge: '' }],
  ])('%s goes back to the client unanswered', async (_, over) => {
    const back = await authorize(broker, ask(over));
    expect(back.href.startsWith(callback)).toBe(true);
    expect(back.searchParams.get('error')).toBe('invalid_request');
    expect(back.searchParams.get('iss')).toBe(`${broker.url}/t/acme`);
    expect(back.searchParams.get('code')).toBeNull();
  });

  it('gets no token for a code that has a challenge', async () => {
    const request = ask();
    const code = await consent(broker, ana, request);
    const without = { grant_type: 'authorization_code', code, redirect_uri: callback, client_id: 'desk' };
    expect((await token(broker, without)).body).toMatchObject({ error: 'invalid_request' });
  });
});

describe('an address to go back to', () => {
  it.each([
    'http://127.0.0.1:4711/callback/',
    'http://127.0.0.1:4711/Callback',
    'http://127.0.0.1:4711/callback?next=https://evil.example',
    'http://127.0.0.1:4711/callback#x',
    'http://127.0.0.1:4711/x/../callback',
    'http://127.0.0.1:4711/x/%2e%2e/callback',
    'http://127.0.0.1:4711//callback',
    'http://localhost:4711/callback',
    'http://[::1]:4711/callback',
    'http://127.0.0.1:4711@evil.example/callback',
    'http://evil.example@127.0.0.1:4711/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://0x7f000001:4711/callback',
    'http://127.1:4711/callback',
    'https://127.0.0.1:4711/callback',
    'HTTP://127.0.0.1:4711/callback',
    'http://127.0.0.1:4711\\@evil.example/callback',
    'http://127.0.0.1:4711/callback\n',
    'javascript:alert(1)//127.0.0.1/callback',
    'data:text/html,x',
    '//evil.example/callback',
    '',
  ])('that is not the registered one is never gone to: %s', async (redirect_uri) => {
    expect(stopped(await authorize(broker, ask({ redirect_uri })))).toBe(true);
  });

  it('is matched by nothing but a port, whatever stands in it', () => {
    const part = fc.string({ unit: fc.constantFrom(...'/:@?#\\.%2ef[]localhost127evil'.split('')), maxLength: 24 });
    fc.assert(
      fc.property(part, part, (before, after) => {
        const text = `${before}127.0.0.1${after}`;
        for (const scheme of ['http://', 'https://', '']) {
          const one = `${scheme}${text}`;
          if (!matchesRedirect('http://127.0.0.1/callback', one)) continue;
          expect(one).toMatch(/^http:\/\/127\.0\.0\.1(:\d{1,5})?\/callback$/);
        }
      }),
    );
  });

  it('of a browser’s own schemes is no address at all', () => {
    for (const one of ['javascript:x', 'data:x', 'file:///etc/passwd', 'vbscript:x', 'blob:x', 'about:blank', 'view-source:x', 'ms-officecmd:x', 'intent://x'])
      expect(isRedirect(one), one).toBe(false);
    expect(isRedirect('cursor://anysphere.cursor-mcp/oauth/callback')).toBe(true);
  });

  it('given twice, with another client or of another tenant, sends nobody anywhere', async () => {
    const twice = ask();
    twice.query.append('redirect_uri', 'https://evil.example/');
    expect(stopped(await authorize(broker, twice))).toBe(true);
    const other = ask();
    other.query.append('client_id', 'shelf');
    expect(stopped(await authorize(broker, other))).toBe(true);
    for (const tenant of ['globex', 'nowhere', '..%2facme']) expect(stopped(await authorize(broker, ask(), tenant)), tenant).toBe(true);
  });

  it('tells the client which issuer answered, also when it answers no', async () => {
    for (const over of [{ response_type: 'token' }, { resource: 'https://evil.example/mcp' }, { request_uri: 'https://evil.example/r' }, { prompt: 'none' }]) {
      const back = await authorize(broker, ask(over));
      expect(back.searchParams.get('iss')).toBe(`${broker.url}/t/acme`);
      expect(back.searchParams.get('state')).toBe('the state of the host');
      expect(back.searchParams.get('error')).not.toBeNull();
    }
  });
});

describe('a document of a client', () => {
  const base = (name: string, over: object = {}) => JSON.stringify({ client_id: `${documents.url}/${name}`, redirect_uris: [callback], ...over });
  it.each([
    [
      'elsewhere',
      () => ({ body: base('elsewhere', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://169.254.169.254/keys.json' }) }),
      'has its keys elsewhere',
    ],
    ['lies', () => ({ body: base('other') }), 'names another client'],
    ['secret', () => ({ body: base('secret', { client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' }) }), 'asks for a secret'],
    ['redirects', () => ({ status: 302, body: '', location: `${documents.url}/stolen` }), 'is elsewhere'],
    ['huge', () => ({ body: base('huge', { filler: 'x'.repeat(20_000) }) }), 'is huge'],
    ['page', () => ({ type: 'text/html', body: base('page') }), 'is a page'],
    ['nested', () => ({ body: `${'['.repeat(5_000)}${']'.repeat(5_000)}` }), 'is nested'],
    ['nowhere', () => ({ body: base('nowhere', { redirect_uris: ['http://evil.example/callback'] }) }), 'goes back without TLS'],
    ['javascript', () => ({ body: base('javascript', { redirect_uris: ['javascript:alert(1)'] }) }), 'goes back to a script'],
  ])('that %s: nobody is asked (it %3$s)', async (name, made) => {
    answerWith = made;
    expect(stopped(await authorize(broker, ask({ client_id: `${documents.url}/${name}` })))).toBe(true);
    expect(asked).not.toContain('/stolen');
  });

  it('is fetched for no address but one that an agent’s document names', async () => {
    const before = asked.length;
    for (const client_id of [
      `${documents.url}/unknown`,
      'http://169.254.169.254/latest/meta-data',
      'http://127.0.0.1:1/x',
      'file:///etc/passwd',
      'https://evil.example/c.json',
    ])
      expect(stopped(await authorize(broker, ask({ client_id }))), client_id).toBe(true);
    expect(asked.length).toBe(before);
  });

  it('is fetched from no private address the operator does not name, whatever its name resolves to', async () => {
    const snapshot = { tenant: 'acme', clientEgress: [] };
    const ports = { store: {}, clock: Date.now } as never;
    for (const id of [
      'https://127.0.0.1/c.json',
      'https://[::1]/c.json',
      'https://10.0.0.7/c.json',
      'https://169.254.169.254/c.json',
      'https://localhost/c.json',
      'https://[::ffff:127.0.0.1]/c.json',
      `${documents.url}/c.json`,
    ])
      expect(await fetchClient(ports, snapshot, id), id).toMatch(/egress/);
    // A name that answers with a public and a private address is a name that changes its mind.
    const rebinding = (_: string, __: object, answer: (error: null, found: object[]) => void) =>
      answer(null, [
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    expect(await fetchClient(ports, snapshot, 'https://rebind.example/c.json', rebinding as never)).toMatch(/egress/);
  });

  it('has an address that reads one way only', () => {
    for (const id of [
      'https://a.example',
      'https://a.example/',
      'https://u@a.example/c',
      'https://a.example/c#x',
      'https://a.example/x/../c',
      'https://a.example/%2e%2e/c',
      'HTTPS://a.example/c',
      'https://a.example:443/c',
      'https://a.example\\c',
      'ftp://a.example/c',
    ])
      expect(isDocumentAddress(id), id).toBe(false);
    expect(isDocumentAddress('https://a.example/client.json')).toBe(true);
  });
});

describe('a client that registers itself', () => {
  const register = (body: unknown, tenant = 'acme') =>
    fetch(`${broker.url}/t/${tenant}/oauth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  it('may send people back to their own machine alone', async () => {
    for (const one of ['https://evil.example/cb', 'http://evil.example/cb', 'evil://x/cb', 'javascript:x', 'http://127.0.0.1@evil.example/'])
      expect((await register({ redirect_uris: [callback, one] })).status, one).toBe(400);
  });
  it('does so at no other tenant, whether there is one or not', async () => {
    const [globex, none] = await Promise.all([register({ redirect_uris: [callback] }, 'globex'), register({ redirect_uris: [callback] }, 'nowhere')]);
    expect([globex.status, await globex.text()]).toEqual([none.status, await none.text()]);
    expect(globex.status).toBe(404);
  });
  it('is known by its whole id or not at all', async () => {
    const { client_id: id } = (await (await register({ redirect_uris: [callback] })).json()) as { client_id: string };
    expect(stopped(await authorize(broker, ask({ client_id: id })))).toBe(false);
    const bent = `${id.slice(0, -8)}${[...id.slice(-8)].reverse().join('')}`;
    expect(stopped(await authorize(broker, ask({ client_id: bent })))).toBe(bent !== id);
    expect(stopped(await authorize(broker, ask({ client_id: id }), 'globex'))).toBe(true);
  });
  it('cannot take the name of one that an admin registered for its own', async () => {
    const { client_id: id } = (await (await register({ client_name: 'The Desk', client_id: 'desk', redirect_uris: [callback] })).json()) as {
      client_id: string;
    };
    expect(id).not.toBe('desk');
    expect((await ana.get((await authorize(broker, ask({ client_id: id }))).pathname)).text).toContain('nobody knows who it is');
  });
});

describe('the page of a consent', () => {
  it('is neither framed nor sent on to any place but the program’s', async () => {
    const shown = await ana.get((await authorize(broker, ask())).pathname);
    const policy = shown.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' http://127.0.0.1:4711;");
    expect(policy).toContain("default-src 'none'");
    expect([shown.headers.get('x-frame-options'), shown.headers.get('referrer-policy'), shown.headers.get('cache-control')]).toEqual([
      'DENY',
      'same-origin',
      'no-store',
    ]);
  });

  it('takes no press that did not come from it: no token of the form, another’s, or another site’s', async () => {
    const page = await authorize(broker, ask());
    const bob = await loggedIn(broker, 'bob');
    const [own, others] = [await ana.get(page.pathname), await bob.get(page.pathname)];
    const hidden = { ...fields, agent: 'invoice-matcher', use_case: 'match-invoices', revision: fieldOf(own.text, 'revision') };
    expect((await ana.post(page.pathname, hidden)).status).toBe(403);
    expect((await ana.post(page.pathname, { ...hidden, csrf: fieldOf(others.text, 'csrf') })).status).toBe(403);
    const csrf = fieldOf(own.text, 'csrf');
    expect((await ana.post(page.pathname, { ...hidden, csrf }, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await ana.post(page.pathname, { ...hidden, csrf }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await visit(broker.url).post(page.pathname, { ...hidden, csrf })).status).toBe(303);
  });

  it('gives nothing for looking, and what is pressed is what was shown', async () => {
    const page = await authorize(broker, ask());
    expect((await ana.get(`${page.pathname}?decision=approve&objective=x&input.invoice=INV-7`)).status).toBe(200);
    const stale = await press(ana, page, { ...fields, revision: '7' });
    expect([stale.status, stale.headers.get('location')]).toEqual([422, null]);
    for (const over of [{ agent: 'collections-agent' }, { use_case: 'draft-reminders' }, { agent: '', use_case: '' }])
      expect((await press(ana, page, { ...fields, ...over })).status).toBe(404);
  });

  it('is of one tenant: whoever is logged in to another is told so and gives nothing', async () => {
    const page = await authorize(broker, ask());
    const greta = await loggedIn(broker, 'greta', 'globex');
    expect((await greta.get(page.pathname)).status).toBe(409);
    expect((await press(greta, page)).status).not.toBe(303);
  });

  it('offers nothing to whom may not sponsor it', async () => {
    const dana = await loggedIn(broker, 'dana');
    const page = await authorize(broker, ask());
    const shown = await dana.get(page.pathname);
    expect(shown.text).toContain('There is no task that you may give it');
    const answer = await dana.post(page.pathname, {
      ...fields,
      csrf: fieldOf(shown.text, 'csrf'),
      agent: 'invoice-matcher',
      use_case: 'match-invoices',
      revision: '2',
    });
    expect(answer.status).toBe(404);
  });

  it('cannot be made up, bent or kept', async () => {
    const page = await authorize(broker, ask());
    const sealed = page.pathname.split('/').at(-1) ?? '';
    for (const text of ['x', sealed.slice(2), `${sealed.slice(0, 60)}AAAA${sealed.slice(64)}`, 'A'.repeat(400)])
      expect((await ana.get(`/console/consent/${text}`)).status, text.slice(0, 20)).toBe(404);
  });

  it('shows a name that hides or imitates as what it is', async () => {
    const response = await fetch(`${broker.url}/t/acme/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: '<img src=x>Clаude\u202e', redirect_uris: [callback] }),
    });
    const { client_id } = (await response.json()) as { client_id: string };
    const { text } = await ana.get((await authorize(broker, ask({ client_id }))).pathname);
    expect(text).not.toContain('<img');
    expect(text).toContain('U+202E');
    expect(text).toContain('looks like a Latin letter');
  });
});

describe('a login begun by somebody else', () => {
  it('does not end in the victim’s browser: whose login it is stands where the consent is pressed', async () => {
    const page = await authorize(broker, ask());
    const victim = visit(broker.url);
    expect((await victim.get('/console/login/callback?code=stolen&state=x')).status).toBe(403);
    expect((await victim.get(page.pathname)).status).toBe(303);
    expect((await ana.get(page.pathname)).text).toContain('You are <strong>ana</strong>');
  });
});
