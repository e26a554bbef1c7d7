import { decodeJwt } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oidcAlgorithms } from '../../server/identity/index.ts';
import { asAgent, delegated, type Granted, granted, grants, idToken, renewal, svid, task, types } from '../identity/local-client.ts';
import { startTestBroker, type TestBroker } from '../identity/support.ts';
import { type Holder, newHolder, proofOf } from '../support/proofs.ts';

const endpoint = 'http://localhost:7411/t/acme/oauth/token';
const alone = { name: 'match-alone', accountable: 'dana', inputs: { invoice: { type: 'string' } } };
const useCases = [{ sponsors: { groups: ['finance'] }, inputs: { invoice: { type: 'string' } } }, alone];

let broker: TestBroker;
let holder: Holder;
let other: Holder;
beforeAll(async () => {
  [holder, other] = [await newHolder(), await newHolder()];
});
beforeEach(async () => {
  broker = await startTestBroker({ acme: { useCases }, globex: {} });
});
afterEach(() => broker.close());

const proof = (by = holder, over: Parameters<typeof proofOf>[4] = {}) => proofOf(by, 'POST', endpoint, null, over);
type Form = Readonly<Record<string, string>>;
const ask = async (form: Form, dpop: string | null = null) => broker.post('token', form, dpop === null ? {} : { dpop });
const cnfOf = ({ access_token: token }: Pick<Granted, 'access_token'>): unknown => decodeJwt(token)['cnf'];
const renew = async (session: string, dpop: string | null) => ask(await asAgent(broker, renewal(session)), dpop);

const opening = async () => {
  const body = (await broker.ports.store.readRecords('acme', 0, 100)).map((one) => one.body).find(({ type }) => type === 'session.opened');
  if (!body) throw new Error('nothing was opened');
  return body;
};

/** Every grant an agent opens a task by. */
const openings: readonly [string, () => Promise<Form>][] = [
  ['token exchange', () => delegated(broker)],
  ['client_credentials', () => asAgent(broker, task({ use_case: 'match-alone' }))],
  ['jwt-bearer', async () => ({ grant_type: grants.bearer, assertion: await svid(broker), authorization_details: task({ use_case: 'match-alone' }) })],
];

describe.each(openings)('a task opened by %s', (_grant, form) => {
  it('is bound for good to the key whose proof came with the request', async () => {
    const answer = await ask(await form(), await proof());
    expect(answer.body['token_type']).toBe('DPoP');
    const open = granted(answer);
    expect(cnfOf(open)).toEqual({ jkt: holder.jkt });
    expect((await broker.ports.store.readSession('acme', open.details.session_id))?.session.cnf).toEqual({ jkt: holder.jkt });
    expect((await opening()).jkt).toBe(holder.jkt);

    const fresh = await renew(open.details.session_id, await proof());
    expect(fresh.body['token_type']).toBe('DPoP');
    expect(cnfOf(granted(fresh))).toEqual({ jkt: holder.jkt });
  });

  it('has bearers when nobody proves a key', async () => {
    const answer = await ask(await form());
    expect(answer.body['token_type']).toBe('Bearer');
    expect(cnfOf(granted(answer))).toBeUndefined();
    expect(await opening()).not.toHaveProperty('jkt');
  });

  it('is not opened with a proof that is wrong, and the request may be made again with a right one', async () => {
    const given = await form();
    const wrong: readonly [string, string][] = [
      ['for another tenant', await proofOf(holder, 'POST', endpoint.replace('acme', 'globex'), null)],
      ['for another method', await proofOf(holder, 'GET', endpoint, null)],
      ['too old', await proof(holder, { claims: { iat: Math.floor(Date.now() / 1000) - 600 } })],
      ['of another', await proof(holder, { signedBy: other.privateKey })],
      ['two', `${await proof()}, ${await proof()}`],
      ['none at all', 'x'],
    ];
    for (const [what, dpop] of wrong) {
      const { status, body } = await ask(given, dpop);
      expect([what, status, body['error']]).toEqual([what, 400, 'invalid_dpop_proof']);
      expect(body['error_description']).toMatch(/^The DPoP proof is not valid here: it/);
    }
    expect((await ask(given, await proof())).status).toBe(200);
  });
});

