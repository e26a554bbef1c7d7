import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { residentOf } from '../bench/proc.ts';
import { mcpRequest } from '../bench/wire.ts';
import { type NeighbourBroker, startNeighbours } from '../neighbours/broker.ts';
import { dial, rest, shout } from '../support/wire.ts';

/** `taskgate serve` in a process of its own, its memory looked at from outside, while clients do what costs them nothing. */

let broker: NeighbourBroker;
let hostile: Task;
let neighbour: Task;
let url: string;
let bound: number;
const answers: { ms: number; ok: boolean }[] = [];
let stopping = false;
let steady: Promise<void>;

const requestOf = (task: Task, tool: string, text = 'hello'): string =>
  mcpRequest({ host: `localhost:${broker.port}`, path: new URL(task.mcpUrl).pathname, token: task.accessToken }, 'tools/call', {
    name: tool,
    arguments: { text },
  });

beforeAll(async () => {
  const often = { burst: 2_000, per_second: 500 };
  const requests = { session: often, agent: often, tenant: often };
  const in_flight = { session: 2_000, agent: 2_000, tenant: 2_000 };
  const limits = { requests, in_flight, wait_ms: 30_000, bytes: { answers: 4_194_304 } };
  broker = await startNeighbours(['a', 'b'], limits, 'info');
  url = `http://127.0.0.1:${broker.port}`;
  [hostile, neighbour] = [await broker.open('a'), await broker.open('b')];
  // Somebody well-behaved, all the while: one call after the other, each on a connection of its own.
  const call = async (): Promise<void> => {
    const began = performance.now();
    const answer = await shout(url, requestOf(neighbour, 'bench__echo', 'steady').replace('\r\n', '\r\nconnection: close\r\n'));
    answers.push({ ms: performance.now() - began, ok: answer.startsWith('HTTP/1.1 200') && answer.includes('steady') });
  };
  for (let warm = 0; warm < 50; warm++) await call();
  // Bodies, results and answers not read: the shares of the one tenant that is hostile.
  bound = residentOf(broker.pid) + 32 + 256 + 4;
  steady = (async () => {
    while (!stopping) {
      await call();
      await new Promise((later) => setTimeout(later, 50));
    }
  })();
});
afterAll(async () => {
  stopping = true;
  await steady;
  await broker.stop();
});

/** Memory stays where it was but for a fixed part, and the neighbour was answered, each time and without delay. */
async function holds(from: number): Promise<void> {
  const seen = answers.length;
  await vi.waitUntil(() => answers.length >= seen + 3, { timeout: 20_000, interval: 20 });
  expect(residentOf(broker.pid)).toBeLessThan(bound);
  const since = answers.slice(from);
  expect(since.filter(({ ok }) => !ok)).toEqual([]);
  expect(Math.max(...since.map(({ ms }) => ms))).toBeLessThan(5_000);
}

const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => make(index)));
const closeAll = (sockets: readonly Socket[]): void => {
  for (const socket of sockets) socket.destroy();
};

