import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamCall, UpstreamOutcome } from '../../tools/index.ts';
import type { LiveConnection } from '../../tools/upstream/mcp-client.ts';
import { connectHttp } from '../../tools/upstream/mcp-http.ts';

/** An upstream of MCP 2026-07-28 by hand; its one tool answers whatever `answer` writes. */
let server: Server;
let live: LiveConnection;
let answer: (response: ServerResponse, id: unknown) => unknown;
let seen: { headers: IncomingHttpHeaders; body: { id: unknown; params: { _meta: Record<string, unknown> } } }[] = [];
const tools = ['echo', 'écho'].map((name) => ({ name, inputSchema: { type: 'object' } }));

const json = (response: ServerResponse, message: object, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(message));
const headed = (response: ServerResponse, more: object = {}): ServerResponse => response.writeHead(200, { 'content-type': 'application/json', ...more });
const events = (response: ServerResponse, ...messages: object[]): void =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(messages.map((one) => `event: message\ndata: ${JSON.stringify(one)}\n\n`).join(''));
const ok = { resultType: 'complete', content: [{ type: 'text', text: 'hi' }] };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text);
    const found = {
      'server/discover': { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo: { name: 'by-hand', version: '1' } },
      'tools/list': { tools },
    }[body.method as string];
    if (found) return json(response, { jsonrpc: '2.0', id: body.id, result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...found } });
    seen.push({ headers: request.headers, body });
    answer(response, body.id);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  resolved = Promise.resolve(loopback);
  return connect();
});
afterEach(() => live.close());

/** A connection on which an answer was lost is not used again. */
async function connect(): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const target = { type: 'http', url: `http://localhost:${port}/mcp?q=1`, headers: { 'X-Key': 'hunter2-hunter2' }, egress: ['localhost'] } as const;
  live = await connectHttp(target, { connectMs: 5_000, resolve: (_host, _options, callback) => resolved.then((found) => callback(null, found)) });
}
/** What the upstream's name resolves to, once it does. */
let resolved: Promise<LookupAddress[]>;
const loopback = [{ address: '127.0.0.1', family: 4 }];
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

let dispatches = 0;
async function call(over: Partial<UpstreamCall>): Promise<UpstreamOutcome> {
  return live.call({
    kind: 'tool',
    address: 'echo',
    arguments: { text: 'a', deep: { list: [1, 'ü'] } },
    dispatch: `dsp_${++dispatches}`,
    signal: new AbortController().signal,
    deadlineMs: 2_000,
    maxResultBytes: 100_000,
    traceparent: null,
    onProgress: null,
    ...over,
  });
}
/** Whoever asks for progress is served by the SDK's client. */
const bySdk = { onProgress: () => undefined };

it('calls made at once each take the answer to themselves, whichever comes first', async () => {
  const waiting: (() => void)[] = [];
  answer = (response, id) => {
    const text = JSON.stringify(seen.find(({ body }) => body.id === id)?.body.params._meta);
    waiting.push(() => json(response, { jsonrpc: '2.0', id, result: { ...ok, content: [{ type: 'text', text }] } }));
    if (waiting.length === 3) for (const late of waiting.reverse()) late();
  };
  seen = [];
  const outcomes = await Promise.all(['dsp_a', 'dsp_b', 'dsp_c'].map((dispatch) => call({ dispatch })));
  const told = outcomes.map((outcome) => (outcome.kind === 'result' ? /dsp_[abc]/.exec(JSON.stringify(outcome.result))?.[0] : outcome));
  expect(told).toEqual(['dsp_a', 'dsp_b', 'dsp_c']);
});

