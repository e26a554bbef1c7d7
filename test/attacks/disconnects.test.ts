import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordBody } from '../../server/audit/index.ts';
import type { Task } from '../../server/connect/session.ts';
import { modernMeta } from '../mcp/fixture.ts';
import { newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { slowLedger } from '../support/slow-ledger.ts';
import { dial, rest } from '../support/wire.ts';

/** A client that goes away at every moment of a call: what ran once ran once, and the record says how each ended. */

let broker: TestBroker;
let dir: string;
let ledger: ReturnType<typeof slowLedger>;
let task: Task;
beforeAll(async () => {
  dir = await newFolder();
  ledger = slowLedger(dir);
  broker = await startTestBroker({ dir, ...ledger, holdMs: 10_000 });
});
afterAll(() => broker.end());
beforeEach(async () => {
  rmSync(join(dir, 'release'), { force: true });
  task = await broker.open({});
});

interface Call {
  readonly head: string;
  readonly body: string;
}
function callOf(era: 'modern' | 'legacy', amount: number, progress = false): Call {
  const { pathname, host } = new URL(task.mcpUrl);
  const meta = { ...(era === 'modern' ? modernMeta : {}), ...(progress ? { progressToken: 1 } : {}) };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...payment(amount), _meta: meta } });
  const own =
    era === 'modern' ? ['mcp-protocol-version: 2026-07-28', 'mcp-method: tools/call', 'mcp-name: ledger__post_payment'] : ['mcp-protocol-version: 2025-11-25'];
  const lines = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    `authorization: Bearer ${task.accessToken}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    ...own,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return { head: `${lines.join('\r\n')}\r\n\r\n`, body };
}

const recordsOf = async (session = task.session): Promise<RecordBody[]> =>
  (await broker.ports.store.readRecords('acme', 0, 100_000)).map(({ body }) => body).filter((body) => body.session === session);
const typesOf = async (): Promise<string[]> => (await recordsOf()).map(({ type }) => type).filter((type) => type.startsWith('call.'));
const until = (what: () => unknown): Promise<unknown> => vi.waitUntil(what, { timeout: 10_000, interval: 10 });
const gone = (from: number): number =>
  (
    broker
      .logged()
      .slice(from)
      .match(/"gone":true/g) ?? []
  ).length;
const paid = (amount: number): number => ledger.payments().filter((one) => one === String(amount)).length;
const leave = async (socket: Awaited<ReturnType<typeof dial>>, how: 'reset' | 'end'): Promise<void> => {
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroy();
  if (!socket.closed) await once(socket, 'close');
};
let amounts = 100;

describe.each(['modern', 'legacy'] as const)('a %s client that goes', (era) => {
  it.each(['reset', 'end'] as const)('before its body, or within it (%s), has asked for nothing', async (how) => {
    const { head, body } = callOf(era, ++amounts);
    const from = broker.logged().length;
    for (const part of [head, head + body.slice(0, 20), head + body.slice(0, -1)]) {
      const socket = await dial(broker.url);
      await new Promise<void>((sent) => socket.write(part, () => sent()));
      await leave(socket, how);
    }
    await until(() => gone(from) === 3);
    expect(await typesOf()).toEqual([]);
    expect(paid(amounts)).toBe(0);
  });

  it('as soon as it has asked either runs its call whole or not at all, and the record says which', async () => {
    const amount = ++amounts;
    const { head, body } = callOf(era, amount);
    const from = broker.logged().length;
    ledger.release();
    const socket = await dial(broker.url);
    await new Promise<void>((sent) => socket.write(head + body, () => sent()));
    await leave(socket, 'reset');
    await until(() => gone(from) === 1);
    await until(async () => {
      const types = await typesOf();
      return types.length > 0 && types.at(-1) !== 'call.dispatched';
    });
    const types = await typesOf();
    const dispatched = types.filter((type) => type === 'call.dispatched').length;
    expect(dispatched).toBeLessThanOrEqual(1);
    // One outcome of what was sent; what the client would have been told may follow it.
    expect(types.filter((type) => ['call.completed', 'call.failed', 'call.unknown'].includes(type))).toHaveLength(dispatched);
    expect(types.length).toBeLessThanOrEqual(2 * dispatched + 1);
    expect(paid(amount)).toBeLessThanOrEqual(dispatched);
  });

  // Closing is cancelling for a modern client (2026-07-28, Cancellation), and no word about the call for one of before.
  const story = era === 'modern' ? ['call.dispatched', 'call.unknown', 'call.refused'] : ['call.dispatched', 'call.completed'];
  it.each([
    ['while the upstream works', false],
    ['while a stream of its call is open', true],
  ])('%s: the call ran once, and is on the record once', async (_, progress) => {
    const amount = ++amounts;
    const { head, body } = callOf(era, amount, progress);
    const [socket, from] = [await dial(broker.url), broker.logged().length];
    socket.write(head + body);
    await until(() => paid(amount) === 1);
    await leave(socket, 'reset');
    await until(() => gone(from) === 1);
    if (era === 'legacy') ledger.release();
    await until(async () => (await typesOf()).length === story.length);
    ledger.release();
    expect([await typesOf(), paid(amount)]).toEqual([story, 1]);
  });
});

describe('a call that waits for people', () => {
  const decide = async (approval: string): Promise<void> => {
    for (const name of ['bob', 'carl']) {
      const token = await broker.person('acme', name);
      const { body } = await broker.v1(token, 'GET', `/approvals/${approval}`);
      expect(
        (await broker.v1(token, 'POST', `/approvals/${approval}/decisions`, { decision: 'approve', digest: body['digest'], reason: 'as ordered' })).status,
      ).toBe(200);
    }
  };
  const pending = async (): Promise<string | undefined> =>
    (await broker.ports.store.listApprovals('acme', { status: 'pending', session: task.session }, { after: null, limit: 1 }))[0]?.id;

  it('runs nothing once its client is gone, however often it leaves; the retry pays once, and what comes after is a replay', async () => {
    const amount = 600;
    const { head, body } = callOf('modern', amount);
    for (let time = 0; time < 3; time++) {
      const socket = await dial(broker.url);
      socket.write(head + body);
      await until(pending);
      await leave(socket, 'reset');
    }
    const approval = (await pending()) ?? '';
    await decide(approval);
    expect(paid(amount)).toBe(0);
    ledger.release();
    const again = async (): Promise<string> => {
      const socket = await dial(broker.url);
      socket.write(head + body);
      return rest(socket);
    };
    const answers = await Promise.all([again(), again(), again()]);
    expect(answers.filter((answer) => answer.includes('paid 600')).length).toBeGreaterThan(0);
    expect(await again()).toContain('taskgate/replayed');
    expect(paid(amount)).toBe(1);
    expect((await typesOf()).filter((type) => type === 'call.dispatched')).toHaveLength(1);
  });
});

it.each([
  ['/v1/policies/check', 'application/json'],
  ['/t/acme/oauth/token', 'application/x-www-form-urlencoded'],
  ['/t/acme/oauth/revoke', 'application/x-www-form-urlencoded'],
  ['/t/acme/local/svid', 'application/json'],
  ['/console/logout', 'application/x-www-form-urlencoded'],
])('a client that leaves within its body at %s is one line, and no error of the broker', async (path, type) => {
  const [person, { host }] = [await broker.person('acme', 'dana'), new URL(broker.url)];
  for (const length of ['content-length: 1000', 'transfer-encoding: chunked']) {
    const [socket, from] = [await dial(broker.url), broker.logged().length];
    const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${person}\r\norigin: ${broker.url}\r\ncontent-type: ${type}\r\n${length}\r\n\r\n`;
    await new Promise<void>((sent) => socket.write(`${head}5\r\n{"a":\r\n`, () => sent()));
    await leave(socket, 'reset');
    await until(() => broker.logged().slice(from).includes('"msg":"request"'));
    const lines = broker
      .logged()
      .slice(from)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(lines.filter(({ level, msg }) => level > 30 || msg === 'request')).toHaveLength(1);
  }
});

it('after all of it the broker holds nothing for those who left, and works', async () => {
  ledger.release();
  const { head, body } = callOf('modern', 7);
  const socket = await dial(broker.url);
  socket.write(head + body);
  expect(await rest(socket)).toContain('paid 7');
  broker.travel(120_000);
  expect(broker.ports.limits.remembered(broker.ports.clock())).toBe(0);
  expect(existsSync(join(dir, 'payments.txt'))).toBe(true);
  expect(
    broker
      .logged()
      .split('\n')
      .filter((line) => line.includes('"level":50')),
  ).toEqual([]);
});
