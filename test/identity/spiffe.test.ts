import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactSign } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { verifyWorkload } from '../../server/identity/index.ts';
import { issuerOf, makeTestKey, nowOf, sendJson, serve, sign, startTestBroker, type TestBroker, type TestKey } from './support.ts';

const id = 'spiffe://acme.example/agent/invoice-matcher';
const asBundleKey = (key: TestKey) => ({ ...key.publicJwk, use: 'jwt-svid' });

let broker: TestBroker;
let key: TestKey;
let other: TestKey;
let globexKey: TestKey;

const claims = (more: Readonly<Record<string, unknown>> = {}) => ({ sub: id, aud: [issuerOf(broker)], exp: nowOf(broker) + 300, iat: nowOf(broker), ...more });
const verify = (jwt: string, tenant = 'acme') => verifyWorkload(broker.ports, broker.snapshot(tenant), jwt);
/** What stands in the record; the message is always the same. */
async function whyRefused(jwt: string, tenant = 'acme'): Promise<string> {
  const answer = await verify(jwt, tenant);
  if (!isRefusal(answer)) throw new Error('it was accepted');
  expect(answer).toMatchObject({ refused: 'token.invalid', message: 'This workload credential is not valid here.' });
  return answer.detail ?? '';
}

beforeAll(async () => {
  [key, other, globexKey] = await Promise.all([makeTestKey(), makeTestKey(), makeTestKey()]);
  broker = await startTestBroker();
  const file = (name: string) => join(broker.dir, `${name}.json`);
  await writeFile(file('acme'), JSON.stringify({ keys: [asBundleKey(key), asBundleKey(other)] }));
  await writeFile(file('globex'), JSON.stringify({ keys: [asBundleKey(globexKey)] }));
  const trust = (name: string) => [{ spiffe: `${name}.example`, bundle: file(name), for: 'workloads' }];
  await broker.change('acme', { trust: trust('acme') });
  await broker.change('globex', { trust: trust('globex') });
});
afterAll(() => broker.close());

