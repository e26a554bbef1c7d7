import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { type Login, verifyPersonToken, verifyWorkload } from '../../server/identity/index.ts';
import { startProvider, type TestProvider } from './provider.ts';
import { issuerOf, makeTestKey, nowOf, sendJson, serve, sign, startTestBroker, type TestBroker, type TestKey } from './support.ts';

let broker: TestBroker;
let provider: TestProvider;

beforeAll(async () => {
  provider = await startProvider({ claims: () => ({ groups: ['finance', 'staff'] }), clients: ['taskgate', 'matcher-app', 'stranger'] });
  broker = await startTestBroker();
  await broker.change('acme', {
    trust: [
      { oidc: provider.issuer, audience: 'taskgate', for: 'people', groups_claim: 'groups' },
      { oidc: provider.issuer, for: 'workloads' },
    ],
    tenant: { people: { ana: { subject: `${provider.issuer}#ana`, groups: ['finance'] } } },
    agents: [{ name: 'invoice-matcher', identity: { issuer: provider.issuer, subject: 'machine' }, clients: ['matcher-app'] }],
  });
  await broker.change('globex', {
    trust: [{ oidc: provider.issuer, for: 'workloads' }],
    agents: [{ name: 'invoice-clerk', identity: { issuer: provider.issuer, subject: 'other' } }],
  });
});
afterAll(async () => {
  await Promise.all([broker.close(), provider.close()]);
});

const person = (jwt: string, clients: readonly string[] = []) => verifyPersonToken(broker.ports, broker.snapshot(), jwt, clients);
function whyOf(answer: Login | object): string | null {
  if (!isRefusal(answer)) throw new Error('it was accepted');
  expect(answer).toMatchObject({ refused: 'token.invalid' });
  return answer.detail;
}

describe('a person of an OpenID provider', () => {
  it('is proven by the ID token of a real login', async () => {
    const login = await person(await provider.logIn('ana'));
    expect(login).toMatchObject({
      person: { tenant: 'acme', id: `${provider.issuer}#ana`, name: 'ana' },
      claimedGroups: ['finance', 'staff'],
      audiences: ['taskgate'],
      mayAct: null,
    });
  });

  it('whom the document does not name has no name, and so no role', async () => {
    expect(await person(await provider.logIn('zoe'))).toMatchObject({ person: { id: `${provider.issuer}#zoe`, name: null } });
  });

  it('may have logged in at a client of the agent, and of no other', async () => {
    const jwt = await provider.logIn('ana', 'matcher-app');
    expect(await person(jwt, ['matcher-app'])).toMatchObject({ audiences: ['matcher-app'] });
    expect(whyOf(await person(jwt))).toBe('aud names neither the trust root nor a client of the agent');
    expect(whyOf(await person(await provider.logIn('ana', 'stranger'), ['matcher-app']))).toBe('aud names neither the trust root nor a client of the agent');
  });

  it('must have logged in within ten minutes', async () => {
    const jwt = await provider.logIn('ana');
    broker.advance(590_000);
    expect(await person(jwt)).toMatchObject({ person: { name: 'ana' } });
    broker.advance(20_000);
    expect(whyOf(await person(jwt))).toMatch(/expired|issued too long ago/);
    broker.advance(-610_000);
  });

  it("is not proven by a token the issuer made for machines, nor by another tenant's trust", async () => {
    expect(whyOf(await person(await provider.machineToken('machine', 'taskgate:x')))).toBe('typ not allowed');
    expect(whyOf(await verifyPersonToken(broker.ports, broker.snapshot('globex'), await provider.logIn('ana'), []))).toBe('unknown issuer');
  });
});

describe('a workload of an OpenID provider', () => {
  const workload = (jwt: string, tenant = 'acme') => verifyWorkload(broker.ports, broker.snapshot(tenant), jwt);

  it('is the agent registered under its issuer and subject', async () => {
    const jwt = await provider.machineToken('machine', issuerOf(broker));
    expect(decodeJwt(jwt)).toMatchObject({ iss: provider.issuer, sub: 'machine', aud: issuerOf(broker) });
    expect(await workload(jwt)).toMatchObject({ kind: 'agent', identity: `${provider.issuer}#machine` });
  });

  it('is refused for another audience, and at another tenant of the same issuer', async () => {
    expect(whyOf(await workload(await provider.machineToken('machine', 'https://elsewhere.example')))).toBe("aud is not exactly the tenant's issuer");
    expect(whyOf(await workload(await provider.machineToken('machine', issuerOf(broker)), 'globex'))).toBe("aud is not exactly the tenant's issuer");
    expect(whyOf(await workload(await provider.machineToken('machine', issuerOf(broker, 'globex')), 'globex'))).toBe('no agent has this identity');
  });

  it("is not proven by a person's ID token", async () => {
    expect(whyOf(await workload(await provider.logIn('machine')))).toBe("aud is not exactly the tenant's issuer");
  });
});

