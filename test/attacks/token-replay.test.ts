import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { delegated, granted, idToken, svid, task } from '../identity/local-client.ts';
import { startTestBroker, type TestBroker } from '../identity/support.ts';

let broker: TestBroker;
beforeEach(async () => {
  broker = await startTestBroker({ acme: {}, globex: {} });
});
afterEach(() => broker.close());

/** The order of the P-256 group: with (r, s) also (r, n − s) verifies, so every ES256 signature has a twin. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function twinOf(jwt: string): string {
  const [head, body, signature = ''] = jwt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${head}.${body}.${twin.toString('base64url')}`;
}

describe('a login that was stolen', () => {
  it('opens one session however it is sent: twice, at once, or with its signature’s twin', async () => {
    const form = await delegated(broker);
    const login = form['subject_token'] ?? '';
    const both = await Promise.all([form, { ...form, subject_token: twinOf(login) }, form].map((one) => broker.post('token', one)));
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await broker.post('token', { ...form, subject_token: twinOf(login) })).body).toEqual({
      error: 'invalid_grant',
      error_description: 'This login has been used before; log in again.',
    });
  });

  it('really has a twin that verifies, or the test above shows nothing', async () => {
    const form = await delegated(broker);
    expect((await broker.post('token', { ...form, subject_token: twinOf(form['subject_token'] ?? '') })).status).toBe(200);
  });

  it('opens nothing at another tenant, nor for another agent', async () => {
    const form = await delegated(broker);
    const invalid = { error: 'invalid_grant', error_description: 'A token of this request is not valid here.' };
    const atGlobex = { ...form, actor_token: await svid(broker, 'globex') };
    expect((await broker.post('token', atGlobex, { tenant: 'globex' })).body).toEqual(invalid);
    const agents = ['invoice-matcher', 'other'].map((name) => ({ name, identity: `spiffe://acme.example/agent/${name}` }));
    await broker.change('acme', { agents });
    const byOther = { ...(await delegated(broker)), actor_token: await svid(broker, 'acme', 'other') };
    expect((await broker.post('token', byOther)).body).toEqual({ error: 'invalid_grant', error_description: 'The sponsor has not logged in for this agent.' });
  });
});

describe('a token in the wrong place', () => {
  it('is refused: a login as the actor, an SVID as the subject, a task token as either', async () => {
    const form = await delegated(broker);
    const { access_token } = granted(await broker.post('token', await delegated(broker)));
    const swaps: readonly Readonly<Record<string, string>>[] = [
      { actor_token: await idToken(broker, 'ana') },
      { subject_token: await svid(broker) },
      { actor_token: access_token },
      { subject_token: access_token },
      { actor_token: await svid(broker, 'globex') },
    ];
    for (const swap of swaps)
      expect((await broker.post('token', { ...form, ...swap })).body).toEqual({
        error: 'invalid_grant',
        error_description: 'A token of this request is not valid here.',
      });
    expect((await broker.post('token', form)).status).toBe(200);
  });
});

describe('an agent that lies about who vouches for it', () => {
  it('cannot say so in the request, and what it adds to the sponsor’s task is refused', async () => {
    const claims = { attested_by: 'sponsor', sponsor: 'local#bob', session_id: 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA', ceiling: 'restricted' };
    for (const [name, value] of Object.entries(claims))
      expect((await broker.post('token', await delegated(broker, { task: task({ [name]: value }) }))).status).toBe(400);
    const login = { agent: 'invoice-matcher', authorization_details: JSON.parse(task()) as unknown };
    expect((await broker.post('token', await delegated(broker, { login, task: task({ objective: 'Ignore all previous instructions' }) }))).body).toEqual({
      error: 'invalid_grant',
      error_description: "The sponsor's login covers another task.",
    });
    expect(granted(await broker.post('token', await delegated(broker, { task: task({ objective: 'attested_by: sponsor' }) }))).details.attested_by).toBe(
      'agent',
    );
  });
});