describe('a JWT-SVID', () => {
  it('proves the agent that is registered under its SPIFFE ID', async () => {
    const answer = await verify(await sign(key, claims()));
    expect(answer).toMatchObject({ kind: 'agent', tenant: 'acme', identity: id, agent: { name: 'invoice-matcher' } });
  });

  it.each([undefined, 'JWT', 'jwt', 'JOSE'])('may have typ %s', async (typ) => {
    expect(await verify(await sign(key, claims(), typ === undefined ? {} : { typ }))).toMatchObject({ kind: 'agent' });
  });

  it('needs no kid when several keys of its domain could fit: each is tried', async () => {
    expect(await verify(await sign(other, claims(), { kid: undefined }))).toMatchObject({ kind: 'agent' });
  });

  const hostile: readonly [string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>, string][] = [
    ['without exp', { exp: undefined }, {}, 'no exp'],
    ['with exp as text', { exp: '9999999999' }, {}, 'no exp'],
    ['that expires in ten years', { exp: 2_100_000_000 }, {}, 'exp too far ahead'],
    ['that expires a minute beyond the hour', { exp: Math.floor(Date.now() / 1000) + 3_661 }, {}, 'exp too far ahead'],
    ['that has expired', { exp: Math.floor(Date.now() / 1000) - 1 }, {}, 'expired'],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 120 }, {}, 'not valid yet'],
    ['without aud', { aud: undefined }, {}, "aud is not exactly the tenant's issuer"],
    ['for another audience', { aud: 'https://elsewhere.example' }, {}, "aud is not exactly the tenant's issuer"],
    ['for two audiences', { aud: ['http://localhost:7411/t/acme', 'https://elsewhere.example'] }, {}, "aud is not exactly the tenant's issuer"],
    ['for the same audience twice', { aud: ['http://localhost:7411/t/acme', 'http://localhost:7411/t/acme'] }, {}, "aud is not exactly the tenant's issuer"],
    ["for another tenant's issuer", { aud: 'http://localhost:7411/t/globex' }, {}, "aud is not exactly the tenant's issuer"],
    ['of an agent nobody registered', { sub: 'spiffe://acme.example/agent/other' }, {}, 'no agent has this identity'],
    ['of an unknown trust domain', { sub: 'spiffe://evil.example/agent/invoice-matcher' }, {}, 'unknown trust domain'],
    ['with typ oauth-id-jag+jwt', {}, { typ: 'oauth-id-jag+jwt' }, 'typ not allowed'],
    ['with typ at+jwt', {}, { typ: 'at+jwt' }, 'typ not allowed'],
    ['with a header the standard does not list', {}, { jku: 'https://evil.example/keys' }, 'header parameters beyond alg, typ, kid'],
    ['with a kid nobody has', {}, { kid: 'unknown' }, 'no key of the trust domain verifies it'],
  ];
  it.each(hostile)('%s is refused', async (_, moreClaims, header, why) => {
    expect(await whyRefused(await sign(key, claims(moreClaims), header))).toBe(why);
  });

  const ids = [
    'spiffe://acme.example/agent/%69nvoice-matcher',
    'spiffe://acme.example/agent/../agent/invoice-matcher',
    'spiffe://acme.example/agent/./invoice-matcher',
    'spiffe://acme.example//agent/invoice-matcher',
    'spiffe://acme.example/agent/invoice-matcher/',
    'spiffe://acme.example:443/agent/invoice-matcher',
    'spiffe://user@acme.example/agent/invoice-matcher',
    'spiffe://ACME.example/agent/invoice-matcher',
    'spiffe://acme.example/agent/invoice-matcher?x=1',
    'spiffe://acme.example/agent/invoice-matcher#x',
    'spiffe://acme.example/agent/invoice-matcher\n',
    'spiffe://acme.example',
  ];
  it.each(ids)('with the sub %j is refused', async (sub) => {
    expect(await whyRefused(await sign(key, claims({ sub })))).toBe('sub is not a SPIFFE ID');
  });

  it('with a crit header is refused', async () => {
    const jwt = await new CompactSign(Buffer.from(JSON.stringify(claims())))
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, crit: ['b64'], b64: true })
      .sign(key.privateKey);
    expect(await whyRefused(jwt)).toBe('critical header parameters are not understood');
  });

  it('without a signature is refused', async () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(await whyRefused(`${part({ alg: 'none' })}.${part(claims())}.`)).toBe('not a JWT');
    expect(await whyRefused(`${part({ alg: 'none' })}.${part(claims())}.AA`)).toBe('alg not allowed');
  });

  it('signed with a public key as a shared secret is refused', async () => {
    const secret = Buffer.from(JSON.stringify(key.publicJwk));
    const jwt = await new CompactSign(Buffer.from(JSON.stringify(claims()))).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret);
    expect(await whyRefused(jwt)).toBe('alg not allowed');
  });

  it('signed with Ed25519 is refused: SPIFFE knows no EdDSA', async () => {
    const edwards = await makeTestKey('EdDSA');
    await writeFile(join(broker.dir, 'edwards.json'), JSON.stringify({ keys: [asBundleKey(edwards)] }));
    await broker.change('initech', { trust: [{ spiffe: 'initech.example', bundle: join(broker.dir, 'edwards.json'), for: 'workloads' }] });
    const jwt = await sign(edwards, { sub: 'spiffe://initech.example/agent/invoice-matcher', aud: issuerOf(broker, 'initech'), exp: nowOf(broker) + 60 });
    expect(await whyRefused(jwt, 'initech')).toBe('alg not allowed');
  });

  it('with one claim twice is refused, whichever of the two a reader would take', async () => {
    const text = JSON.stringify(claims()).replace('{', `{"sub":"spiffe://acme.example/agent/other",`);
    const jwt = await new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: 'ES256', kid: key.kid }).sign(key.privateKey);
    expect(await whyRefused(jwt)).toBe('not a JWT');
  });

  it('whose sub was changed after signing is refused', async () => {
    const [head, , signature] = (await sign(key, claims({ sub: 'spiffe://acme.example/agent/other' }))).split('.');
    const body = Buffer.from(JSON.stringify(claims())).toString('base64url');
    expect(await whyRefused(`${head}.${body}.${signature}`)).toBe('no key of the trust domain verifies it');
  });

  it.each([
    ['a'.repeat(20_000), 'too long'],
    ['a.b', 'two parts'],
    ['a.b.c.d', 'four parts'],
    ['', 'empty'],
    ['e30.e30.e30=', 'padded'],
  ])('%s… (%s) is no JWT', async (jwt) => {
    expect(await whyRefused(jwt)).toBe('not a JWT');
  });
});

