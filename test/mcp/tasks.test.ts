import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { endSession } from '../../server/sessions/index.ts';
import { approveByTwo, nextPending, vote } from '../support/approvals.ts';
import { legacyClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { slowLedger } from '../support/slow-ledger.ts';
import { ask, callAsTask, declared, extension, getTask, overTask } from '../support/tasks.ts';
import { messagesOf, postModern } from './fixture.ts';

/** Tasks of both generations, with everything real behind the door. */

let broker: TestBroker;
let ledger: ReturnType<typeof slowLedger>;
let dir: string;
beforeAll(async () => {
  dir = await newFolder();
  ledger = slowLedger(dir);
  broker = await startTestBroker({ dir, holdMs: 300, taskAfterMs: 100, ...ledger });
});
afterAll(() => broker.end());
afterEach(async () => {
  for (const { id } of await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 100 }))
    await endSession(broker.ports, 'acme', id, { status: 'ended', reason: 'over' }, 'test');
});

const records = async (session: string) =>
  (await broker.ports.store.readRecords('acme', 0, 10_000)).map(({ body }) => body).filter((body) => body.session === session);

describe('the extension of 2026-07-28', () => {
  it('is declared, and met with the capability it needs where a client does not declare it', async () => {
    const task = await broker.open({});
    const { result } = await ask(task, 'server/discover', {});
    expect(result).toMatchObject({ capabilities: { extensions: { [extension]: {} } } });
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const headers = { authorization: `Bearer ${task.accessToken}`, 'mcp-name': 'x' };
      const refused = await (await postModern(task.mcpUrl, method, { taskId: 'x', inputResponses: {} }, headers)).json();
      expect(refused).toMatchObject({ error: { code: -32021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } } });
    }
  });

  it('a call that waits for a human is a task; approved, it runs when it is asked for, once, and every later look is told the same', async () => {
    const task = await broker.open({});
    const created = await callAsTask(task, payment(600));
    expect(created).toMatchObject({ resultType: 'task', status: 'working', statusMessage: expect.stringContaining('human'), pollIntervalMs: 2_000 });
    expect(created).not.toHaveProperty('result');
    expect(created.ttlMs).toBeGreaterThan(1_000);
    expect(await getTask(task, created.taskId)).toMatchObject({ resultType: 'complete', taskId: created.taskId, status: 'working' });
    const before = ledger.payments().length;
    await approveByTwo(broker, await nextPending(broker));
    expect(ledger.payments()).toHaveLength(before);
    ledger.release();
    const looks = await Promise.all(Array.from({ length: 5 }, () => getTask(task, created.taskId)));
    expect(looks.every(({ status }) => status === 'working' || status === 'completed')).toBe(true);
    const ended = await overTask(task, created.taskId);
    expect(ended).toMatchObject({ status: 'completed', result: { content: [{ text: 'paid 600' }] } });
    expect((await getTask(task, created.taskId)).result?.content).toEqual(ended.result?.content);
    expect(ledger.payments()).toHaveLength(before + 1);
    const dispatched = (await records(task.session)).filter(({ type }) => type === 'call.dispatched');
    expect(dispatched).toMatchObject([{ rung: 'task' }]);
  });

  it('a denial is told as a result the model can act on', async () => {
    const task = await broker.open({});
    const created = await callAsTask(task, payment(601));
    await vote(broker, 'bob', await nextPending(broker), 'deny', 'not this one');
    const ended = await getTask(task, created.taskId);
    expect(ended).toMatchObject({ status: 'completed', result: { isError: true, _meta: { 'taskgate/refusal': { code: 'approval.denied' } } } });
    expect(ended.result?.content[0]?.text).toContain('"not this one"');
    expect((await records(task.session)).find(({ code }) => code === 'approval.denied')).toMatchObject({ type: 'call.refused', rung: 'task' });
  });

  it('cancelling ends the waiting for good, and is acknowledged with nothing, however often', async () => {
    const task = await broker.open({});
    const created = await callAsTask(task, payment(602));
    const approval = await nextPending(broker);
    for (let time = 0; time < 2; time++)
      expect((await ask(task, 'tasks/cancel', { taskId: created.taskId })).result).toEqual(expect.not.objectContaining({ taskId: expect.anything() }));
    expect(await getTask(task, created.taskId)).toMatchObject({ status: 'cancelled' });
    expect((await vote(broker, 'bob', approval, 'approve')).status).toBe(409);
  });

  it('acknowledges answers to questions nobody asked, and nothing comes of them', async () => {
    const task = await broker.open({});
    const created = await callAsTask(task, payment(603));
    const answer = { taskId: created.taskId, inputResponses: { approve: { action: 'accept', content: { decision: 'approve' } } } };
    expect((await ask(task, 'tasks/update', answer)).result).toMatchObject({ resultType: 'complete' });
    expect(await getTask(task, created.taskId)).toMatchObject({ status: 'working' });
    expect((await nextPending(broker)).status).toBe('pending');
  });
});

