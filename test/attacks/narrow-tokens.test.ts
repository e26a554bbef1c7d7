import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { modernMeta, post } from '../mcp/fixture.ts';
import { nextPending, vote } from '../support/approvals.ts';
import { payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { askNarrowed } from '../support/narrowed.ts';
import { ask, callAsTask, overTask } from '../support/tasks.ts';

/** What whoever was handed a token for reading may try, to have a payment made with it. */

let broker: TestBroker;
let task: Task;
let reading: Task;
beforeAll(async () => {
  broker = await startTestBroker({ holdMs: 0 });
  task = await broker.open({});
  reading = (await askNarrowed(broker, task, 'tools:read')).task;
});
afterAll(() => broker.end());

const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'ledger__post_payment' };
const call = (params: object, headers: Record<string, string> = {}, token = reading.accessToken): Promise<Response> =>
  post(reading.mcpUrl, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }), { authorization: `Bearer ${token}`, ...headers });
const paid = async (): Promise<number> =>
  (await broker.ports.store.readRecords('acme', 0, 5_000)).filter(({ body }) => body.type === 'call.dispatched' && body.tool === 'ledger__post_payment').length;

it.each<[string, object, Record<string, string>]>([
  ['as a modern client', { ...payment(10), _meta: modernMeta }, modern],
  ['under the name of what it may call', { ...payment(10), _meta: modernMeta }, { ...modern, 'mcp-name': 'mail__search' }],
  ['with progress, which is answered by a stream', { ...payment(10), _meta: { ...modernMeta, progressToken: 1 } }, modern],
  ['resuming what another token began', { ...payment(10), requestState: 'x', _meta: modernMeta }, modern],
  ['as a 2025-era client', payment(10), {}],
  ['as a 2025-11-25 task', { ...payment(10), task: { ttl: 60_000 } }, { 'mcp-protocol-version': '2025-11-25' }],
])('%s it gets 403, and nothing runs', async (_what, params, headers) => {
  const before = await paid();
  const response = await call(params, headers);
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  expect(await paid()).toBe(before);
});

it.each<[string, unknown]>([
  ['in a list', ['ledger__post_payment']],
  ['in other case', 'LEDGER__POST_PAYMENT'],
  ['with space around', ' ledger__post_payment '],
  ['with what is not seen', 'ledger__post_payment\u200b'],
])('a name that is not quite the tool’s names nothing: %s', async (_what, name) => {
  const before = await paid();
  for (const headers of [modern, {}] as const) {
    const response = await call({ ...payment(10), name, ...(headers === modern ? { _meta: modernMeta } : {}) }, headers);
    expect((await response.json()) as object).toHaveProperty('error');
  }
  expect(await paid()).toBe(before);
});

it('a token does not become wider by its bearer’s hand, nor by asking with it for another', async () => {
  const [header = '', , signature = ''] = reading.accessToken.split('.');
  const claims = { ...decodeJwt(reading.accessToken), scope: 'tools:read tools:write tools:destructive' };
  const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  expect((await call(payment(10), {}, forged)).status).toBe(401);
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: reading.accessToken,
    authorization_details: JSON.stringify([{ type: 'taskgate-task', session_id: task.session }]),
  };
  const asked = await fetch(`${broker.url}/t/acme/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
  expect(asked.status).toBe(401);
});

it('a payment another token began as a task and people approved is neither run, told, listed nor cancelled by it', async () => {
  const { taskId } = await callAsTask(task, payment(600));
  const approval = await nextPending(broker);
  for (const name of ['bob', 'carl']) await vote(broker, name, approval, 'approve', 'as ordered');
  const before = await paid();
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
    expect((await ask(reading, method, { taskId, inputResponses: {} })).error, method).toMatchObject({
      code: -32602,
      message: expect.stringContaining('not found'),
    });
  const old = { authorization: `Bearer ${reading.accessToken}`, 'mcp-protocol-version': '2025-11-25' };
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/list']) {
    const response = await post(reading.mcpUrl, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: method === 'tasks/list' ? {} : { taskId } }), old);
    const text = await response.text();
    expect(text, method).not.toContain(taskId);
    expect(text, method).toContain(method === 'tasks/list' ? '"tasks":[]' : 'not found');
  }
  expect(await paid()).toBe(before);
  expect(await overTask(task, taskId)).toMatchObject({ status: 'completed' });
  expect(await paid()).toBe(before + 1);
});

it('the record says that it was tried', async () => {
  await call(payment(10));
  const tried = (await broker.ports.store.readRecords('acme', 0, 5_000)).filter(({ body }) => body.type === 'call.refused' && body.code === 'token.scope');
  expect(tried[0]?.body).toMatchObject({ session: task.session, tool: 'ledger__post_payment' });
});
