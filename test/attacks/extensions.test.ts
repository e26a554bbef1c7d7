import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyExtension } from '../../server/extensions/index.ts';
import { vote } from '../support/approvals.ts';
import { modernClient, startTestBroker, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    change(document) {
      if (document['kind'] === 'UseCase' && document['name'] === 'match-invoices' && document['tenant'] === 'acme')
        return { ...document, extensions: { requires: ['approval:finance'] }, max_open_sessions: 50 };
      if (document['kind'] !== 'Tenant' || document['name'] !== 'acme') return document;
      const people = document['people'] as Record<string, Record<string, unknown>>;
      const all = Object.fromEntries(
        Object.entries(people).map(([name, one]) => [
          name,
          {
            ...one,
            groups: ['finance'],
            roles: [...((one['roles'] as string[] | undefined) ?? []), 'reviewer'].filter((role, at, list) => list.indexOf(role) === at),
          },
        ]),
      );
      return { ...document, people: all };
    },
  });
});
afterAll(() => broker.end());

const begin = async () => {
  const task = await broker.open({ tools: ['mail__search'], lifetime: 1_800 });
  return { task, client: await modernClient(task) };
};
const rowOf = async (session: string) => (await broker.ports.store.readSession('acme', session))!.session;
async function asked(session: string) {
  const [row] = await broker.ports.store.listApprovals('acme', { session }, { after: null, limit: 1 });
  return row!;
}

describe('nobody extends a task they are part of', () => {
  it('neither its sponsor, nor whoever asked for it on its behalf, though both are reviewers of the group', async () => {
    const { task, client } = await begin();
    const dana = await broker.person('acme', 'dana');
    await broker.v1(dana, 'POST', `/sessions/${task.session}/extensions`, { minutes: 10, reason: 'because' });
    const row = await asked(task.session);
    for (const name of ['ana', 'dana']) expect([name, (await vote(broker, name, row, 'approve')).status]).toEqual([name, 403]);
    const before = await rowOf(task.session);
    await applyExtension(broker.ports, 'acme', row.id);
    expect(await rowOf(task.session)).toEqual(before);
    expect((await vote(broker, 'bob', row, 'approve')).status).toBe(200);
    await client.close();
  });

  it('and no tool of the agent’s approves, applies or hurries it', async () => {
    const { task, client } = await begin();
    await client.callTool({ name: 'request_access', arguments: { minutes: 10, reason: 'please' } });
    const row = await asked(task.session);
    const before = await rowOf(task.session);
    for (const args of [
      { minutes: 10, reason: 'please', approve: true },
      { minutes: 10, reason: 'please', session: task.session },
      { minutes: -5, reason: 'back' },
      { minutes: 1e9, reason: 'ever' },
    ])
      expect((await client.callTool({ name: 'request_access', arguments: args })).isError).toBe(true);
    await client.callTool({ name: 'await_approval', arguments: { approval: row.id } });
    expect(await rowOf(task.session)).toEqual(before);
    const other = await begin();
    expect((await other.client.callTool({ name: 'await_approval', arguments: { approval: row.id } })).isError).toBe(true);
    await Promise.all([client.close(), other.client.close()]);
  });
});

describe('an approval of an extension', () => {
  it('is put in force once, however many try', async () => {
    const { task, client } = await begin();
    await client.callTool({ name: 'request_access', arguments: { minutes: 10, reason: 'please' } });
    const before = await rowOf(task.session);
    const row = await asked(task.session);
    await vote(broker, 'bob', row, 'approve');
    await Promise.all(Array.from({ length: 6 }, () => applyExtension(broker.ports, 'acme', row.id)));
    expect((await rowOf(task.session)).expiresAt).toBe(before.expiresAt + 600_000);
    const records = (await broker.ports.store.readRecords('acme', 0, 2_000)).filter(
      ({ body }) => body.type === 'session.extended' && body.session === task.session,
    );
    expect(records).toHaveLength(1);
    await client.close();
  });

  it('brings no ended task back', async () => {
    const { task, client } = await begin();
    await client.callTool({ name: 'request_access', arguments: { minutes: 10, reason: 'please' } });
    const row = await asked(task.session);
    const ana = await broker.person('acme', 'ana');
    await broker.v1(ana, 'POST', `/sessions/${task.session}/end`, {});
    await vote(broker, 'bob', row, 'approve');
    await applyExtension(broker.ports, 'acme', row.id);
    expect(await rowOf(task.session)).toMatchObject({ status: 'ended' });
    await client.close().catch(() => undefined);
  });
});