describe('a stream that listens for tasks', () => {
  const listen = (task: Parameters<typeof ask>[0], notifications: Record<string, unknown>, _meta: object = declared) =>
    postModern(task.mcpUrl, 'subscriptions/listen', { notifications, _meta }, { authorization: `Bearer ${task.accessToken}` });

  it('is told first what it will hear of, then each change, and the result; of a task that is another’s nothing', async () => {
    const [task, other] = [await broker.open({}), await broker.open({})];
    const created = await callAsTask(task, payment(620));
    const theirs = await callAsTask(other, payment(621));
    const next = messagesOf(await listen(task, { taskIds: [created.taskId, theirs.taskId, 'nonsense'] }));
    expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged', params: { notifications: { taskIds: [created.taskId] } } });
    expect(await next()).toMatchObject({ method: 'notifications/tasks', params: { taskId: created.taskId, status: 'working' } });
    const rows = await broker.ports.store.listApprovals('acme', { status: 'pending', session: task.session }, { after: null, limit: 1 });
    if (!rows[0]) throw new Error('nothing waits');
    await approveByTwo(broker, rows[0]);
    ledger.release();
    const ended = vi.fn();
    for (let told = await next(); ; told = await next()) {
      ended(told);
      if ((told as { params: { status: string } }).params.status !== 'working') break;
    }
    expect(ended).toHaveBeenLastCalledWith(
      expect.objectContaining({
        params: expect.objectContaining({ status: 'completed', result: expect.objectContaining({ content: [expect.objectContaining({ text: 'paid 620' })] }) }),
      }),
    );
    await endSession(broker.ports, 'acme', task.session, { status: 'ended', reason: 'over' }, 'test');
    while ((await next()) !== null);
  });

  it('is refused to who does not declare tasks', async () => {
    const task = await broker.open({});
    const refused = await listen(task, { taskIds: [] }, {});
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: -32021 } });
  });
});

it('a tenant whose calls may not wait as tasks is offered none of it, and its calls wait in the next way', async () => {
  const plain = await startTestBroker({ holdMs: 100, change: (document) => (document['kind'] === 'Tenant' ? { ...document, pause: ['rounds'] } : document) });
  const task = await plain.open({});
  expect(await callAsTask(task, payment(600))).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
  const client = await legacyClient(task);
  expect(client.getServerCapabilities()?.tasks).toBeUndefined();
  const paused = await client.callTool(payment(600), undefined, { onprogress: () => undefined });
  expect(paused).toMatchObject({ isError: true, _meta: { 'taskgate/approval': { status: 'pending' } } });
  await client.close();
  await plain.end();
});

describe('tasks of 2025-11-25', () => {
  it('SDK v1 runs a call that two people approve as a task', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === payment(1).name)?.execution).toEqual({ taskSupport: 'optional' });
    expect(tools.find(({ name }) => name === 'await_approval')?.execution).toBeUndefined();
    const told: string[] = [];
    let result: unknown;
    const approved = nextPending(broker).then((approval) => approveByTwo(broker, approval));
    for await (const message of client.experimental.tasks.callToolStream(payment(610), undefined, { task: {} })) {
      told.push(message.type);
      if (message.type === 'error') throw message.error;
      if (message.type === 'result') result = message.result;
    }
    await approved;
    expect(told[0]).toBe('taskCreated');
    expect(result).toMatchObject({ content: [{ text: 'paid 610' }], _meta: { 'io.modelcontextprotocol/related-task': { taskId: expect.any(String) } } });
    const { tasks } = await client.experimental.tasks.listTasks();
    expect(tasks).toHaveLength(1);
    await client.close();
  });

  it('a call nobody has to approve is a task too when it was asked for as one, and so is a refusal', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const run = async (params: Parameters<typeof client.callTool>[0]) => {
      const messages = [];
      for await (const message of client.experimental.tasks.callToolStream(params, undefined, { task: {} })) messages.push(message);
      return messages;
    };
    expect((await run(payment(20))).at(-1)).toMatchObject({ type: 'result', result: { content: [{ text: 'paid 20' }] } });
    const refused = await run(payment(20, { iban: 7 }));
    expect(refused.at(-2)).toMatchObject({ type: 'taskStatus', task: { status: 'failed', statusMessage: expect.stringContaining('schema') } });
    const { task: last } = refused.at(-2) as unknown as { task: { taskId: string } };
    expect(await client.experimental.tasks.getTaskResult(last.taskId, CallToolResultSchema)).toMatchObject({
      isError: true,
      _meta: { 'taskgate/refusal': { code: 'arguments.invalid' } },
    });
    await expect(client.experimental.tasks.cancelTask(last.taskId)).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
});
