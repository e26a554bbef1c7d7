import { join } from 'node:path';
import { Client, DpopSession, StreamableHTTPClientTransport, withDpop } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { findDoors } from '../../server/connect/broker.ts';
import { openBridge } from '../../server/connect/connect.ts';
import { logInLocally } from '../../server/connect/logins.ts';
import type { Task } from '../../server/connect/session.ts';
import { endSession } from '../../server/sessions/index.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { type Holder, headersOf, newHolder, provingFetch } from '../support/proofs.ts';
import { postModern } from './fixture.ts';

/** Clients as they come, inside tasks that are bound to a key of theirs, at a whole broker. */

const proven = `
@id("acme/payments-need-a-proven-key")
@reason("Payments are made by whoever proves a key")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when { !context.token.bound };
`;
const cases = `
- case: a bearer pays nothing
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 20 }, token: { bound: false } }
  expect: { decision: deny, policies: [acme/payments-need-a-proven-key] }
`;

const alone = {
  ...{ kind: 'UseCase', tenant: 'acme', name: 'match-alone', workflow: 'invoice-matching', owner: 'dana', purpose: 'Find orders', accountable: 'dana' },
  inputs: { invoice: { type: 'string' } },
  grants: [{ tools: ['mail__*'], effect: 'read' }],
  ...{ ceiling: 'confidential', lifetime: { default: '30m', longest: '4h' }, budget: { calls: 20 }, expires: '2027-06-30', review_by: '2027-01-31' },
};

let broker: TestBroker;
let holder: Holder;
let documents: Readonly<Record<'Tenant' | 'UseCase', Record<string, unknown>>>;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  const seen: Record<string, Record<string, unknown>> = {};
  holder = await newHolder();
  broker = await startTestBroker({
    holdMs: 300,
    files: { 'acme/proven.cedar': proven, 'acme/proven.cases.yaml': cases, 'acme/alone.yaml': stringify(alone) },
    change(document) {
      if (document['name'] === 'acme' || (document['tenant'] === 'acme' && document['kind'] === 'UseCase')) seen[String(document['kind'])] = document;
      return document;
    },
  });
  documents = seen as typeof documents;
});
afterAll(() => broker.end());
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  for (const { id } of await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 20 }))
    await endSession(broker.ports, 'acme', id, { status: 'ended', reason: 'over' }, 'test');
});

/** SDK v2 signs by itself. */
async function modern(): Promise<{ client: Client; task: Task }> {
  const session = await DpopSession.create();
  const task = await broker.open({}, session);
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(task.mcpUrl), { fetch: withDpop(session, () => task.accessToken)(fetch) }));
  open.push(client);
  return { client, task };
}
/** SDK v1 knows nothing of proofs: its fetch does. */
async function legacy(): Promise<{ client: LegacyClient; task: Task; transport: LegacyTransport }> {
  const task = await broker.open({}, holder);
  const client = new LegacyClient({ name: 'test', version: '1' });
  const transport = new LegacyTransport(new URL(task.mcpUrl), { fetch: provingFetch(holder, task) });
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  open.push(client);
  return { client, task, transport };
}
/** The bridge that hosts start, in this process. */
async function connected(): Promise<{ client: Client; task: Pick<Task, 'session'> }> {
  const before = new Set((await listed()).map(({ id }) => id));
  const agent = { agent: 'invoice-matcher', key: null, svidFile: null };
  const options = { ...agent, url: broker.url, tenant: 'acme', data: join(broker.dir, 'data'), sponsorToken: null };
  await logInLocally(await findDoors(broker.url, 'acme'), options.data, 'ana', null);
  const bridge = await openBridge({ ...options, task: { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } } }, '1', () => undefined);
  const [host, transport] = InMemoryTransport.createLinkedPair();
  serveStdio(bridge.factory, { transport });
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(host);
  await client.listTools();
  open.push({ close: () => client.close().then(() => bridge.leave()) });
  const made = (await listed()).find(({ id }) => !before.has(id));
  return { client, task: { session: made?.id ?? '' } };
}
const listed = () => broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 20 });

const answersTo = async (client: Client | LegacyClient) => {
  const paid = await (client as Client).callTool(payment(20));
  return { isError: paid.isError ?? false, text: JSON.stringify(paid.content) };
};

describe.each([
  ['SDK v2, which makes proofs itself', modern],
  ['SDK v1, whose fetch makes them', legacy],
  ['taskgate connect, without being told to', connected],
] as const)('%s', (_what, start) => {
  it('works in a task bound to its key, and policy sees that', async () => {
    const { client, task } = await start();
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    expect(await answersTo(client)).toMatchObject({ isError: false });
    expect((await broker.ports.store.readSession('acme', task.session))?.session.cnf).toEqual({ jkt: expect.stringMatching(/^[\w-]{43}$/) });
    const { body } = await broker.v1(await broker.person('acme', 'dana'), 'GET', `/sessions/${task.session}`);
    expect(body).toMatchObject({ bound: true });
  });
});

