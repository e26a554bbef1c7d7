import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureLocal, localProviderRuns, localRoutes, verifyPersonToken, verifyWorkload } from '../../server/identity/index.ts';
import { askLocal, idToken, localAssertion, svid } from './local-client.ts';
import { issuerOf, nowOf, startTestBroker, type TestBroker } from './support.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ acme: {}, globex: {} });
});
afterAll(() => broker.close());

describe('the local identity provider', () => {
  it('keeps its keys in folders of 0700 and files of 0600, and makes them once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'taskgate-local-'));
    try {
      const tenants = [{ tenant: 'acme', agents: ['invoice-matcher'] }];
      await ensureLocal(dir, tenants);
      const names = ['trust-domain.json', 'bundle.json', 'issuer.json', 'people.json', 'agents/invoice-matcher.json'].map((name) =>
        join(dir, 'local/acme', name),
      );
      const before = await Promise.all(names.map((name) => readFile(name, 'utf8')));
      for (const name of names) expect((await stat(name)).mode & 0o777).toBe(0o600);
      for (const folder of ['local', 'local/acme', 'local/acme/agents']) expect((await stat(join(dir, folder))).mode & 0o777).toBe(0o700);
      await ensureLocal(dir, tenants);
      expect(await Promise.all(names.map((name) => readFile(name, 'utf8')))).toEqual(before);
      expect(await readdir(join(dir, 'local/acme'))).toHaveLength(5);
      expect(before[1]).not.toContain('"d"');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('runs only on loopback listeners and SQLite', () => {
    const where = (hosts: string[], store = 'sqlite:./x.db') => localProviderRuns({ listen: { port: 0, hosts }, store });
    expect(where(['127.0.0.1', '::1'])).toBe(true);
    expect(where(['127.0.0.1', '0.0.0.0'])).toBe(false);
    expect(where(['::'])).toBe(false);
    expect(where(['127.0.0.1'], 'postgres://db/x')).toBe(false);
  });

  it('where it may not run, has no doors, and its keys prove nothing', async () => {
    const jwt = await svid(broker);
    const login = await idToken(broker, 'ana');
    const ports = { ...broker.ports, config: { ...broker.ports.config, listen: { port: 0, hosts: ['0.0.0.0'] } } };
    expect((await localRoutes(ports).request('/t/acme/local/svid', { method: 'POST', body: '{}' })).status).toBe(404);
    expect(await verifyWorkload(ports, broker.snapshot(), jwt)).toMatchObject({ refused: 'token.invalid', detail: 'the bundle cannot be read' });
    expect(await verifyPersonToken(ports, broker.snapshot(), login, [])).toMatchObject({ refused: 'token.invalid' });
    expect(await verifyWorkload(broker.ports, broker.snapshot(), jwt)).toMatchObject({ kind: 'agent' });
  });

  it('issues a five-minute SVID for the tenant alone to whoever proves the workload key', async () => {
    const jwt = await svid(broker);
    expect(decodeProtectedHeader(jwt)).toMatchObject({ alg: 'ES256', typ: 'JWT' });
    const { sub, aud, iat = 0, exp = 0 } = decodeJwt(jwt);
    expect({ sub, aud, life: exp - iat }).toEqual({ sub: 'spiffe://acme.example/agent/invoice-matcher', aud: [issuerOf(broker)], life: 300 });
  });

  it('issues a five-minute ID token that names the agent and covers the task it was asked for', async () => {
    const details = [{ type: 'taskgate-task', use_case: 'match-invoices', inputs: { invoice: 'INV-7' } }];
    const claims = decodeJwt(await idToken(broker, 'ana', { agent: 'invoice-matcher', authorization_details: details }));
    expect(claims).toMatchObject({
      iss: 'local',
      sub: 'ana',
      aud: 'taskgate',
      may_act: { sub: 'spiffe://acme.example/agent/invoice-matcher' },
      authorization_details: details,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
    expect(decodeJwt(await idToken(broker, 'ana', {}))).not.toHaveProperty('may_act');
  });

  const refused = { status: 403, body: { error: 'access_denied', error_description: 'The local provider issues nothing for this.' } };
  const later = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  it.each([
    ['of another tenant', 'globex', 'agents/invoice-matcher', 'invoice-matcher', {}],
    ['by the people key', 'acme', 'people', 'invoice-matcher', {}],
    ['of a name that is a path', 'acme', 'agents/invoice-matcher', '../people', {}],
    ['of an unknown agent', 'acme', 'agents/invoice-matcher', 'nobody', {}],
    ['that lives too long', 'acme', 'agents/invoice-matcher', 'invoice-matcher', { exp: later(120) }],
    ['that has expired', 'acme', 'agents/invoice-matcher', 'invoice-matcher', { exp: later(-1) }],
    ['for another audience', 'acme', 'agents/invoice-matcher', 'invoice-matcher', { aud: 'http://localhost:7411/t/acme' }],
    ['without jti', 'acme', 'agents/invoice-matcher', 'invoice-matcher', { jti: undefined }],
  ])('gives nothing for an assertion %s, always in the same words', async (_, tenant, file, subject, more) => {
    expect(await askLocal(broker, 'acme', 'svid', { assertion: await localAssertion(broker, tenant, file, subject, more) })).toEqual(refused);
  });

  it('takes an assertion once', async () => {
    const assertion = await localAssertion(broker, 'acme', 'agents/invoice-matcher', 'invoice-matcher', { iat: nowOf(broker) });
    expect((await askLocal(broker, 'acme', 'svid', { assertion })).status).toBe(200);
    expect(await askLocal(broker, 'acme', 'svid', { assertion })).toEqual(refused);
  });

  it('logs in only people of the document, proven by the people key for that name', async () => {
    const ask = async (as: string, subject: string, file = 'people', more: object = {}) =>
      askLocal(broker, 'acme', 'id-token', { assertion: await localAssertion(broker, 'acme', file, subject), as, ...more });
    expect((await ask('ana', 'ana')).status).toBe(200);
    for (const answer of [
      await ask('mallory', 'mallory'),
      await ask('ana', 'bob'),
      await ask('ana', 'ana', 'agents/invoice-matcher'),
      await ask('ana', 'ana', 'people', { agent: 'nobody' }),
    ]) {
      expect(answer).toEqual(refused);
    }
  });

  it.each(['', '[]', '{"assertion":1}', `{"assertion":"a","assertion":"b"}`, `{"assertion":"${'a'.repeat(40_000)}"}`, '{"assertion":"x","more":1}'])(
    'answers the body %.40s… like everything it does not know',
    async (body) => {
      expect(await askLocal(broker, 'acme', 'svid', body)).toEqual(refused);
      expect(await askLocal(broker, 'unknown', 'svid', body)).toEqual(refused);
    },
  );
});
