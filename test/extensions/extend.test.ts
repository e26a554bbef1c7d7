import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nextPending, vote } from '../support/approvals.ts';
import { modernClient, startTestBroker, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    change: (document) =>
      document['kind'] === 'UseCase' && document['name'] === 'match-invoices' && document['tenant'] === 'acme'
        ? { ...document, extensions: { requires: ['approval:finance'] }, max_open_sessions: 50 }
        : document,
  });
});
afterAll(() => broker.end());

const begin = async (ask: Parameters<TestBroker['open']>[0] = {}) => {
  const task = await broker.open({ tools: ['mail__search'], lifetime: 1_800, ...ask });
  return { task, client: await modernClient(task) };
};
const request = (client: Client, more: Record<string, unknown>) =>
  client.callTool({ name: 'request_access', arguments: { reason: 'the payment is due', ...more } });
const idOf = (answer: { _meta?: unknown }): string => (answer._meta as { 'taskgate/approval': { id: string } })['taskgate/approval'].id;
const namesOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);
const rowOf = async (session: string) => (await broker.ports.store.readSession('acme', session))!.session;
const text = (answer: { content?: unknown }): string => JSON.stringify(answer.content);

describe('a task that needs more', () => {
  it('asks as for any approval, and has it from the last vote on: later end and more tools, which its client is told of', async () => {
    const { task, client } = await begin();
    const before = await rowOf(task.session);
    let told = 0;
    client.setNotificationHandler('notifications/tools/list_changed', () => void told++);
    const stream = await client.listen({ toolsListChanged: true });
    const asked = await request(client, { minutes: 60, tools: ['ledger__post_payment'] });
    expect(text(asked)).toContain('Nothing has changed yet');
    expect(await rowOf(task.session)).toEqual(before);
    expect(await namesOf(client)).not.toContain('ledger__post_payment');
    const again = await request(client, { minutes: 60, tools: ['ledger__post_payment'], reason: 'in other words' });
    expect(idOf(again)).toBe(idOf(asked));

    const waiting = client.callTool({ name: 'await_approval', arguments: { approval: idOf(asked) } });
    expect((await vote(broker, 'bob', await nextPending(broker), 'approve')).status).toBe(200);
    await waiting;
    await vi.waitUntil(async () => (await rowOf(task.session)).grants.length > 1, { timeout: 5_000, interval: 20 });
    const after = await rowOf(task.session);
    expect(after.expiresAt).toBe(before.expiresAt + 3_600_000);
    await vi.waitUntil(() => told > 0, { timeout: 8_000, interval: 20 });
    const fresh = await modernClient(task);
    expect(await namesOf(fresh)).toContain('ledger__post_payment');
    await Promise.all([fresh.close(), stream.close()]);
    expect(text(await client.callTool({ name: 'await_approval', arguments: { approval: idOf(asked) } }))).toContain('was given what was asked for');
    const records = (await broker.ports.store.readRecords('acme', 0, 1_000)).map(({ body }) => body);
    expect(records.find(({ type, session }) => type === 'session.extended' && session === task.session)).toMatchObject({
      approval: idOf(asked),
      tools: ['ledger__post_payment'],
      expires_at: after.expiresAt,
      satisfied: [expect.objectContaining({ literal: 'approval:finance', persons: ['local#bob'] })],
    });
    await client.close();
  });

  it.each([
    ['longer than the use case lets any of its tasks live', { minutes: 500 }, 'can last until'],
    ['more calls than the use case allows', { calls: 10_000 }, 'calls at most'],
    ['a tool of another use case', { tools: ['ledger__list_invoices'] }, 'not granted'],
    ['a tool that is not there', { tools: ['ledger__drop_all'] }, 'not granted'],
    ['what it has', { tools: ['mail__search'] }, 'has all of this'],
    ['nothing', {}, 'Say what is asked for'],
  ])('is refused %s, and nobody is asked', async (_, more, why) => {
    const { task, client } = await begin();
    const refused = await request(client, more);
    expect([refused.isError, text(refused)]).toEqual([true, expect.stringContaining(why)]);
    expect(await broker.ports.store.listApprovals('acme', { session: task.session }, { after: null, limit: 5 })).toEqual([]);
    await client.close();
  });

  it('has nothing more when it is denied, and asks nobody the same again', async () => {
    const { task, client } = await begin();
    const asked = await request(client, { minutes: 10 });
    expect((await vote(broker, 'bob', await nextPending(broker), 'deny')).status).toBe(200);
    expect(text(await client.callTool({ name: 'await_approval', arguments: { approval: idOf(asked) } }))).toContain('denied');
    expect(text(await request(client, { minutes: 10 }))).toContain('denied');
    expect((await rowOf(task.session)).endedAt).toBeNull();
    await client.close();
  });

  it('may be spoken for at /v1 by its sponsor or an admin, and by nobody else', async () => {
    const { task, client } = await begin();
    const path = `/sessions/${task.session}/extensions`;
    const [ana, bob, dana] = await Promise.all(['ana', 'bob', 'dana'].map((name) => broker.person('acme', name)));
    expect((await broker.v1(bob!, 'POST', path, { minutes: 10, reason: 'because' })).status).toBe(403);
    const greta = await broker.person('globex', 'greta');
    expect((await broker.v1(greta, 'POST', path, { minutes: 10, reason: 'because' })).status).toBe(404);
    const asked = await broker.v1(dana!, 'POST', path, { minutes: 10, reason: 'because' });
    expect(asked).toMatchObject({ status: 201, body: { status: 'pending', tool: 'request_access' } });
    expect((await broker.v1(ana!, 'POST', path, { minutes: 10, reason: 'me too' })).body['id']).toBe(asked.body['id']);
    await client.close();
  });
});
