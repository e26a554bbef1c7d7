import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { verifyClient, verifyWorkload } from '../../server/identity/index.ts';
import { issuerOf, makeTestKey, nowOf, sign, startTestBroker, type TestBroker, type TestKey } from './support.ts';

let broker: TestBroker;
let agentKey: TestKey;
let orchestratorKey: TestKey;
let rsa: TestKey;

beforeAll(async () => {
  [agentKey, orchestratorKey, rsa] = await Promise.all([makeTestKey('EdDSA'), makeTestKey(), makeTestKey('RS256', { modulusLength: 2048 })]);
  broker = await startTestBroker();
  await broker.change('acme', {
    agents: [
      { name: 'keyed', identity: { jwk: agentKey.publicJwk } },
      { name: 'weak', identity: { jwk: { ...rsa.publicJwk, e: 'AQ' } } },
      { name: 'double', identity: { jwk: agentKey.publicJwk } },
    ],
    tenant: {
      orchestrators: {
        scheduler: { jwk: orchestratorKey.publicJwk },
        impostor: { jwk: agentKey.publicJwk },
        double: { jwk: orchestratorKey.publicJwk },
      },
    },
  });
  await broker.change('globex', { agents: [{ name: 'keyed', identity: { jwk: orchestratorKey.publicJwk } }] });
});
afterAll(() => broker.close());

const claims = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  iss: name,
  sub: name,
  aud: issuerOf(broker),
  iat: nowOf(broker),
  exp: nowOf(broker) + 60,
  jti: crypto.randomUUID(),
  ...more,
});
const client = (jwt: string, tenant = 'acme') => verifyClient(broker.ports, broker.snapshot(tenant), jwt);
async function whyRefused(jwt: string, tenant = 'acme'): Promise<string | null> {
  const answer = await client(jwt, tenant);
  if (!isRefusal(answer)) throw new Error('it was accepted');
  expect(answer).toMatchObject({ refused: 'token.invalid', message: 'This workload credential is not valid here.' });
  return answer.detail;
}

describe('a client assertion signed with a registered key', () => {
  it('proves the agent of that key and name', async () => {
    expect(await client(await sign(agentKey, claims('keyed')))).toMatchObject({ kind: 'agent', identity: 'keyed', agent: { name: 'keyed' } });
  });

  it('may carry any kid: the registered key is the only one there is', async () => {
    expect(await client(await sign(agentKey, claims('keyed'), { kid: 'of-today' }))).toMatchObject({ kind: 'agent' });
    expect(await client(await sign(agentKey, claims('keyed'), { kid: undefined }))).toMatchObject({ kind: 'agent' });
  });

  it('is good for once', async () => {
    const jwt = await sign(agentKey, claims('keyed'));
    const answers = await Promise.all(Array.from({ length: 10 }, () => client(jwt)));
    expect(answers.filter((one) => !isRefusal(one))).toHaveLength(1);
    expect(await whyRefused(jwt)).toBe('used before');
  });

  it('proves an orchestrator, which is no agent', async () => {
    expect(await client(await sign(orchestratorKey, claims('scheduler')))).toMatchObject({ kind: 'orchestrator', name: 'scheduler' });
    expect(await verifyWorkload(broker.ports, broker.snapshot(), await sign(orchestratorKey, claims('scheduler')))).toMatchObject({ refused: 'token.invalid' });
  });

  it.each([
    ['without jti', { jti: undefined }, 'no jti'],
    ['that lives longer than five minutes', { exp: Math.floor(Date.now() / 1000) + 400 }, 'exp too far ahead'],
    ['without exp', { exp: undefined }, 'no exp'],
    ["for the token endpoint instead of the tenant's issuer", { aud: 'http://localhost:7411/t/acme/oauth/token' }, "aud is not exactly the tenant's issuer"],
    ['for two audiences', { aud: ['http://localhost:7411/t/acme', 'http://localhost:7411/t/globex'] }, "aud is not exactly the tenant's issuer"],
  ])('%s is refused', async (_, more, why) => {
    expect(await whyRefused(await sign(agentKey, claims('keyed', more)))).toBe(why);
  });

  it('is refused under another name, with another key, and at another tenant where the name has another key', async () => {
    expect(await whyRefused(await sign(agentKey, claims('unknown')))).toBe('no key is registered under this name');
    expect(await whyRefused(await sign(orchestratorKey, claims('keyed')))).toBe('the registered key does not verify it');
    expect(await whyRefused(await sign(agentKey, claims('keyed', { aud: issuerOf(broker, 'globex') })), 'globex')).toBe(
      'the registered key does not verify it',
    );
  });

  it('is refused from an orchestrator whose key an agent holds, and where agent and orchestrator share a name', async () => {
    expect(await whyRefused(await sign(agentKey, claims('impostor')))).toBe("the orchestrator's key is an agent's");
    expect(await whyRefused(await sign(agentKey, claims('double')))).toBe('an agent and an orchestrator share this name');
  });

  it('is refused when the registered key has RSA exponent 1, with which anyone signs', async () => {
    expect(await whyRefused(await sign(rsa, claims('weak')))).toBe('no key is registered under this name');
  });
});
