import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrubSecret } from '../../server/call/scrub-secret.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { exchangePerson } from '../../server/connect/session.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments } from '../support/ledger.ts';

/** What one holds for one door, tried at another; and what the doors tell strangers. */

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change: mayListPayments, holdMs: 0 });
});
afterAll(() => broker.end());

const loginFor = async (agent: string): Promise<string> => {
  const key = JSON.parse(await readFile(join(broker.dir, 'data/local/acme/people.json'), 'utf8')) as PrivateJwk;
  return askIdToken(await findDoors(broker.url, 'acme'), key, 'bob', { agent });
};
const rpc = (url: string, token: string, method = 'tools/list') =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }),
  });
const form = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${broker.url}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers });
  const kept = [...answer.headers].filter(([name]) => name !== 'date');
  return { status: answer.status, headers: kept, text: await answer.text() };
};

describe('nothing that can approve passes through the agent’s side', () => {
  it('a login made for an agent to act on opens no door of people: the agent holds it', async () => {
    const held = await loginFor('invoice-matcher');
    const asked = exchangePerson(await findDoors(broker.url, 'acme'), held).then(
      ({ accessToken }) => broker.v1(accessToken, 'GET', '/me').then(({ text }) => text),
      () => 'refused',
    );
    expect(await asked).toBe('refused');
  });

  it('a task token is nobody at /v1, and a person’s token nobody at the doors of agents', async () => {
    const task = await broker.open({});
    const person = await broker.person('acme', 'bob');
    expect((await broker.v1(task.accessToken, 'GET', '/me')).status).toBe(401);
    expect((await rpc(task.mcpUrl, person)).status).toBe(401);
    expect((await rpc(`${broker.url}/mcp`, person)).status).toBe(401);
    expect((await rpc(`${broker.url}/mcp`, task.accessToken)).status).toBe(401);
  });
});

describe('strangers learn nothing', () => {
  it('no door of a tenant that exists answers otherwise than that of one that does not', async () => {
    const task = await broker.open({});
    const person = await broker.person('acme', 'bob');
    const details = JSON.stringify([{ type: 'taskgate-task', use_case: 'match-invoices' }]);
    const jwt = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"spiffe://globex.example/agent/invoice-clerk"}').toString('base64url')}.AAAA`;
    const assertion = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: jwt };
    const exchange = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: jwt,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    };
    const actor = { actor_token: jwt, actor_token_type: 'urn:ietf:params:oauth:token-type:jwt', authorization_details: details };
    const asks: [string, Record<string, string>, Record<string, string>?][] = [
      ['token', { grant_type: 'client_credentials', authorization_details: details, ...assertion }],
      ['token', { ...exchange, ...actor }],
      ['token', { ...exchange, resource: `${broker.url}/v1` }],
      ['token', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt, authorization_details: details }],
      ['revoke', { token: task.accessToken }],
      ['revoke', { token: 'nonsense', ...assertion }],
      ['introspect', { token: task.accessToken, ...assertion }],
      ['introspect', { token: task.accessToken }, { authorization: `Bearer ${person}` }],
    ];
    for (const [path, fields, headers] of asks) {
      const [there, nowhere] = [await form(`/t/globex/oauth/${path}`, fields, headers), await form(`/t/nowhere/oauth/${path}`, fields, headers)];
      expect(there).toEqual(nowhere);
    }
    // Nothing of that ended the task of acme.
    expect((await broker.ports.store.readSession('acme', task.session))?.session.status).toBe('active');
    for (const path of ['/.well-known/oauth-authorization-server/t/globex', '/t/globex/oauth/jwks.json', '/t/globex/local/svid']) {
      const method = path.endsWith('svid') ? 'POST' : 'GET';
      const [there, nowhere] = await Promise.all([path, path.replace('globex', 'nowhere')].map((one) => fetch(`${broker.url}${one}`, { method })));
      expect([there?.status, (await there?.text())?.replaceAll('globex', 'nowhere')]).toEqual([nowhere?.status, await nowhere?.text()]);
    }
  });

  it('the door of another’s session, of another tenant’s and of none answer alike', async () => {
    const [mine, other, foreign] = [await broker.open({}), await broker.open({}), await broker.open({ tenant: 'globex' })];
    const none = 'ses_globex_AAAAAAAAAAAAAAAAAAAAAA';
    const answers = await Promise.all(
      [other.session, foreign.session, none].map(async (session) => {
        const answer = await rpc(`${broker.url}/sessions/${session}/mcp`, mine.accessToken);
        return [answer.status, answer.headers.get('www-authenticate')?.replaceAll(session, '<id>'), await answer.text()];
      }),
    );
    expect(answers[0]).toEqual(answers[2]);
    expect(answers[1]).toEqual(answers[2]);
    const metadata = await Promise.all(
      [foreign.session, none].map(async (session) =>
        (await (await fetch(`${broker.url}/.well-known/oauth-protected-resource/sessions/${session}/mcp`)).text()).replaceAll(session, '<id>'),
      ),
    );
    expect(metadata[0]).toBe(metadata[1]);
  });
});

describe('a secret that comes back', () => {
  it('is taken out also as it stands in JSON text, which is how most tools answer', () => {
    const secret = 'p"ss\\w0rd-5f1d9a0c';
    const text = JSON.stringify({ authorization: secret });
    expect(JSON.parse((scrubSecret({ text }, secret) as { text: string }).text)).not.toEqual({ authorization: secret });
  });
});