describe('clients that hold on', () => {
  it('a thousand idle connections, half of which have said half a header: each is hung up on in time, and nobody else notices', async () => {
    const from = answers.length;
    const sockets = await many(1_000, () => dial(url));
    const gone = sockets.map((socket) => rest(socket));
    for (const [index, socket] of sockets.entries()) if (index % 2 === 1) socket.write(`POST /mcp HTTP/1.1\r\nhost: localhost:${broker.port}\r\nx-slow: `);
    await holds(from);
    const began = performance.now();
    const heard = await Promise.all(gone);
    expect(performance.now() - began).toBeLessThan(40_000);
    // Who said nothing is told nothing.
    expect(heard.filter((_, index) => index % 2 === 0).every((text) => text === '')).toBe(true);
    expect(heard.filter((_, index) => index % 2 === 1).every((text) => text.startsWith('HTTP/1.1 408'))).toBe(true);
    await holds(from);
  });

  it('slow writers, a byte at a time with good tokens: no more than their tenant’s share is held for them', async () => {
    const from = answers.length;
    const request = requestOf(hostile, 'bench__echo', 'x'.repeat(150));
    const sockets = await many(200, async () => dial(url));
    const at = request.length - 100;
    for (const socket of sockets) socket.write(request.slice(0, at));
    for (let byte = 0; byte < 20; byte++) {
      for (const socket of sockets) socket.write(request.slice(at + byte, at + byte + 1));
      await new Promise((later) => setTimeout(later, 50));
    }
    await holds(from);
    closeAll(sockets);
  });

  it('slow readers: once their tenant’s share of unread answers is full it gets no more, until they are hung up on', async () => {
    const from = answers.length;
    const probe = (): Promise<string> => shout(url, requestOf(hostile, 'bench__echo').replace('\r\n', '\r\nconnection: close\r\n'));
    const tooMuch = async (): Promise<boolean> => (await probe()).includes('wait to be read');
    // What fits between two kernels goes out unseen; the rest waits in the broker.
    const sockets = await many(24, () => dial(url));
    for (const socket of sockets) socket.pause().write(requestOf(hostile, 'bench__big').repeat(24));
    await vi.waitUntil(tooMuch, { timeout: 30_000, interval: 50 });
    await holds(from);
    await vi.waitUntil(async () => !(await tooMuch()), { timeout: 60_000, interval: 500 });
    expect(await probe()).toMatch(/^HTTP\/1.1 200 /);
    closeAll(sockets);
    await holds(from);
  });
});

describe('clients that send much', () => {
  it('fifty bodies of ten megabytes, told or in chunks: 413, none of it kept', async () => {
    const from = answers.length;
    const head = requestOf(hostile, 'bench__echo').split('\r\n\r\n')[0] ?? '';
    const chunk = `80000\r\n${' '.repeat(0x80000)}\r\n`;
    const bodies = await many(50, async (index) => {
      const socket = await dial(url);
      const heard = rest(socket);
      if (index % 2 === 0) {
        socket.write(`${head.replace(/content-length: \d+/, 'content-length: 10000000')}\r\nconnection: close\r\n\r\n`);
        for (let sent = 0; sent < 20 && !socket.destroyed; sent++) socket.write(' '.repeat(500_000));
      } else {
        socket.write(`${head.replace(/content-length: \d+/, 'transfer-encoding: chunked')}\r\nconnection: close\r\n\r\n`);
        for (let sent = 0; sent < 20 && !socket.destroyed; sent++) socket.write(chunk);
        socket.write('0\r\n\r\n');
      }
      return heard;
    });
    // Whoever is hung up on while sending may never see why; nobody is told anything else.
    const told = bodies.filter((text) => text !== '');
    expect(told.length).toBeGreaterThan(0);
    expect(told.filter((text) => !/^HTTP\/1\.1 (413|429) /.test(text))).toEqual([]);
    await holds(from);
  });

  it('connections opened and dropped, a thousand times over: as if they had never been', async () => {
    const from = answers.length;
    for (let round = 0; round < 10; round++) {
      const sockets = await many(100, () => dial(url));
      for (const [index, socket] of sockets.entries()) {
        if (index % 3 === 0) socket.write('\x16\x03\x01');
        if (index % 3 === 1) socket.write(requestOf(hostile, 'bench__echo').slice(0, -1));
        socket.resetAndDestroy();
      }
      await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    }
    await holds(from);
  });
});

it('after all of it the process is the same, each line of its log is JSON, and a call is answered as before', async () => {
  expect(await shout(url, requestOf(hostile, 'bench__echo', 'still here').replace('\r\n', '\r\nconnection: close\r\n'))).toContain('still here');
  expect(() => process.kill(broker.pid, 0)).not.toThrow();
  const lines = (await broker.logged())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: number; msg: string });
  expect(lines.filter(({ level }) => level > 40)).toEqual([]);
  expect(residentOf(broker.pid)).toBeLessThan(bound);
});
