import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import type { Task } from '../../server/connect/session.ts';
import { openStore, type Store } from '../../server/store/index.ts';
import { modernMeta } from '../mcp/fixture.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { legacyClient, modernClient, newFolder, payment } from '../support/broker.ts';
import { textOf } from '../support/ledger.ts';
import { type Replicas, startReplicas } from '../support/replicas.ts';
import { slowLedger } from '../support/slow-ledger.ts';
import { ask, callAsTask, getTask, overTask } from '../support/tasks.ts';

const holdMs = 5_000;
/** Far above what a signal takes and far below the 5 s of the look that needs none. */
const hastenedMs = 2_000;
const search = { name: 'mail__search', arguments: { query: 'INV-7' } };

/** The rules that must hold whichever broker a request reaches. */
function describeReplicas(what: string, count: number, storeIn: (dir: string) => string): void {
  describe(`${count} brokers on ${what}, no request bound to any of them`, { timeout: 90_000 }, () => {
    let dir: string;
    let ledger: ReturnType<typeof slowLedger>;
    let all: Replicas;
    let store: Store;
    let people: Record<'bob' | 'carl' | 'dana', string>;
    const clients: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      dir = await newFolder();
      ledger = slowLedger(dir);
      const capped = (document: Record<string, unknown>): Record<string, unknown> => {
        const changed = ledger.change?.(document) ?? document;
        if (changed['name'] !== 'match-invoices') return changed;
        const grants = (changed['grants'] as Record<string, unknown>[]).map((grant) => ({ ...grant, max_calls: 10 }));
        return { ...changed, grants };
      };
      all = await startReplicas(count, dir, storeIn(dir), { ...ledger, change: capped }, holdMs);
      store = await openStore(storeIn(dir), Date.now);
      people = { bob: await all.person('bob'), carl: await all.person('carl'), dana: await all.person('dana') };
      const set = await all.v1(people.dana, 'PUT', '/credentials/ledger-key', { value: 'a-key-of-the-ledger' });
      expect(set.status).toBe(200);
    });
    afterAll(async () => {
      for (const client of clients) await client.close().catch(() => undefined);
      await store?.close();
      await all?.close();
      await rm(dir, { recursive: true, force: true });
    });

    const modern = async (task: Parameters<typeof modernClient>[0]) => {
      const client = await modernClient(task);
      clients.push(client);
      return client;
    };
    /** Sends the next request to this broker; those after it go on from there. */
    const at = <T>(broker: number, ask: () => T): T => {
      all.balancer.next = broker;
      return ask();
    };
    const waiting = () =>
      vi.waitUntil(async () => (await store.listApprovals('acme', { status: 'pending' }, { after: null, limit: 10 }))[0], { timeout: 10_000, interval: 20 });
    /** Both votes at one broker. */
    const approveAt = async (broker: number, approval: { id: string; digest: string }): Promise<void> => {
      for (const name of ['bob', 'carl'] as const) {
        const vote = { decision: 'approve', digest: approval.digest, reason: 'as ordered' };
        const voted = await at(broker, () => all.v1(people[name], 'POST', `/approvals/${approval.id}/decisions`, vote));
        expect(voted).toMatchObject({ status: 200 });
      }
    };
    const endAt = (broker: number, session: string) => at(broker, () => all.v1(people.dana, 'POST', `/sessions/${session}/end`, {}));
    const recordsAbout = async (session: string) =>
      (await store.readRecords('acme', 0, 5_000)).map(({ body }) => body).filter((one) => one.session === session);

    it('a task ended at one stops what runs at another within a second, and the record says that nobody knows what it did', async () => {
      const task = await all.open();
      const client = await modern(task);
      const running = at(0, () => client.callTool(payment(10))).then(
        (answer) => ({ answer }),
        (error: unknown) => ({ error }),
      );
      await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
      const began = performance.now();
      expect(await endAt(1, task.session)).toMatchObject({ status: 200 });
      expect(await running).toHaveProperty('error');
      expect(performance.now() - began).toBeLessThan(hastenedMs);
      const records = await recordsAbout(task.session);
      expect(records.find(({ type }) => type === 'call.unknown')).toMatchObject({ code: 'session.ended', tool: 'ledger__post_payment' });
      expect(records.find(({ type }) => type === 'call.withheld')).toMatchObject({ code: 'session.ended' });
      ledger.release();
    });

    it('a stream opened at one is closed when the task is ended at another', async () => {
      const task = await all.open();
      all.balancer.next = 0;
      const opened = await fetch(task.mcpUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${task.accessToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'subscriptions/listen',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'subscriptions/listen',
          params: { notifications: { toolsListChanged: true }, _meta: modernMeta },
        }),
      });
      const reader = (opened.body as ReadableStream<Uint8Array>).getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/acknowledged/);
      const began = performance.now();
      expect(await endAt(1, task.session)).toMatchObject({ status: 200 });
      while (!(await reader.read()).done);
      expect(performance.now() - began).toBeLessThan(hastenedMs);
    });

    it('a task made at one is told at all; what was approved runs once, whichever is asked first', async () => {
      ledger.release();
      const task = await all.open();
      const created = await at(0, () => callAsTask(task, payment(640)));
      await approveAt(1, await waiting());
      const before = ledger.payments().length;
      await Promise.all(Array.from({ length: 2 * count }, () => getTask(task, created.taskId)));
      const ended = await overTask(task, created.taskId);
      expect(ended).toMatchObject({ status: 'completed', result: { content: [{ text: 'paid 640' }] } });
      for (let broker = 0; broker < count; broker++)
        expect((await at(broker, () => getTask(task, created.taskId))).result?.content).toEqual(ended.result?.content);
      expect(ledger.payments()).toHaveLength(before + 1);
    });

    it('a task that runs at one is cancelled at another, once and for good', async () => {
      ledger.hold();
      const task = await all.open();
      const created = await at(0, () => callAsTask(task, payment(30)));
      expect(created).toMatchObject({ status: 'working', statusMessage: 'The call is running.' });
      expect((await at(1, () => ask(task, 'tasks/cancel', { taskId: created.taskId }))).result).toMatchObject({ resultType: 'complete' });
      await vi.waitUntil(async () => (await recordsAbout(task.session)).some(({ type, code }) => type === 'call.unknown' && code === 'call.cancelled'), {
        timeout: hastenedMs,
        interval: 20,
      });
      ledger.release();
      for (let broker = 0; broker < count; broker++) expect(await at(broker, () => getTask(task, created.taskId))).toMatchObject({ status: 'cancelled' });
    });

    it('a modern client is paused, continued and answered wherever its requests come to; what was approved runs once', async () => {
      const client = await modern(await all.open());
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
      const before = ledger.payments().length;
      const roundsBegan = all.balancer.next;
      const paid = client.callTool(payment(600));
      const approval = await waiting();
      // Over more than one round, so that the state minted at one is opened at another.
      await vi.waitUntil(() => all.balancer.next > roundsBegan + 2, { timeout: 20_000, interval: 50 });
      await approveAt(1, approval);
      const requests = all.balancer.next;
      expect((await paid).isError ?? false).toBe(false);
      // Answered in the round that was held: the client did not have to come back.
      expect(all.balancer.next).toBe(requests);
      expect(ledger.payments().slice(before)).toEqual(['600']);
    });

    it('a 2025-era client waits at one, is told at once what was decided at another, and runs it at a third', async () => {
      const client = await legacyClient(await all.open());
      clients.push(client);
      const before = ledger.payments().length;
      const first = await client.callTool(payment(700));
      const handle = (first._meta as Record<string, { id: string }>)['taskgate/approval'];
      const waited = at(0, () => client.callTool({ name: 'await_approval', arguments: { approval: handle?.id ?? '' } }));
      const approval = await waiting();
      const began = performance.now();
      await approveAt(1, approval);
      expect(textOf(await waited)).toMatch(/was given/);
      expect(performance.now() - began).toBeLessThan(hastenedMs);
      expect((await client.callTool(payment(700))).isError ?? false).toBe(false);
      const again = await client.callTool(payment(700));
      expect((again._meta as Record<string, unknown>)['taskgate/replayed']).toBe(true);
      expect(ledger.payments().slice(before)).toEqual(['700']);
    });

    /** One request of a 2025-era client, at one broker. */
    const ask2025 = (broker: number, task: Task, method: string, id: string | null, body: object | null = null): Promise<Response> =>
      at(broker, () =>
        fetch(task.mcpUrl, {
          method,
          headers: {
            authorization: `Bearer ${task.accessToken}`,
            accept: 'application/json, text/event-stream',
            'content-type': 'application/json',
            ...(id === null ? {} : { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }),
          },
          ...(body === null ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...body }) }),
        }),
      );
    const initialize = async (broker: number, task: Task): Promise<string> => {
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
      return (await ask2025(broker, task, 'POST', null, { id: 1, method: 'initialize', params })).headers.get('mcp-session-id') ?? '';
    };

    it('what a 2025-era client names is known at each, to its own task alone, and gone at each once it is ended at one', async () => {
      const [task, another] = [await all.open(), await all.open()];
      const list = { id: 2, method: 'tools/list' };
      const id = await initialize(0, task);
      for (let n = 0; n < count; n++) {
        expect((await ask2025(n, task, 'POST', id, list)).status).toBe(200);
        expect((await ask2025(n, another, 'POST', id, list)).status).toBe(404);
        expect((await ask2025(n, another, 'DELETE', id)).status).toBe(404);
      }
      const began = performance.now();
      const stream = await ask2025(0, task, 'GET', id);
      expect(stream.headers.get('content-type')).toBe('text/event-stream');
      expect((await ask2025(1, task, 'DELETE', id)).status).toBe(204);
      expect(await stream.text()).toBe(': open\n\n');
      expect(performance.now() - began).toBeLessThan(hastenedMs);
      for (let n = 0; n < count; n++) expect((await ask2025(n, task, 'POST', id, list)).status).toBe(404);
    });

    it('a 2025-era client’s call at one is stopped by a cancellation that comes to another', async () => {
      const task = await all.open();
      const id = await initialize(0, task);
      ledger.hold();
      const before = ledger.payments().length;
      const running = ask2025(0, task, 'POST', id, { id: 7, method: 'tools/call', params: payment(11) });
      await vi.waitUntil(() => ledger.payments().length === before + 1, { timeout: 10_000, interval: 20 });
      const began = performance.now();
      expect((await ask2025(1, task, 'POST', id, { method: 'notifications/cancelled', params: { requestId: 7 } })).status).toBe(202);
      await running;
      expect(performance.now() - began).toBeLessThan(hastenedMs);
      expect((await recordsAbout(task.session)).find(({ type }) => type === 'call.unknown')).toMatchObject({ tool: 'ledger__post_payment' });
      ledger.release();
    });

    it('a hundred calls at once against a cap of ten: ten, between all of them, each with one dispatch', async () => {
      const task = await all.open();
      const client = await modern(task);
      const answers = await Promise.all(Array.from({ length: 100 }, () => client.callTool(search)));
      expect(answers.filter((answer) => answer.isError !== true)).toHaveLength(10);
      expect(answers.filter((answer) => answer.isError === true && !/used up/.test(textOf(answer))).map(textOf)).toEqual([]);
      const dispatched = (await recordsAbout(task.session)).filter(({ type }) => type === 'call.dispatched');
      expect(new Set(dispatched.map(({ dispatch }) => dispatch)).size).toBe(10);
      expect((await store.readSession('acme', task.session))?.calls).toBe(10);
    });

    it('a task ended at one is refused at each with its next call', async () => {
      const task = await all.open();
      const client = await modern(task);
      for (let n = 0; n < count; n++) expect((await client.callTool(search)).isError ?? false).toBe(false);
      expect(await endAt(1, task.session)).toMatchObject({ status: 200 });
      for (let n = 0; n < count; n++) await expect(client.callTool(search)).rejects.toThrow();
    });

    it('leave one unbroken chain between them', async () => {
      expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true });
    });
  });
}

describeReplicas('one SQLite file', 2, (dir) => `sqlite:${join(dir, 'data', 'taskgate.db')}`);
await describeOnPostgres((database) => describeReplicas('one PostgreSQL', 3, () => database.url));