describe('an issuer', () => {
  let key: TestKey;
  beforeAll(async () => {
    key = await makeTestKey();
  });

  /** A small issuer of its own, which may lie. */
  async function withIssuer(
    lie: { issuer?: string; jwks?: unknown; jwksUri?: string },
    run: (tools: {
      login(claims?: object, header?: object): Promise<string>;
      why(jwt: string): Promise<string | null>;
      loggedInAt(jwt: string): Promise<unknown>;
      hits(): number;
    }) => Promise<void>,
  ) {
    const server = await serve((request, response) => {
      if (request.url === '/.well-known/openid-configuration')
        sendJson(response, { issuer: lie.issuer ?? server.url, jwks_uri: lie.jwksUri ?? `${server.url}/keys` });
      else sendJson(response, lie.jwks ?? { keys: [{ ...key.publicJwk, use: 'sig' }] });
    });
    try {
      await broker.change('lied', { trust: [{ oidc: server.url, audience: 'taskgate', for: 'people' }] });
      await run({
        login: (claims = {}, header = {}) =>
          sign(
            key,
            { iss: server.url, sub: 'ana', aud: 'taskgate', iat: nowOf(broker), exp: nowOf(broker) + 60, ...claims },
            header as Record<string, unknown>,
          ),
        loggedInAt: async (jwt) => {
          const answer = await verifyPersonToken(broker.ports, broker.snapshot('lied'), jwt, []);
          return isRefusal(answer) ? answer : answer.person.loggedInAt;
        },
        why: async (jwt) => {
          const answer = await verifyPersonToken(broker.ports, broker.snapshot('lied'), jwt, []);
          return isRefusal(answer) ? answer.detail : null;
        },
        hits: server.hits,
      });
    } finally {
      await server.close();
    }
  }

  it('is believed when its discovery document names exactly it', async () => {
    await withIssuer({}, async ({ login, why, hits }) => {
      expect(await why(await login())).toBeNull();
      expect(await why(await login())).toBeNull();
      expect(hits()).toBe(2);
    });
  });

  it.each([
    ['names another issuer', { issuer: 'https://login.acme.example' }],
    ['keeps its keys where there is no TLS', { jwksUri: 'http://keys.acme.example/' }],
    ['shows something that is no key set', { jwks: { keys: 'none' } }],
  ])('whose discovery %s is not believed', async (_, lie) => {
    await withIssuer(lie, async ({ login, why }) => expect(await why(await login())).toBe("the issuer's keys cannot be read"));
  });

  it('that shows symmetric, private or weak keys has shown none', async () => {
    const small = await makeTestKey('RS256', { modulusLength: 2048 });
    const weak = { ...small.publicJwk, e: 'AQ' };
    await withIssuer({ jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: key.kid }, key.privateJwk, weak] } }, async ({ login, why }) => {
      expect(await why(await login())).toBe('no key of the issuer verifies it');
    });
  });

  it('says when somebody logged in; a time that cannot be is none', async () => {
    await withIssuer({}, async ({ login, loggedInAt }) => {
      const now = nowOf(broker);
      expect(await loggedInAt(await login({ auth_time: now - 60 }))).toBe((now - 60) * 1000);
      for (const auth_time of [undefined, now + 600, String(now), 0, -1, 1.5, null]) expect(await loggedInAt(await login({ auth_time }))).toBeUndefined();
    });
  });

  const hostile: readonly [string, object, object, string][] = [
    ['without iat', { iat: undefined }, {}, 'issued too long ago'],
    ['issued in the future', { iat: 4_000_000_000, exp: 4_000_000_060 }, {}, 'exp too far ahead'],
    ['without exp', { exp: undefined }, {}, 'no exp'],
    ['without sub', { sub: undefined }, {}, 'sub is not a subject'],
    ['with white space in sub', { sub: 'ana smith' }, {}, 'sub is not a subject'],
    ['without aud', { aud: undefined }, {}, 'aud names neither the trust root nor a client of the agent'],
    ['with numbers as aud', { aud: [1, 'taskgate'] }, {}, 'aud names neither the trust root nor a client of the agent'],
    ['with a may_act that names nobody', { may_act: {} }, {}, 'may_act is not an actor'],
    ['with authorization_details that are no list', { authorization_details: {} }, {}, 'authorization_details is not a list'],
    ['of typ at+jwt', {}, { typ: 'at+jwt' }, 'typ not allowed'],
    ['of typ oauth-id-jag+jwt', {}, { typ: 'oauth-id-jag+jwt' }, 'typ not allowed'],
  ];
  it.each(hostile)('cannot make a login %s count', async (_, claims, header, expected) => {
    await withIssuer({}, async ({ login, why }) => expect(await why(await login(claims, header))).toBe(expected));
  });
});