describe('a proof', () => {
  it('opens one task, whoever shows it again', async () => {
    const once = await proof();
    const both = await Promise.all([1, 2, 3].map(async () => ask(await delegated(broker), once)));
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    const replayed = await ask(await delegated(broker), once);
    expect(replayed).toEqual({
      status: 400,
      body: { error: 'invalid_dpop_proof', error_description: 'This DPoP proof has been used before; make a new one for every request.' },
    });
  });

  it('leaves nothing behind as long as nobody has proven who they are', async () => {
    const used = await proof();
    const form = { ...(await delegated(broker)), actor_token: 'x.y.z' };
    for (let n = 0; n < 2; n++) expect((await ask(form, used)).body['error']).toBe('invalid_grant');
    expect((await ask(await delegated(broker), used)).status).toBe(200);
  });

  it('of one key does not use up another’s, though they number theirs alike', async () => {
    const alike = { claims: { jti: '1' } };
    expect((await ask(await delegated(broker), await proof(holder, alike))).status).toBe(200);
    expect((await ask(await delegated(broker), await proof(other, alike))).status).toBe(200);
  });

  it('binds no token of a person', async () => {
    const form = {
      grant_type: grants.exchange,
      subject_token: await idToken(broker, 'dana', {}),
      subject_token_type: types.id,
      resource: 'http://localhost:7411/v1',
    };
    expect((await ask(form, await proof())).body).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('bound to no key') });
    expect((await ask(form)).body['token_type']).toBe('Bearer');
  });
});

describe('a bound task', () => {
  let open: Granted;
  beforeEach(async () => {
    open = granted(await ask(await delegated(broker), await proof()));
  });

  it('is renewed with its own key alone, and never falls back to a bearer', async () => {
    const session = open.details.session_id;
    expect((await renew(session, null)).body).toEqual({
      error: 'invalid_grant',
      error_description: 'This task is bound to a key: renew with a DPoP proof of that key.',
    });
    expect((await renew(session, await proof(other))).body).toEqual({ error: 'invalid_grant', error_description: 'This task is bound to another key.' });
    const once = await proof();
    expect((await renew(session, once)).status).toBe(200);
    expect((await renew(session, once)).body['error']).toBe('invalid_dpop_proof');
    const records = (await broker.ports.store.readRecords('acme', 0, 100)).map(({ body }) => body);
    expect(records.filter(({ type, session: about }) => type === 'session.refused' && about === session).map(({ code }) => code)).toEqual([
      'session.refused',
      'session.refused',
      'token.unproven',
    ]);
  });

  it('has children that are bound as well, each to a key of its own choice', async () => {
    const child = async (dpop: string | null) => ask(await asAgent(broker, task({ parent: open.details.session_id })), dpop);
    expect((await child(null)).body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringContaining('bound to a key') });
    expect(cnfOf(granted(await child(await proof(other))))).toEqual({ jkt: other.jkt });
  });

  it('is told as what it is where its tokens are introspected', async () => {
    const asWorkload = { client_assertion_type: types.assertion, client_assertion: await svid(broker) };
    const shown = await broker.post('introspect', { token: open.access_token, ...asWorkload });
    expect(shown.body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: holder.jkt } });
  });

  it('is given back by whoever holds a token of it, for that harms nobody', async () => {
    expect((await broker.post('revoke', { token: open.access_token })).status).toBe(200);
    expect((await broker.ports.store.readSession('acme', open.details.session_id))?.session.status).toBe('ended');
  });
});

it('a task of bearers is not bound later: a proof at its renewal is refused, not passed over', async () => {
  const open = granted(await ask(await delegated(broker)));
  expect((await renew(open.details.session_id, await proof())).body).toMatchObject({
    error: 'invalid_grant',
    error_description: expect.stringContaining('opened without a key'),
  });
  expect((await renew(open.details.session_id, null)).body['token_type']).toBe('Bearer');
});

it('the metadata of issuer and doors says which algorithms a proof may be by', async () => {
  for (const path of ['oauth-authorization-server/t/acme', 'oauth-protected-resource/mcp', 'oauth-protected-resource/t/acme/mcp']) {
    const response = await broker.app.request(`/.well-known/${path}`);
    expect(await response.json(), path).toMatchObject({ dpop_signing_alg_values_supported: [...oidcAlgorithms] });
  }
});
