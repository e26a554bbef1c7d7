import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RecordBody } from '../../server/audit/index.ts';
import type { Task } from '../../server/connect/session.ts';
import { newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { slowLedger } from '../support/slow-ledger.ts';

/** What one would try to take from the neighbours, or to be counted as somebody else. */

const rate = (burst: number) => ({ per_second: 0.01, burst });
let broker: TestBroker;
afterEach(() => broker.end());

async function start(limits: object): Promise<void> {
  const dir = await newFolder();
  const ledger = slowLedger(dir);
  const change = (document: Record<string, unknown>): Record<string, unknown> => {
    const changed = ledger.change?.(document) ?? document;
    return changed['kind'] === 'Upstream' && changed['name'] === 'ledger' ? { ...changed, max_concurrent: 2 } : changed;
  };
  broker = await startTestBroker({ dir, ...ledger, change, holdMs: 0, limits });
}

let ids = 0;
const post = (task: Task, name: string, args: unknown, more: { meta?: object; headers?: Record<string, string>; url?: string } = {}) =>
  fetch(more.url ?? task.mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${task.accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
      ...more.headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++ids, method: 'tools/call', params: { name, arguments: args, _meta: more.meta ?? {} } }),
  });
const search = (task: Task, more = {}) => post(task, 'mail__search', { query: 'INV-7' }, more);
const recordsOf = async (session: string): Promise<RecordBody[]> =>
  (await broker.ports.store.readRecords('acme', 0, 1_000)).map(({ body }) => body).filter((body) => body.session === session);

describe('whoever asks too much', () => {
  it('is answered 429 with a time to wait, in words, before anything is done, and its neighbour is not', async () => {
    await start({ requests: { session: rate(20) } });
    const task = await broker.open({});
    const neighbour = await broker.open({});
    let last = await search(task);
    for (let i = 0; i < 25 && last.status !== 429; i++) last = await search(task);
    expect(last.status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last.json()).toMatchObject({ error: { message: expect.stringContaining('Wait'), data: { code: 'limit.exceeded' } } });
    expect((await search(neighbour)).status).toBe(200);
    // Whose agent it is can still be stopped by people.
    const admin = await broker.person('acme', 'dana');
    expect((await broker.v1(admin, 'POST', `/sessions/${task.session}/end`, { reason: 'floods' })).status).toBe(200);
  });

  it('with much to send is told late, so that its connections are no use for more, and whoever sends little is told at once', async () => {
    await start({ requests: { session: rate(1) } });
    const task = await broker.open({});
    const large = { query: 'x'.repeat(100_000) };
    const told: string[] = [];
    const ask = async (what: string, args: object): Promise<number> => {
      const { status } = await post(task, 'mail__search', args);
      told.push(what);
      return status;
    };
    expect((await post(task, 'mail__search', { query: 'INV-7' })).status).toBe(200);
    const much = ask('much', large);
    expect([await ask('little', { query: 'INV-7' }), await ask('little', { query: 'INV-7' }), await much]).toEqual([429, 429, 429]);
    expect(told).toEqual(['little', 'little', 'much']);
  });

  it('is counted by the token whatever else it says: no header, no new token and no other address makes it another', async () => {
    await start({ requests: { session: rate(5) } });
    const task = await broker.open({});
    while ((await search(task)).status !== 429);
    const tricks = [
      { headers: { 'x-forwarded-for': '203.0.113.9' } },
      { headers: { forwarded: 'for=203.0.113.9' } },
      { headers: { 'mcp-session-id': 'another' } },
      { headers: { 'x-tenant': 'globex' } },
      { url: `${task.mcpUrl}?session=another` },
      { meta: { 'taskgate/call': 'fresh' } },
    ];
    for (const trick of tricks) expect((await search(task, trick)).status).toBe(429);
    const renewed = await broker.renew(task.session);
    expect((await search(renewed)).status).toBe(429);
  });

  it('gets no more by opening more sessions than its agent may have', async () => {
    await start({ requests: { agent: rate(30) } });
    let passed = 0;
    for (let session = 0; session < 3; session++) {
      const task = await broker.open({});
      for (let i = 0; i < 15; i++) if ((await search(task)).status === 200) passed += 1;
    }
    expect(passed).toBe(30);
  });
});

