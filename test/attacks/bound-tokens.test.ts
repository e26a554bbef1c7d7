import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { endSession } from '../../server/sessions/index.ts';
import { modernMeta, post } from '../mcp/fixture.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { athOf, type Holder, headersOf, newHolder, proofOf } from '../support/proofs.ts';
import { dial, rest } from '../support/wire.ts';

/** What somebody tries who has a bound token, or all that went over the wire, and not the key. */

let broker: TestBroker;
let holder: Holder;
let thief: Holder;
let task: Task;
beforeAll(async () => {
  broker = await startTestBroker({ holdMs: 0 });
  [holder, thief] = [await newHolder(), await newHolder()];
});
afterAll(() => broker.end());
beforeEach(async () => {
  for (const { id } of await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 20 }))
    await endSession(broker.ports, 'acme', id, { status: 'ended', reason: 'over' }, 'test');
  task = await broker.open({}, holder);
});

const search = { name: 'mail__search', arguments: { query: 'INV-7' } };
const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'mail__search' };
const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...search, _meta: modernMeta } });
const call = (headers: Record<string, string>, url = task.mcpUrl): Promise<Response> => post(url, message, { ...modern, ...headers });
const dispatched = async (): Promise<number> =>
  (await broker.ports.store.readRecords('acme', 0, 5_000)).filter(({ body }) => body.type === 'call.dispatched').length;
const proof = (over: Parameters<typeof proofOf>[4] = {}, by = holder) => proofOf(by, 'POST', task.mcpUrl, task.accessToken, over);
const dpop = () => `DPoP ${task.accessToken}`;

/** Refused as RFC 9449 §7.1 has it, and nothing ran. */
async function turnedAway(headers: Record<string, string>, code: string, url?: string): Promise<string> {
  const before = await dispatched();
  const response = await call(headers, url);
  const challenge = response.headers.get('www-authenticate') ?? '';
  expect([response.status, ((await response.json()) as { error: { data?: { code?: string } } }).error.data?.code]).toEqual([401, code]);
  expect(challenge).toContain('DPoP ');
  expect(challenge).toMatch(/algs="ES256|algs="RS256/);
  expect(await dispatched()).toBe(before);
  return challenge;
}

it('the holder of the key gets in, so what follows is refused for what it says and nothing else', async () => {
  for (let n = 0; n < 2; n++) expect((await call(await headersOf(holder, task, task.mcpUrl))).status).toBe(200);
});

describe('a bound token that was stolen', () => {
  it('is nothing as a bearer, and the challenge names the one way in', async () => {
    const challenge = await turnedAway({ authorization: `Bearer ${task.accessToken}` }, 'token.unproven');
    expect(challenge).toMatch(/^DPoP error="invalid_dpop_proof"/);
    await turnedAway({ authorization: `Bearer ${task.accessToken}`, dpop: await proof() }, 'token.unproven');
    await turnedAway({ authorization: dpop() }, 'token.unproven');
  });

  it.each<[string, () => Promise<string>]>([
    ['by a key of the thief', () => proof({}, thief)],
    ['by a key of the thief, under the key of its holder', () => proof({ signedBy: thief.privateKey })],
    ['for another door', () => proof({ claims: { htu: `${broker.url}/mcp` } })],
    ['for the token endpoint', () => proof({ claims: { htu: `${broker.url}/t/acme/oauth/token` } })],
    ['for another host', () => proof({ claims: { htu: task.mcpUrl.replace('localhost', 'evil.example') } })],
    ['for another method', () => proof({ claims: { htm: 'GET' } })],
    ['for another token', () => proof({ claims: { ath: athOf(`${task.accessToken}x`) } })],
    ['for no token', () => proof({ claims: { ath: undefined } })],
    ['of an hour ago', () => proof({ claims: { iat: Math.floor(Date.now() / 1000) - 3_600 } })],
    ['of an hour from now', () => proof({ claims: { iat: Math.floor(Date.now() / 1000) + 3_600 } })],
    ['of no algorithm', async () => unsigned({ alg: 'none', typ: 'dpop+jwt', jwk: holder.jwk })],
    ['of a secret that everybody knows', () => proof({ header: { alg: 'HS256' }, signedBy: Buffer.from(JSON.stringify(holder.jwk)) })],
    ['that shows a private key', () => proof({ header: { jwk: { ...holder.jwk, d: 'AAAA' } } })],
    ['longer than any', () => proof({ claims: { more: 'x'.repeat(9_000) } })],
    ['twice over', async () => `${await proof()}, ${await proof()}`],
    ['of nothing', async () => ''],
  ])('opens no door with a proof %s', async (_what, made) => {
    await turnedAway({ authorization: dpop(), dpop: await made() }, 'token.unproven');
  });

  it('is not carried to another door by what a proxy is said to have forwarded', async () => {
    const claims = { htu: task.mcpUrl.replace(new URL(broker.url).host, 'evil.example') };
    const lies = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example;proto=http', 'x-original-url': '/mcp' };
    await turnedAway({ ...lies, authorization: dpop(), dpop: await proof({ claims }) }, 'token.unproven');
    // And the right one is not made wrong by them.
    expect((await call({ ...lies, ...(await headersOf(holder, task, task.mcpUrl)) })).status).toBe(200);
  });

  it('is not good at another tenant’s door, whatever its proof says', async () => {
    for (const url of [`${broker.url}/t/globex/mcp`, `${broker.url}/t/acme/mcp`, `${broker.url}/mcp`])
      await turnedAway(await headersOf(holder, task, url), 'token.invalid', url);
  });

  it('is on the record of its tenant, with the session whose token it is', async () => {
    await turnedAway({ authorization: `Bearer ${task.accessToken}` }, 'token.unproven');
    const tried = (await broker.ports.store.readRecords('acme', 0, 5_000)).map(({ body }) => body).filter(({ code }) => code === 'token.unproven');
    expect(tried.at(-1)).toMatchObject({
      type: 'call.refused',
      session: task.session,
      agent: 'invoice-matcher',
      detail: expect.stringContaining('as a bearer'),
    });
  });
});

