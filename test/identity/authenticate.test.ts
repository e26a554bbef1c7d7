import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import {
  authenticate,
  authenticatePerson,
  callerOfConnection,
  hashConnectionToken,
  isFreshLogin,
  sessionUrl,
  type TaskClaims,
} from '../../server/identity/index.ts';
import type { SessionRow } from '../../server/store/index.ts';
import { delegated, type Granted, granted, grants, idToken, types } from './local-client.ts';
import { makeTestKey, nowOf, startTestBroker, type TestBroker } from './support.ts';

let broker: TestBroker;
let task: Granted;
let mcpTask: Granted;

beforeAll(async () => {
  broker = await startTestBroker({ acme: {}, globex: {} });
  task = granted(await broker.post('token', await delegated(broker)));
  mcpTask = granted(await broker.post('token', await delegated(broker, { form: { resource: 'http://localhost:7411/mcp' } })));
});
afterAll(() => broker.close());

const at = (door: 'session' | 'mcp', token: string | null, session: string | null = door === 'session' ? task.details.session_id : null) =>
  authenticate(broker.ports, { authorization: token === null ? null : `Bearer ${token}`, door, session });

/** A task token signed with the broker's own key, so that only its content can be what is wrong. */
async function forge(change: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const key = broker.ports.keys.token[0];
  if (!key) throw new Error('no key');
  const now = nowOf(broker);
  const session = task.details.session_id;
  const claims: TaskClaims = {
    iss: 'http://localhost:7411/t/acme',
    aud: sessionUrl(broker.ports.config, session),
    sub: 'local#ana',
    client_id: 'spiffe://acme.example/agent/invoice-matcher',
    act: { sub: 'spiffe://acme.example/agent/invoice-matcher' },
    mode: 'delegated',
    tenant: 'acme',
    agent: 'invoice-matcher',
    person: 'local#ana',
    sid: session,
    task_sha256: 'f'.repeat(64),
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
  };
  return new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: key.id, ...header }).sign(key.privateKey);
}

describe('a task token', () => {
  it('is good at its own door, again and again, and at no other', async () => {
    for (let n = 0; n < 3; n++) expect(await at('session', task.access_token)).toMatchObject({ session: task.details.session_id, door: 'session' });
    expect(await at('mcp', mcpTask.access_token)).toMatchObject({ session: mcpTask.details.session_id, door: 'mcp' });
    expect(await at('mcp', task.access_token)).toMatchObject({ refused: 'token.invalid', detail: 'aud is another door' });
    expect(await at('session', mcpTask.access_token)).toMatchObject({ refused: 'token.invalid', detail: 'aud is another door' });
    expect(await at('session', task.access_token, mcpTask.details.session_id)).toMatchObject({ refused: 'token.invalid' });
    expect(await authenticatePerson(broker.ports, `Bearer ${task.access_token}`)).toMatchObject({ refused: 'token.invalid' });
  });

  it('is asked for when it is missing', async () => {
    for (const token of [null]) expect(await at('mcp', token)).toMatchObject({ refused: 'token.missing' });
    expect(await authenticate(broker.ports, { authorization: '', door: 'mcp', session: null })).toMatchObject({ refused: 'token.missing' });
  });

  it('is refused when forged in any way', async () => {
    expect(await at('session', await forge())).toMatchObject({ tenant: 'acme' });
    const stranger = await makeTestKey('EdDSA');
    const cases: readonly [string, string][] = [
      ['of another tenant', await forge({ tenant: 'globex' })],
      ['of another issuer', await forge({ iss: 'http://localhost:7411/t/globex' })],
      ['for two doors', await forge({ aud: [sessionUrl(broker.ports.config, task.details.session_id), 'http://localhost:7411/mcp'] })],
      ['of another session at this door', await forge({ sid: mcpTask.details.session_id })],
      ['bound to a key, without its proof', await forge({ cnf: { jkt: 'thumbprint' } })],
      ['without exp', await forge({ exp: undefined })],
      ['without a session', await forge({ sid: undefined })],
      ['with a claim nobody knows', await forge({ admin: true })],
      ['with typ JWT', await forge({}, { typ: 'JWT' })],
      ['without typ', await forge({}, { typ: undefined })],
      ['without kid', await forge({}, { kid: undefined })],
      ['with a critical header', await forge({}, { crit: ['b64'], b64: true })],
      [
        'signed by a stranger under our kid',
        await new SignJWT({}).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: broker.ports.keys.token[0]?.id ?? '' }).sign(stranger.privateKey),
      ],
      ['cut short', task.access_token.slice(0, -4)],
      ['not a JWT', 'abc'],
    ];
    for (const [what, token] of cases)
      expect([what, await at('session', token)]).toMatchObject([what, { refused: 'token.invalid', message: 'This token is not valid here.' }]);
  });

  it('that was seen before still expires, and still stops with its key', async () => {
    const short = await forge({ exp: nowOf(broker) + 30 });
    expect(await at('session', short)).toMatchObject({ tenant: 'acme' });
    broker.advance(31_000);
    expect(await at('session', short)).toMatchObject({ refused: 'token.expired' });
    broker.advance(-31_000);
    const seen = await forge();
    expect(await at('session', seen)).toMatchObject({ tenant: 'acme' });
    const [key] = broker.ports.keys.token;
    if (!key) throw new Error('no key');
    Object.assign(key, { retiresAt: broker.ports.clock() - 1 });
    expect(await at('session', seen)).toMatchObject({ refused: 'token.invalid', detail: 'no key in use signed it' });
    Object.assign(key, { retiresAt: null });
  });

  it.each(['Basic abc', 'DPoP abc', 'Bearer', 'Bearer a b', 'Bearer a,b', 'bearer\tabc'])('does not come as %j', async (authorization) => {
    expect(await authenticate(broker.ports, { authorization, door: 'mcp', session: null })).toMatchObject({ refused: 'token.invalid' });
  });
});