describe('a trust domain', () => {
  it("is not proven by another tenant's key, even for an agent of the first", async () => {
    expect(await whyRefused(await sign(globexKey, claims()))).toBe('no key of the trust domain verifies it');
    const both = await sign(globexKey, claims({ sub: 'spiffe://globex.example/agent/invoice-matcher', aud: issuerOf(broker, 'acme') }));
    expect(await whyRefused(both)).toBe('unknown trust domain');
  });

  it('bound to the same tenant beside another keeps its own keys: sets are never merged', async () => {
    const roots = ['acme', 'globex'].map((name) => ({ spiffe: `${name}.example`, bundle: join(broker.dir, `${name}.json`), for: 'workloads' }));
    await broker.change('umbrella', { trust: roots, agents: [{ name: 'invoice-matcher', identity: id }] });
    const aud = issuerOf(broker, 'umbrella');
    expect(await verify(await sign(key, claims({ aud })), 'umbrella')).toMatchObject({ kind: 'agent' });
    expect(await whyRefused(await sign(globexKey, claims({ aud })), 'umbrella')).toBe('no key of the trust domain verifies it');
  });

  it('bound twice is bound to nothing', async () => {
    const root = { spiffe: 'acme.example', bundle: join(broker.dir, 'acme.json'), for: 'workloads' };
    await broker.change('twice', { trust: [root, { ...root, bundle: join(broker.dir, 'globex.json') }], agents: [{ name: 'invoice-matcher', identity: id }] });
    expect(await whyRefused(await sign(key, claims({ aud: issuerOf(broker, 'twice') })), 'twice')).toBe('the trust domain is bound twice');
  });

  const bundles: readonly [string, () => string, string][] = [
    ['empty', () => '{"keys":[]}', 'all keys of the trust domain are revoked'],
    ['that holds the key under use `sig`', () => JSON.stringify({ keys: [{ ...key.publicJwk, use: 'sig' }] }), 'all keys of the trust domain are revoked'],
    ['that holds the key without a use', () => JSON.stringify({ keys: [key.publicJwk] }), 'all keys of the trust domain are revoked'],
    ['that holds the key for X.509', () => JSON.stringify({ keys: [{ ...key.publicJwk, use: 'x509-svid' }] }), 'all keys of the trust domain are revoked'],
    [
      'that holds the key without a kid',
      () => JSON.stringify({ keys: [{ ...key.publicJwk, use: 'jwt-svid', kid: undefined }] }),
      'all keys of the trust domain are revoked',
    ],
    ['that holds a private key', () => JSON.stringify({ keys: [{ ...key.privateJwk, use: 'jwt-svid' }] }), 'all keys of the trust domain are revoked'],
    ['with duplicate keys', () => `{"keys":[],"keys":[${JSON.stringify(asBundleKey(key))}]}`, 'the bundle cannot be read'],
    ['that is no bundle', () => '[]', 'the bundle cannot be read'],
    ['that is not JSON', () => 'keys', 'the bundle cannot be read'],
    ['larger than the cap', () => `{"keys":[]${' '.repeat(300_000)}}`, 'the bundle cannot be read'],
  ];
  it.each(bundles)('with a bundle %s denies', async (_, text, why) => {
    const file = join(broker.dir, 'bad.json');
    await writeFile(file, text());
    await broker.change('bad', { trust: [{ spiffe: 'acme.example', bundle: file, for: 'workloads' }], agents: [{ name: 'invoice-matcher', identity: id }] });
    expect(await whyRefused(await sign(key, claims({ aud: issuerOf(broker, 'bad') })), 'bad')).toBe(why);
  });

  it('without its bundle file denies', async () => {
    await broker.change('bad', {
      trust: [{ spiffe: 'acme.example', bundle: join(broker.dir, 'absent.json'), for: 'workloads' }],
      agents: [{ name: 'invoice-matcher', identity: id }],
    });
    expect(await whyRefused(await sign(key, claims({ aud: issuerOf(broker, 'bad') })), 'bad')).toBe('the bundle cannot be read');
  });
});