function unsigned(header: object): string {
  const claims = { htm: 'POST', htu: task.mcpUrl, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), ath: athOf(task.accessToken) };
  return `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}

describe('a request that was overheard', () => {
  it('is answered once, however often and at once it is sent', async () => {
    const overheard = await headersOf(holder, task, task.mcpUrl);
    const answers = await Promise.all(Array.from({ length: 6 }, () => call(overheard)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    await turnedAway(overheard, 'token.unproven');
  });

  it('is of no use with a word changed in its proof, for the word is signed', async () => {
    const [head, body = '', signature] = (await proof()).split('.');
    const claims = { ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object), jti: 'another' };
    const changed = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    await turnedAway({ authorization: dpop(), dpop: changed }, 'token.unproven');
  });

  it('is of no use in the other spelling its signature has, for what was signed is the same', async () => {
    const used = await headersOf(holder, task, task.mcpUrl);
    expect((await call(used)).status).toBe(200);
    const [head, body, signature = ''] = (used['dpop'] ?? '').split('.');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const bytes = Buffer.from(signature, 'base64url');
    const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url');
    await turnedAway({ ...used, dpop: `${head}.${body}.${twin}` }, 'token.unproven');
  });
});

describe('a bearer', () => {
  it('does not pass as bound: neither a task token nor a connection token, with whatever proof', async () => {
    const bearer = await broker.open({});
    const headers = { authorization: `DPoP ${bearer.accessToken}`, dpop: await proofOf(holder, 'POST', bearer.mcpUrl, bearer.accessToken) };
    await turnedAway(headers, 'token.invalid', bearer.mcpUrl);
    const made = await byTwoAdmins(broker, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3_600 });
    const connection = String(made.body['token']);
    expect((await call({ authorization: `Bearer ${connection}` }, `${broker.url}/mcp`)).status).toBe(200);
    const atMcp = { authorization: `DPoP ${connection}`, dpop: await proofOf(holder, 'POST', `${broker.url}/mcp`, connection) };
    await turnedAway(atMcp, 'token.invalid', `${broker.url}/mcp`);
  });

  it('is not to be had any more once a task is bound: not by renewal, nor by a child of it', async () => {
    await expect(broker.renew(task.session)).rejects.toThrow('bound to a key');
    await expect(broker.renew(task.session, thief)).rejects.toThrow('bound to another key');
    await expect(broker.open({ parent: task.session })).rejects.toThrow('bound to a key');
    expect((await broker.renew(task.session, holder)).session).toBe(task.session);
  });
});

/** By a socket, for `fetch` would join them itself. */
it.each<[string, (mine: Record<string, string>) => Promise<readonly string[]>, number?]>([
  ['one credential and its proof', async (mine) => Object.entries(mine).map(([name, value]) => `${name}: ${value}`), 200],
  ['two proofs', async ({ authorization, dpop: first }) => [`authorization: ${authorization}`, `dpop: ${first}`, `dpop: ${await proof()}`]],
  ['one proof twice', async ({ authorization, dpop: first }) => [`authorization: ${authorization}`, `dpop: ${first}`, `dpop: ${first}`]],
  ['two credentials, the bound one first', async (mine) => [`authorization: ${mine['authorization']}`, 'authorization: Bearer x', `dpop: ${mine['dpop']}`]],
  ['two credentials, the bound one last', async (mine) => ['authorization: Bearer x', `authorization: ${mine['authorization']}`, `dpop: ${mine['dpop']}`]],
  ['both schemes in one', async (mine) => [`authorization: ${mine['authorization']}, Bearer ${task.accessToken}`, `dpop: ${mine['dpop']}`]],
])('%s are what they are on the wire', async (_what, lines, status = 401) => {
  const sent = await lines(await headersOf(holder, task, task.mcpUrl));
  const { host, pathname } = new URL(task.mcpUrl);
  const head = ['host', 'accept', 'content-type', 'content-length', 'connection', ...Object.keys(modern)];
  const values: Record<string, string> = {
    ...{ host, accept: 'application/json, text/event-stream', 'content-type': 'application/json', connection: 'close' },
    ...{ 'content-length': String(message.length), ...modern },
  };
  const socket = await dial(broker.url);
  socket.write([`POST ${pathname} HTTP/1.1`, ...head.map((name) => `${name}: ${values[name]}`), ...sent, '', message].join('\r\n'));
  const answer = await rest(socket);
  expect(answer.split('\r\n')[0]).toContain(` ${status} `);
});
