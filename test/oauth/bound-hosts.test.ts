import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loggedIn, type Visit } from '../console/visit.ts';
import type { TestBroker } from '../support/broker.ts';
import { type Holder, newHolder, proofOf } from '../support/proofs.ts';
import { type Answer, type Asked, ask, authorize, callback, consent, listenOn, sessionOf, startHostBroker, token } from './host.ts';

/** Interactive hosts that prove a key: by hand, for what no well-behaved one does. */

let broker: TestBroker;
let ana: Visit;
let documents: Awaited<ReturnType<typeof listenOn>>;
let holder: Holder;
let thief: Holder;
beforeAll(async () => {
  documents = await listenOn((request, response) => {
    const said = { client_id: `${documents.url}${request.url}`, redirect_uris: ['http://127.0.0.1/callback'], dpop_bound_access_tokens: true };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
  });
  broker = await startHostBroker({ documents: [`${documents.url}/bound.json`] });
  ana = await loggedIn(broker, 'ana');
  [holder, thief] = [await newHolder(), await newHolder()];
});
afterAll(() => Promise.all([broker.end(), documents.close()]));

const proofBy = (by: Holder) => proofOf(by, 'POST', `${broker.url}/t/acme/oauth/token`, null);
const post = async (form: Record<string, string>, by: Holder | null): Promise<Answer> =>
  token(broker, { client_id: 'desk', ...form }, 'acme', 'token', by ? { dpop: await proofBy(by) } : {});
const redeem = (code: string, { verifier }: Asked, by: Holder | null) =>
  post({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier }, by);
const refresh = ({ body }: Answer, by: Holder | null) => post({ grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }, by);
const statusOf = async (answer: Answer) => (await broker.ports.store.readSession('acme', sessionOf(answer)))?.session.status;
async function open(by: Holder | null): Promise<Answer> {
  const request = ask();
  return redeem(await consent(broker, ana, request), request, by);
}

it('a host that proves a key with its code has a bound task, and renews it with that key alone', async () => {
  const answer = await open(holder);
  expect(answer.body).toMatchObject({ token_type: 'DPoP', refresh_token: expect.any(String) });
  expect(decodeJwt(answer.body.access_token ?? '')['cnf']).toEqual({ jkt: holder.jkt });
  for (const by of [null, thief])
    expect((await refresh(answer, by)).body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringContaining('key') });
  const next = await refresh(answer, holder);
  expect(next.body).toMatchObject({ token_type: 'DPoP' });
  expect(decodeJwt(next.body.access_token ?? '')['cnf']).toEqual({ jkt: holder.jkt });
});

describe('a refresh token of a bound task that was stolen', () => {
  it('gives its thief nothing, and what they tried does not use it up', async () => {
    const answer = await open(holder);
    for (const by of [null, thief, null]) expect((await refresh(answer, by)).status).toBe(400);
    expect(await statusOf(answer)).toBe('active');
    expect((await refresh(answer, holder)).status).toBe(200);
  });

  it('still ends the task when it is shown after it was used, by whomever', async () => {
    const answer = await open(holder);
    await refresh(answer, holder);
    expect((await refresh(answer, null)).status).toBe(400);
    expect(await statusOf(answer)).toBe('revoked');
  });
});

it('a host of bearers is told when it begins to prove a key, and goes on as before without', async () => {
  const answer = await open(null);
  expect(answer.body['token_type']).toBe('Bearer');
  expect((await refresh(answer, holder)).body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringContaining('opened without a key') });
  expect((await refresh(answer, null)).body['token_type']).toBe('Bearer');
});

describe('a code for a key that the request named', () => {
  const named = () => ask({ dpop_jkt: holder.jkt });

  it('is taken with a proof of it', async () => {
    const request = named();
    expect((await redeem(await consent(broker, ana, request), request, holder)).body).toMatchObject({ token_type: 'DPoP' });
  });

  it.each([
    ['without a proof', null],
    ['with a proof of another', 'thief'],
  ] as const)('is burnt when it is shown %s', async (_what, who) => {
    const request = named();
    const code = await consent(broker, ana, request);
    expect((await redeem(code, request, who && thief)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await redeem(code, request, holder)).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('is not made for what is no thumbprint', async () => {
    for (const jkt of ['', 'x', `${holder.jkt}=`, `${holder.jkt}A`]) {
      const page = await authorize(broker, ask({ dpop_jkt: jkt }));
      expect([page.origin, page.searchParams.get('error')], jkt).toEqual([new URL(callback).origin, 'invalid_request']);
    }
  });
});

it('a client that said of itself that it proves a key has no bearers, however it said so', async () => {
  const registered = await fetch(`${broker.url}/t/acme/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [callback], dpop_bound_access_tokens: true }),
  });
  const { client_id: dynamic, ...said } = (await registered.json()) as Record<string, unknown>;
  expect(said).toMatchObject({ dpop_bound_access_tokens: true });
  for (const id of [String(dynamic), `${documents.url}/bound.json`]) {
    const request = ask({ client_id: id });
    const code = await consent(broker, ana, request);
    const form = { client_id: id, grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: request.verifier };
    expect((await post(form, null)).body).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('bound to a key') });
    expect((await post(form, holder)).body).toMatchObject({ token_type: 'DPoP' });
  }
});

it('a proof that is wrong costs a code nothing: the right one may follow', async () => {
  const request = ask();
  const code = await consent(broker, ana, request);
  const form = { client_id: 'desk', grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: request.verifier };
  const once = await proofBy(holder);
  const used = await token(broker, { ...form, code: 'tga_none' }, 'acme', 'token', { dpop: `${once}x` });
  expect(used.body).toMatchObject({ error: 'invalid_dpop_proof' });
  expect((await token(broker, form, 'acme', 'token', { dpop: `${once},${once}` })).body).toMatchObject({ error: 'invalid_dpop_proof' });
  expect((await token(broker, form, 'acme', 'token', { dpop: once })).body).toMatchObject({ token_type: 'DPoP' });
});