it.each([
  ['modern', modernClient],
  ['legacy', legacyClient],
] as const)('a %s client that proves nothing has a bearer as ever, and policy sees that too', async (_era, connect) => {
  const client = await connect(await broker.open({}));
  open.push(client);
  expect(await answersTo(client)).toMatchObject({ isError: true, text: expect.stringContaining('Payments are made by whoever proves a key') });
});

it('a 2025-era client has its stream and ends its protocol session with proofs for those methods', async () => {
  const { client, task, transport } = await legacy();
  await client.listTools();
  const headers = { accept: 'text/event-stream', 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': transport.sessionId ?? '' };
  const asked = async (method: string, proofFor = method) =>
    fetch(task.mcpUrl, { method, headers: { ...headers, ...(await headersOf(holder, task, task.mcpUrl, proofFor)) } });
  const stream = await asked('GET');
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  expect((await asked('DELETE', 'POST')).status).toBe(401);
  expect((await asked('DELETE')).status).toBe(204);
  await stream.body?.cancel();
});

it('a stream goes on when its session is looked at again: its proof was for the request that opened it', async () => {
  const session = await DpopSession.create();
  const task = await broker.open({}, session);
  const told = vi.fn();
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: 'auto' }, listChanged: { tools: { autoRefresh: false, onChanged: told } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(task.mcpUrl), { fetch: withDpop(session, () => task.accessToken)(fetch) }));
  open.push(client);
  await client.listTools();
  const grants = (document: Record<string, unknown>) => ({ ...document, grants: [{ tools: ['mail__*'], effect: 'read' }] });
  await apply(grants(documents.UseCase));
  await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 10_000 });
  await apply(documents.UseCase);
});

const apply = async (document: Record<string, unknown>) => {
  const answer = await byTwoAdmins(broker, 'POST', '/documents/apply', { files: [{ source: 'one.yaml', text: stringify(document) }] });
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  return answer.body as { items: { effect: string }[] };
};

describe.each(['Tenant', 'UseCase'] as const)('require_proof in a %s', (kind) => {
  it('stops bearers at once, also in tasks that are open, says what to do, and leaves whoever proves a key alone', async () => {
    const bearer = await broker.open({});
    const { client } = await modern();
    const plan = await apply({ ...documents[kind], require_proof: true });
    expect(plan.items.map(({ effect }) => effect)).toEqual(['narrows']);

    const response = await postModern(bearer.mcpUrl, 'tools/list', {}, { authorization: `Bearer ${bearer.accessToken}` });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_token", error_description="[^"]*Open another task with a DPoP proof/);
    expect(await response.json()).toMatchObject({ error: { data: { code: 'session.proof_required' } } });
    await expect(broker.renew(bearer.session)).rejects.toThrow(/only tokens bound to a key/);
    await expect(broker.open({})).rejects.toThrow(/bearers are refused/);
    expect(await answersTo(client)).toMatchObject({ isError: false });

    const back = await apply({ ...documents[kind], require_proof: false });
    expect(back.items.map(({ effect }) => effect)).toEqual(['widens']);
    expect((await postModern(bearer.mcpUrl, 'tools/list', {}, { authorization: `Bearer ${bearer.accessToken}` })).status).toBe(200);
  });
});

it('a host with a connection token reads why its task stands still, and can end it', async () => {
  const { body } = await byTwoAdmins(broker, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3_600 });
  const client = await modernClient({ mcpUrl: `${broker.url}/mcp`, accessToken: String(body['token']) });
  open.push(client);
  const ask = async (name: string, args: Record<string, unknown> = {}) => JSON.stringify((await client.callTool({ name, arguments: args })).content);
  const task = { use_case: 'match-alone', objective: 'Find the order', inputs: { invoice: 'INV-7' } };
  expect(await ask('open_task', task)).toContain('The task is open until');
  await apply({ ...documents.Tenant, require_proof: true });
  expect((await client.listTools({}, { cacheMode: 'refresh' })).tools.map(({ name }) => name).filter((name) => name.includes('__'))).toEqual([]);
  expect(await ask('end_task')).not.toContain('refused');
  expect(await ask('open_task', task)).toContain('bearers are refused');
  await apply({ ...documents.Tenant, require_proof: false });
  expect(await ask('open_task', task)).toContain('The task is open until');
});