describe('a flood of refused calls', () => {
  it('under ever new nonces is stopped at the door, and the record says exactly how many there were', async () => {
    await start({ refusals: { session: rate(5) } });
    const task = await broker.open({});
    const answers: number[] = [];
    const ask = async (nonce: string): Promise<void> =>
      void answers.push((await post(task, 'ledger__post_payment', { invoice: 1 }, { meta: { 'taskgate/call': nonce } })).status);
    for (let i = 0; i < 6; i++) await ask(`n${i}`);
    await Promise.all(Array.from({ length: 34 }, (_, i) => ask(`m${i}`)));
    expect(answers.filter((status) => status === 200)).toHaveLength(5);
    await broker.ports.access.flush();
    const refused = (await recordsOf(task.session)).filter(({ type }) => type === 'call.refused');
    expect(refused.length).toBeLessThanOrEqual(7);
    expect(refused.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(40);
  });
});

describe('an upstream that does not answer', () => {
  it('takes its own places alone: the same session and others still reach every other', async () => {
    await start({ wait_ms: 200 });
    const [task, other] = [await broker.open({}), await broker.open({})];
    const stuck = new AbortController();
    const hanging = Array.from({ length: 4 }, (_, i) =>
      fetch(task.mcpUrl, {
        method: 'POST',
        signal: stuck.signal,
        headers: { authorization: `Bearer ${task.accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: i, method: 'tools/call', params: payment(10 + i) }),
      }).then(
        async (response) => JSON.stringify(await response.json()),
        () => 'gone',
      ),
    );
    // One at work, half of the upstream's two; the others wait their 200 ms and are told so, with nothing taken.
    await vi.waitUntil(async () => (await recordsOf(task.session)).filter(({ code }) => code === 'limit.exceeded').length === 3, {
      timeout: 10_000,
      interval: 50,
    });
    const dispatched = async () => (await recordsOf(task.session)).filter(({ type }) => type === 'call.dispatched').length;
    await vi.waitUntil(async () => (await dispatched()) > 0, { timeout: 10_000, interval: 50 });
    expect(await dispatched()).toBe(1);
    expect((await search(task)).status).toBe(200);
    expect((await search(other)).status).toBe(200);
    stuck.abort();
    await Promise.all(hanging);
  });
});

describe('bodies', () => {
  it('that trickle in are no more than their tenant may have in memory, and what they took is given back', async () => {
    await start({ bytes: { bodies: 1_048_576 } });
    const task = await broker.open({});
    const { hostname, port, pathname, host } = new URL(task.mcpUrl);
    const trickle = async (bytes: number) => {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${task.accessToken}\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`;
      socket.write(head);
      socket.write('x'.repeat(bytes));
      return socket;
    };
    /** Whether the tenant has room for so many bytes more. */
    const hasRoom = (bytes: number): boolean => {
      const has = broker.ports.limits.holdBody('acme', bytes);
      if (has) broker.ports.limits.releaseBody('acme', bytes);
      return has;
    };
    const first = await trickle(900_000);
    await vi.waitUntil(() => !hasRoom(500_000), { timeout: 5_000, interval: 20 });
    const second = await trickle(900_000);
    const [answer] = (await once(second, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 429/);
    second.destroy();
    first.destroy();
    await vi.waitUntil(() => hasRoom(900_000), { timeout: 5_000, interval: 20 });
  });

  it('of more than 10,000 values are refused with what to do instead, before anything is made of them, and 9,000 are taken', async () => {
    await start({});
    const task = await broker.open({});
    const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 1]));
    const refused = await post(task, 'mail__search', members(10_001));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: 'Parse error: more than 10000 values; send fewer at once, or as one text' } });
    expect((await post(task, 'mail__search', members(9_000))).status).toBe(200);
  });

  it('of whoever shows a bad token are not read', async () => {
    await start({});
    const task = await broker.open({});
    const { hostname, port, pathname, host } = new URL(task.mcpUrl);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer e30.e30.e30\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 401/);
    socket.destroy();
  });
});