it('sends what the SDK’s client would send', async () => {
  answer = (response, id) => json(response, { jsonrpc: '2.0', id, result: ok });
  const more = { dispatch: 'dsp_same', idempotencyHeader: 'Idempotency-Key', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  seen = [];
  expect(await call(more)).toEqual(await call({ ...more, ...bySdk }));
  const [own, sdk] = seen.map(({ headers, body }) => {
    // What a browser's fetch adds, and what differs from call to call by its nature.
    const { 'content-length': _, 'accept-language': __, 'accept-encoding': ___, 'sec-fetch-mode': ____, 'user-agent': _____, ...said } = headers;
    const { progressToken: ______, ...meta } = body.params._meta;
    return { said, text: JSON.stringify({ ...body, id: 0, params: { ...body.params, _meta: meta } }) };
  });
  expect(own).toEqual(sdk);
});

describe('makes of an answer what the SDK’s client would', () => {
  const cases: readonly [string, (response: ServerResponse, id: unknown) => unknown][] = [
    ['a result', (response, id) => json(response, { jsonrpc: '2.0', id, result: ok })],
    [
      'a result with more in it than anybody knows',
      (response, id) =>
        json(response, {
          jsonrpc: '2.0',
          id,
          result: { ...ok, content: [{ type: 'text', text: 'x', more: 1, annotations: { audience: ['user'], other: 1 } }], more: { a: 1 }, _meta: { z: 1 } },
        }),
    ],
    [
      'structured content and every kind of block',
      (response, id) => json(response, { jsonrpc: '2.0', id, result: { ...ok, content: blocks, structuredContent: { a: [1] } } }),
    ],
    ['a tool’s own error', (response, id) => json(response, { jsonrpc: '2.0', id, result: { ...ok, isError: true } })],
    [
      'a result in pieces',
      async (response, id) => {
        const whole = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: { ...ok, content: [{ type: 'text', text: 'zwölf €' }] } }));
        const middle = whole.indexOf('€') + 1;
        response.writeHead(200, { 'content-type': 'application/json' }).write(whole.subarray(0, middle));
        await tick();
        response.end(whole.subarray(middle));
      },
    ],
    [
      'an event in pieces',
      async (response, id) => {
        const whole = Buffer.from(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { ...ok, content: [{ type: 'text', text: '€' }] } })}\n\n`);
        const middle = whole.indexOf('€') + 1;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(whole.subarray(0, middle));
        await tick();
        response.end(whole.subarray(middle));
      },
    ],
    [
      'a result after early words of its headers',
      async (response, id) => {
        response.writeEarlyHints({ link: '</a>; rel=preload' });
        await tick();
        json(response, { jsonrpc: '2.0', id, result: ok });
      },
    ],
    ['a result behind a byte order mark', (response, id) => headed(response).end(`\ufeff${JSON.stringify({ jsonrpc: '2.0', id, result: ok })}`)],
    [
      'a result cut short',
      (response, id) => {
        headed(response, { 'content-length': 1_000 }).write(JSON.stringify({ jsonrpc: '2.0', id, result: ok }));
        setImmediate(() => response.destroy());
      },
    ],
    ['a stream of one event', (response, id) => events(response, { jsonrpc: '2.0', id, result: ok })],
    [
      'a stream with words before the result',
      (response, id) =>
        events(response, { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }, { jsonrpc: '2.0', id, result: ok }),
    ],
    ['a stream that ends early', (response) => events(response)],
    ['a JSON-RPC error', (response, id) => json(response, { jsonrpc: '2.0', id, error: { code: -32_000, message: 'secret words' } })],
    [
      'a JSON-RPC error with a status of its own',
      (response, id) => json(response, { jsonrpc: '2.0', id, error: { code: -32_602, message: 'secret words' } }, 400),
    ],
    ['a result without its type', (response, id) => json(response, { jsonrpc: '2.0', id, result: { content: [] } })],
    ['a result of an unknown type', (response, id) => json(response, { jsonrpc: '2.0', id, result: { ...ok, resultType: 'other' } })],
    ['a request for input', (response, id) => json(response, { jsonrpc: '2.0', id, result: { resultType: 'input_required', requestState: 'x' } })],
    ['content that is none', (response, id) => json(response, { jsonrpc: '2.0', id, result: { ...ok, content: [{ type: 'text' }] } })],
    ['an outage', (response) => void response.writeHead(503).end('secret words')],
    ['a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'more than is allowed',
      (response, id) => json(response, { jsonrpc: '2.0', id, result: { ...ok, content: [{ type: 'text', text: 'x'.repeat(200_000) }] } }),
    ],
    ['a flood', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('x'.repeat(3_000_000))],
    ['a connection cut under it', (response) => void response.destroy()],
  ];
  it.each(cases)('%s', async (_name, how) => {
    answer = how;
    const own = await call({});
    await live.close();
    await connect();
    const sdk = await call(bySdk);
    const shape = (outcome: UpstreamOutcome) => (outcome.kind === 'failed' ? { ...outcome, detail: '' } : outcome);
    expect(shape(own)).toEqual(shape(sdk));
    expect(JSON.stringify(own)).not.toContain('secret words');
  });
});

const blocks = [
  { type: 'text', text: 'x', annotations: { audience: ['user'], priority: 0.5 } },
  { type: 'image', data: 'AAAA', mimeType: 'image/png' },
  { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
  { type: 'resource_link', uri: 'file:///a', name: 'a' },
  { type: 'resource', resource: { uri: 'file:///a', text: 'x', mimeType: 'text/plain' } },
];

it.each([
  ['an answer to another request', (response: ServerResponse) => json(response, { jsonrpc: '2.0', id: 4711, result: ok })],
  ['nothing', (response: ServerResponse) => void headed(response).end()],
  ['a result that is no object', (response: ServerResponse, id: unknown) => json(response, { jsonrpc: '2.0', id, result: 'x' })],
  ['a page of HTML', (response: ServerResponse) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
  ['a batch', (response: ServerResponse, id: unknown) => json(response, [{ jsonrpc: '2.0', id, result: ok }])],
  [
    'an answer in a coding nobody asked for',
    (response: ServerResponse) => void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'),
  ],
])('takes %s for no result, and says that it was sent', async (_name, how) => {
  answer = how;
  expect(await call({})).toMatchObject({ kind: 'failed', why: 'protocol', sent: true });
});

it('ends at its deadline, and when it is called off', async () => {
  answer = () => undefined;
  expect(await call({ deadlineMs: 100 })).toMatchObject({ kind: 'failed', why: 'timeout', sent: true });
  const off = new AbortController();
  answer = () => off.abort();
  expect(await call({ signal: off.signal })).toMatchObject({ kind: 'failed', why: 'cancelled', sent: true });
});

it('that is called off, or out of time, while it waits for a connection ends at once and is never sent', async () => {
  const connection = Promise.withResolvers<LookupAddress[]>();
  resolved = connection.promise;
  const first = Promise.withResolvers<ServerResponse>();
  answer = (response) => first.resolve(response);
  const holder = call({});
  const held = await first.promise;
  seen = [];
  const off = new AbortController();
  const cancelled = call({ signal: off.signal });
  const late = call({ deadlineMs: 50 });
  off.abort();
  expect(await cancelled).toMatchObject({ kind: 'failed', why: 'cancelled' });
  expect(await late).toMatchObject({ kind: 'failed', why: 'timeout' });
  connection.resolve(loopback);
  answer = (response, id) => json(response, { jsonrpc: '2.0', id, result: ok });
  expect(await call({})).toMatchObject({ kind: 'result' });
  expect(seen).toHaveLength(1);
  held.destroy();
  await holder;
});

it.each([
  ['keeps its stream open', () => undefined],
  ['talks on', (response: ServerResponse) => void Readable.from(endless()).pipe(response)],
])('takes its answer from an upstream that %s, which then loses its connection', async (_name, afterwards) => {
  const closed = Promise.withResolvers<number>();
  answer = (response, id) => {
    const { socket } = response;
    response.on('close', () => closed.resolve(socket?.bytesWritten ?? 0));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: ok })}\n\n`);
    afterwards(response);
  };
  expect(await call({})).toMatchObject({ kind: 'result' });
  // More than what lies in buffers is not taken.
  expect(await closed.promise).toBeLessThan(20_000_000);
  answer = (response, id) => json(response, { jsonrpc: '2.0', id, result: ok });
  expect(await call({})).toMatchObject({ kind: 'result' });
});

function* endless(): Generator<string> {
  for (;;) yield `data: ${'x'.repeat(60_000)}\n\n`;
}

it('keeps its connection over answers of both kinds', async () => {
  const sockets = new Set<unknown>();
  server.on('request', ({ socket }) => sockets.add(socket));
  for (const how of [json, events, json, events, events, json]) {
    answer = (response, id) => how(response, { jsonrpc: '2.0', id, result: ok });
    expect(await call({})).toMatchObject({ kind: 'result' });
  }
  // An answer out of a stream is passed on before the stream has ended.
  expect(sockets.size).toBeLessThanOrEqual(2);
});

it('leaves a name that a header cannot hold to the SDK’s client', async () => {
  answer = (response, id) => json(response, { jsonrpc: '2.0', id, result: ok });
  seen = [];
  expect(await call({ address: 'écho' })).toMatchObject({ kind: 'result' });
  expect(seen[0]?.headers['mcp-name']).toBe('=?base64?w6ljaG8=?=');
});