describe('a connection token', () => {
  const token = `tgc_${'A'.repeat(43)}`;
  const hash = hashConnectionToken(token);

  it('is good at /mcp until it ends or is revoked, and is stored only as a hash', async () => {
    const at0 = broker.ports.clock();
    const record = { type: 'agent.token_created', at: at0, tenant: 'acme' } as const;
    expect(await at('mcp', token)).toMatchObject({ refused: 'token.invalid' });
    await broker.ports.store.putAgentToken(
      { hash, tenant: 'acme', agent: 'invoice-matcher', createdBy: 'local#dana', expiresAt: at0 + 60_000, revoked: false },
      record,
    );
    expect(await at('mcp', token)).toMatchObject({ kind: 'connection', tenant: 'acme', agent: 'invoice-matcher', hash });
    expect(await at('session', token)).toMatchObject({ refused: 'token.invalid' });
    broker.advance(61_000);
    expect(await at('mcp', token)).toMatchObject({ refused: 'token.expired' });
    broker.advance(-61_000);
    await broker.ports.store.revokeAgentToken('acme', hash, { ...record, type: 'agent.token_revoked' });
    expect(await at('mcp', token)).toMatchObject({ refused: 'token.invalid' });
  });

  it('is the caller only of the session it opened', () => {
    const connection = { kind: 'connection', tenant: 'acme', agent: 'invoice-matcher', hash, createdBy: 'local#dana', expiresAt: 1_000 } as const;
    const session = { id: 'ses', tenant: 'acme', agent: 'invoice-matcher', connection: hash, sponsor: 'local#dana', taskSha256: 'x' } as SessionRow;
    expect(callerOfConnection(connection, session)).toMatchObject({ session: 'ses', bound: false, door: 'mcp' });
    for (const other of [{ connection: null }, { connection: 'other' }, { tenant: 'globex' }, { agent: 'another' }]) {
      expect(() => callerOfConnection(connection, { ...session, ...other })).toThrow();
    }
  });
});

describe('a person at /v1', () => {
  const logIn = async (as: string): Promise<string> => {
    const form = {
      grant_type: grants.exchange,
      subject_token: await idToken(broker, as, {}),
      subject_token_type: types.id,
      resource: 'http://localhost:7411/v1',
    };
    return String((await broker.post('token', form)).body['access_token']);
  };

  it('is who the issuer said, with the name of the document', async () => {
    const token = await logIn('bob');
    expect(await authenticatePerson(broker.ports, `Bearer ${token}`)).toMatchObject({ tenant: 'acme', id: 'local#bob', name: 'bob' });
    expect(await at('mcp', token)).toMatchObject({ refused: 'token.invalid' });
    expect(await at('session', token)).toMatchObject({ refused: 'token.invalid' });
    broker.advance(3_601_000);
    expect(await authenticatePerson(broker.ports, `Bearer ${token}`)).toMatchObject({ refused: 'token.expired' });
    broker.advance(-3_601_000);
  });

  it('logged in when the issuer said so, however long the token has been lying about', async () => {
    const token = await logIn('bob');
    const before = broker.ports.clock();
    broker.advance(600_000);
    const person = await authenticatePerson(broker.ports, `Bearer ${token}`);
    broker.advance(-600_000);
    const { loggedInAt = 0 } = isRefusal(person) ? {} : person;
    expect(before - loggedInAt).toBeGreaterThanOrEqual(0);
    expect(before - loggedInAt).toBeLessThan(60_000);
  });

  it.each([
    [0, true],
    [300_000, true],
    [300_001, false],
    [undefined, false],
  ])('is freshly logged in for five minutes (%s ms ago: %s)', (ago, fresh) => {
    expect(isFreshLogin(ago === undefined ? {} : { loggedInAt: 1_000_000 - ago }, 1_000_000)).toBe(fresh);
  });

  it('is nobody any more once the operator trusts the issuer no longer, and nameless once the document drops them', async () => {
    const token = await logIn('eve');
    await broker.change('acme', { tenant: { people: {} } });
    expect(await authenticatePerson(broker.ports, `Bearer ${token}`)).toMatchObject({ tenant: 'acme', id: 'local#eve', name: null });
    await broker.change('acme', { trust: [{ spiffe: 'acme.example', bundle: 'local', for: 'workloads' }] });
    expect(isRefusal(await authenticatePerson(broker.ports, `Bearer ${token}`))).toBe(true);
    await broker.change('acme', {});
  });
});