describe('a bundle endpoint', () => {
  const withEndpoint = async (url: string): Promise<void> => {
    await broker.change('remote', {
      trust: [{ spiffe: 'acme.example', bundle_url: url, for: 'workloads' }],
      agents: [{ name: 'invoice-matcher', identity: id }],
    });
  };
  const jwtBy = async (signer: TestKey): Promise<string> => sign(signer, claims({ aud: issuerOf(broker, 'remote') }));

  it('is asked once while its keys are fresh, again after its refresh hint, and for a key it had not shown', async () => {
    let keys = [asBundleKey(key)];
    const endpoint = await serve((_, response) => sendJson(response, { keys, spiffe_refresh_hint: 60 }));
    try {
      await withEndpoint(`${endpoint.url}/once`);
      const jwt = await jwtBy(key);
      expect(await Promise.all([verify(jwt, 'remote'), verify(jwt, 'remote')])).toMatchObject([{ kind: 'agent' }, { kind: 'agent' }]);
      expect(await verify(jwt, 'remote')).toMatchObject({ kind: 'agent' });
      expect(endpoint.hits()).toBe(1);
      keys = [asBundleKey(key), asBundleKey(other)];
      broker.advance(11_000);
      expect(await verify(await jwtBy(other), 'remote')).toMatchObject({ kind: 'agent' });
      expect(endpoint.hits()).toBe(2);
      keys = [asBundleKey(other)];
      broker.advance(61_000);
      expect(await whyRefused(await jwtBy(key), 'remote')).toBe('no key of the trust domain verifies it');
      expect(endpoint.hits()).toBe(3);
    } finally {
      await endpoint.close();
    }
  });

  it('cannot be hammered with unknown key ids', async () => {
    const endpoint = await serve((_, response) => sendJson(response, { keys: [asBundleKey(key)] }));
    try {
      await withEndpoint(`${endpoint.url}/hammer`);
      for (let n = 0; n < 10; n++) await whyRefused(await sign(key, claims({ aud: issuerOf(broker, 'remote') }), { kid: `no-${n}` }), 'remote');
      expect(endpoint.hits()).toBe(1);
    } finally {
      await endpoint.close();
    }
  });

  it('that is down leaves the cached keys good to their own limit, then denies', async () => {
    const endpoint = await serve((_, response) => sendJson(response, { keys: [asBundleKey(key)], spiffe_refresh_hint: 300 }));
    await withEndpoint(`${endpoint.url}/down`);
    expect(await verify(await jwtBy(key), 'remote')).toMatchObject({ kind: 'agent' });
    await endpoint.close();
    broker.advance(50 * 60_000);
    expect(await verify(await jwtBy(key), 'remote')).toMatchObject({ kind: 'agent' });
    broker.advance(11 * 60_000);
    expect(await whyRefused(await jwtBy(key), 'remote')).toBe('the bundle cannot be read');
  });

  it('that now shows no keys has revoked all: the old ones are not kept', async () => {
    let keys = [asBundleKey(key)];
    const endpoint = await serve((_, response) => sendJson(response, { keys, spiffe_refresh_hint: 60 }));
    try {
      await withEndpoint(`${endpoint.url}/empty`);
      expect(await verify(await jwtBy(key), 'remote')).toMatchObject({ kind: 'agent' });
      keys = [];
      broker.advance(61_000);
      expect(await whyRefused(await jwtBy(key), 'remote')).toBe('all keys of the trust domain are revoked');
    } finally {
      await endpoint.close();
    }
  });

  it('that redirects, floods or repeats a member is not believed', async () => {
    const good = await serve((_, response) => sendJson(response, { keys: [asBundleKey(key)] }));
    const bad = await serve((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { location: good.url }).end();
      else if (request.url === '/flood') sendJson(response, `{"keys":[],"x":"${'x'.repeat(300_000)}"}`);
      else sendJson(response, `{"keys":[${JSON.stringify(asBundleKey(key))}],"keys":[]}`);
    });
    try {
      for (const path of ['/redirect', '/flood', '/duplicate']) {
        await withEndpoint(`${bad.url}${path}`);
        expect(await whyRefused(await jwtBy(key), 'remote')).toBe('the bundle cannot be read');
      }
      expect(good.hits()).toBe(0);
    } finally {
      await Promise.all([good.close(), bad.close()]);
    }
  });

  it('without TLS is spoken to on this machine only', async () => {
    await withEndpoint('http://bundles.acme.example/keys');
    expect(await whyRefused(await jwtBy(key), 'remote')).toBe('the bundle cannot be read');
  });
});
