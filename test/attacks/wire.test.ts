import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { modernMeta } from '../mcp/fixture.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { dial, rest, shout } from '../support/wire.ts';

/** HTTP that is bent, doubled, cut off or no HTTP at all, each time around a call that would pay if it were read otherwise. */

let broker: TestBroker;
let task: Task;
let other: Task;
let foreign: Task;
const plenty = { per_second: 1_000_000, burst: 1_000_000 };
beforeAll(async () => {
  broker = await startTestBroker({
    limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty } },
    change: (document) => (document['name'] === 'match-invoices' && document['tenant'] === 'acme' ? mayPayOften(document) : document),
  });
  task = await broker.open({});
  other = await broker.open({});
  foreign = await broker.open({ tenant: 'globex' });
});
afterAll(() => broker.end());

const mayPayOften = (document: Record<string, unknown>) => ({
  ...document,
  grants: (document['grants'] as Record<string, unknown>[]).map((grant) => (grant['tool'] === name ? { ...grant, max_calls: 100 } : grant)),
});
const name = 'ledger__post_payment';
const body = (amount = 12): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...payment(amount), _meta: modernMeta } });

interface Head {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Instead of, or beside, those of a good call; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Lines as they are. */
  readonly more?: readonly string[];
  readonly body?: string | Uint8Array;
  readonly newline?: string;
}

/** A good call, but for what is said. */
function bytesOf({ method = 'POST', target, version = 'HTTP/1.1', headers = {}, more = [], body: text = body(), newline = '\r\n' }: Head): Buffer {
  const { pathname, host } = new URL(task.mcpUrl);
  const good = {
    host,
    authorization: `Bearer ${task.accessToken}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': name,
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  };
  const lines = Object.entries({ ...good, ...headers }).flatMap(([key, value]) => (value === null ? [] : [`${key}: ${value}`]));
  const head = [`${method} ${target ?? pathname} ${version}`, ...lines, ...more, '', ''].join(newline);
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(text)]);
}

const requests = (from = 0) =>
  broker
    .logged()
    .slice(from)
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { level: number; msg: string; status?: number; gone?: boolean; broke?: string })
    .filter(({ msg, level }) => msg === 'request' || level > 30);
const dispatched = async (): Promise<number> =>
  (await broker.ports.store.readRecords('acme', 0, 10_000)).filter(({ body: { type } }) => type === 'call.dispatched').length;
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);

/** The answer to it; it ran nothing and is one line of the log. */
async function refused(bytes: Uint8Array): Promise<string> {
  const [before, from] = [await dispatched(), broker.logged().length];
  const answer = await shout(broker.url, bytes);
  await vi.waitUntil(() => requests(from).length > 0, { timeout: 5_000, interval: 5 });
  expect(requests(from)).toHaveLength(1);
  expect(await dispatched()).toBe(before);
  return answer;
}

it('a call as it should be pays, or all that follows shows nothing', async () => {
  const before = await dispatched();
  expect(statusOf(await shout(broker.url, bytesOf({ body: body(11) })))).toBe(200);
  expect(await dispatched()).toBe(before + 1);
});

describe('where a request ends can be read in one way alone', () => {
  const chunked = `${body().length.toString(16)}\r\n${body()}\r\n0\r\n\r\n`;
  it.each<[string, Head]>([
    ['a length beside chunks', { more: ['transfer-encoding: chunked'], body: chunked }],
    ['chunks beside a length of nothing', { headers: { 'content-length': '0' }, more: ['Transfer-Encoding: chunked'], body: chunked }],
    ['two lengths', { more: ['content-length: 3'] }],
    ['the same length twice', { more: [`content-length: ${body().length}`] }],
    ['a length in a list', { headers: { 'content-length': `${body().length}, ${body().length}` } }],
    ['a length with a sign', { headers: { 'content-length': `+${body().length}` } }],
    ['a length below nothing', { headers: { 'content-length': '-1' } }],
    ['a length in hexadecimal', { headers: { 'content-length': '0x10' } }],
    ['a length beyond counting', { headers: { 'content-length': '99999999999999999999999' } }],
    ['a coding that is not known', { headers: { 'content-length': null }, more: ['transfer-encoding: xchunked'], body: chunked }],
    ['a coding after chunks', { headers: { 'content-length': null }, more: ['transfer-encoding: chunked, identity'], body: chunked }],
    ['two codings', { headers: { 'content-length': null }, more: ['transfer-encoding: chunked', 'transfer-encoding: identity'], body: chunked }],
    ['a space before the colon', { headers: { 'content-length': null }, more: ['transfer-encoding : chunked'], body: chunked }],
    ['a chunk whose size is none', { headers: { 'content-length': null }, more: ['transfer-encoding: chunked'], body: `zz\r\n${body()}\r\n0\r\n\r\n` }],
    ['a chunk longer than it says', { headers: { 'content-length': null }, more: ['transfer-encoding: chunked'], body: `5\r\n${body()}\r\n0\r\n\r\n` }],
    ['a folded line', { more: ['x-folded: a', ' b'] }],
    ['lines that end in LF alone', { newline: '\n' }],
    ['lines that end in CR alone', { newline: '\r' }],
    ['a line without a colon', { more: ['nothing'] }],
    ['a NUL in a value', { more: ['x-nul: a\0b'] }],
    ['a CR in a value', { more: ['x-cr: a\rb'] }],
    ['a name with a space', { more: ['x bad: 1'] }],
    ['a name of other letters', { more: ['x-ü: 1'] }],
    ['no name', { more: [': 1'] }],
    ['a version that is none', { version: 'HTTP/9.9' }],
    ['no version', { version: '' }],
    ['a method that is none', { method: 'PO ST' }],
    ['a space in the target', { target: '/m cp' }],
  ])('%s: 400, hung up', async (_, head) => {
    const answer = await refused(bytesOf(head));
    expect(statusOf(answer)).toBe(400);
    expect(answer).toMatch(/connection: close/i);
  });

  it.each<[string, string, number]>([
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a line of something else', 'EHLO mail.example\r\n', 400],
    ['nothing but line breaks and a word', '\r\n\r\nhello\r\n\r\n', 400],
    ['a tunnel', 'CONNECT mail.example:25 HTTP/1.1\r\nhost: mail.example\r\n\r\n', 405],
  ])('%s: refused', async (_, bytes, status) => {
    expect(statusOf(await refused(Buffer.from(bytes, 'latin1')))).toBe(status);
  });

  it('a header beyond 32 KiB: 431', async () => {
    expect(statusOf(await refused(bytesOf({ headers: { 'x-long': 'a'.repeat(40_000) } })))).toBe(431);
    expect(statusOf(await refused(bytesOf({ more: Array.from({ length: 4_000 }, (_, i) => `x-${i}: y`) })))).toBe(431);
  });

  it('what stands behind a body is a request of its own, with nobody’s name on it', async () => {
    const { pathname, host } = new URL(task.mcpUrl);
    const hidden = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: ${name}\r\nconnection: close\r\ncontent-length: ${body().length}\r\n\r\n${body()}`;
    const before = await dispatched();
    const answers = await shout(broker.url, bytesOf({ headers: { connection: 'keep-alive', 'content-length': '2' }, body: `{}${hidden}` }));
    expect([...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['400', '401']);
    expect(await dispatched()).toBe(before);
  });
});

describe('who is spoken to, and by whom, is in one place alone', () => {
  const of =
    (head: (url: URL) => Head): (() => Head) =>
    () =>
      head(new URL(task.mcpUrl));
  it.each<[string, () => Head, number]>([
    ['no Host', of(() => ({ headers: { host: null } })), 400],
    ['an empty Host', of(() => ({ headers: { host: '' } })), 400],
    ['two Hosts', of(({ host }) => ({ more: [`host: ${host}`] })), 403],
    ['a Host of another', of(() => ({ headers: { host: 'attacker.example' } })), 403],
    ['a Host with a name before it', of(({ host }) => ({ headers: { host: `attacker@${host}` } })), 400],
    ['a Host with a path', of(({ host }) => ({ headers: { host: `${host}/x` } })), 400],
    ['a Host with another port', of(({ hostname }) => ({ headers: { host: `${hostname}:1` } })), 403],
    ['a target at another host', of(() => ({ headers: { host: 'attacker.example' }, target: `${task.mcpUrl}` })), 403],
    [
      'a Host told by a proxy',
      of(({ host }) => ({ headers: { host: 'attacker.example' }, more: [`x-forwarded-host: ${host}`, `forwarded: host=${host}`] })),
      403,
    ],
    ['a page elsewhere', of(() => ({ headers: { origin: 'https://attacker.example' } })), 403],
    ['two bearers, the good one first', of(() => ({ more: ['authorization: Bearer e30.e30.AA'] })), 401],
    [
      'two bearers, the good one last',
      of(() => ({ headers: { authorization: 'Bearer e30.e30.AA' }, more: [`authorization: Bearer ${task.accessToken}`] })),
      401,
    ],
    ['the bearer twice', of(() => ({ more: [`authorization: Bearer ${task.accessToken}`] })), 401],
    ['a bearer in the address', of((url) => ({ headers: { authorization: null }, target: `${url.pathname}?access_token=${task.accessToken}` })), 401],
    ['a bearer as a cookie', of(() => ({ headers: { authorization: null, cookie: `authorization=Bearer ${task.accessToken}` } })), 401],
    ['another scheme', of(() => ({ headers: { authorization: `DPoP ${task.accessToken}` } })), 401],
    ['the token of another session', of(() => ({ headers: { authorization: `Bearer ${other.accessToken}` } })), 401],
    ['the token of another tenant', of(() => ({ headers: { authorization: `Bearer ${foreign.accessToken}` } })), 401],
    ['another session’s door', of(() => ({ target: new URL(other.mcpUrl).pathname })), 401],
    ['another tenant’s door', of(() => ({ target: new URL(foreign.mcpUrl).pathname })), 401],
    ['the door of connection tokens', of(() => ({ target: '/mcp' })), 401],
    [
      'a door around a corner',
      of((url) => ({
        headers: { authorization: `Bearer ${other.accessToken}` },
        target: `${new URL(other.mcpUrl).pathname}/../../${url.pathname.split('/')[2]}/mcp`,
      })),
      401,
    ],
    ['a door around a hidden corner', of((url) => ({ target: url.pathname.replace(task.session, `${other.session}%2f..%2f${task.session}`) })), 401],
    ['another method, told aside', of(() => ({ method: 'GET', more: ['x-http-method-override: POST'] })), 405],
    ['a method nobody has', of(() => ({ method: 'PURGE' })), 405],
    ['another address, told aside', of(({ pathname }) => ({ target: '/nowhere', more: [`x-original-url: ${pathname}`, `x-rewrite-url: ${pathname}`] })), 404],
    ['an address in capitals', of(({ pathname }) => ({ target: pathname.replace('/mcp', '/MCP') })), 404],
    ['an address with a NUL', of(({ pathname }) => ({ target: `${pathname}%00` })), 404],
  ])('%s', async (_, head, status) => {
    expect(statusOf(await refused(bytesOf(head())))).toBe(status);
  });

  it.each<[string, Head, number]>([
    ['a header that names another tool', { headers: { 'mcp-name': 'mail__search' } }, -32020],
    ['a header that names two', { more: ['mcp-name: mail__search'] }, -32020],
    ['a header that names another method', { headers: { 'mcp-method': 'tools/list' } }, -32020],
    ['no name in the header', { headers: { 'mcp-name': null } }, -32020],
    ['no method in the header', { headers: { 'mcp-method': null } }, -32020],
    ['a revision in the header that the body does not speak', { headers: { 'mcp-protocol-version': '2025-11-25' } }, -32020],
    ['a revision nobody speaks', { headers: { 'mcp-protocol-version': '2031-01-01' } }, -32020],
  ])('%s: 400', async (_, head, code) => {
    const answer = await refused(bytesOf(head));
    expect([statusOf(answer), (JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as { error: { code: number } }).error.code]).toEqual([400, code]);
  });
});

describe('a body', () => {
  it.each<[string, Head, number]>([
    ['that is compressed', { headers: { 'content-encoding': 'gzip' }, body: gzipSync(body()) }, 415],
    ['that says it is compressed, and is not', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['of a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
    ['of many parts', { headers: { 'content-type': 'multipart/form-data; boundary=a' } }, 415],
    ['of no type', { headers: { 'content-type': null } }, 415],
    ['of two types', { more: ['content-type: text/plain'] }, 415],
    ['in another alphabet', { body: Buffer.from(body(), 'utf16le') }, 400],
    ['with a mark before it', { body: `\ufeff${body()}` }, 400],
    ['that expects what nobody gives', { headers: { expect: 'payment' } }, 417],
    ['of ten megabytes, told', { body: `${body().slice(0, -1)}${' '.repeat(10_000_000)}}` }, 413],
  ])('%s: refused', async (_, head, status) => {
    expect(statusOf(await refused(bytesOf(head)))).toBe(status);
  });

  it('of ten megabytes, in chunks: 413, read no further than a megabyte', async () => {
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
    const answer = await refused(bytesOf({ headers: { 'content-length': null, 'transfer-encoding': 'chunked' }, body: `${chunk.repeat(10)}0\r\n\r\n` }));
    expect(statusOf(answer)).toBe(413);
  });

  it('announced with `Expect: 100-continue` is asked for and read once', async () => {
    const before = await dispatched();
    const socket = await dial(broker.url);
    const bytes = bytesOf({ headers: { expect: '100-continue' }, body: body(13) });
    const at = bytes.indexOf('\r\n\r\n') + 4;
    socket.write(bytes.subarray(0, at));
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 100 /);
    socket.write(bytes.subarray(at));
    expect(statusOf(await rest(socket))).toBe(200);
    expect(await dispatched()).toBe(before + 1);
  });
});

describe('a connection', () => {
  it('carries several requests at once, answered in their order; a broken one between them is its own alone', async () => {
    const keep = { connection: 'keep-alive' };
    const answers = await shout(
      broker.url,
      Buffer.concat([bytesOf({ headers: keep, body: body(14) }), bytesOf({ headers: keep, body: '{"a":1,"a":2}' }), bytesOf({ body: body(15) })]),
    );
    expect([...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['200', '400', '200']);
  });

  it('that breaks behind a call under way ends without an answer to either: none stands in the place of the other', async () => {
    const from = broker.logged().length;
    const answers = await shout(
      broker.url,
      Buffer.concat([bytesOf({ headers: { connection: 'keep-alive' }, body: body(19) }), Buffer.from('no request\r\n\r\n')]),
    );
    expect(answers).not.toMatch(/HTTP\/1\.1 400/);
    await vi.waitUntil(() => requests(from).length >= 2, { timeout: 5_000, interval: 5 });
    expect(requests(from)).toHaveLength(2);
    expect(requests(from).every(({ broke }) => broke !== undefined)).toBe(true);
  });

  it('of HTTP/1.0 is answered, and ended', async () => {
    const answer = await shout(broker.url, bytesOf({ version: 'HTTP/1.0', headers: { connection: null }, body: body(16) }));
    expect(statusOf(answer)).toBe(200);
    expect(await refused(Buffer.from('GET /livez HTTP/1.0\r\n\r\n'))).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is not turned into another protocol', async () => {
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
    const socket = await dial(broker.url);
    const from = broker.logged().length;
    socket.write(bytesOf({ method: 'GET', headers: { ...upgrade, 'content-length': null }, body: '' }));
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 405 /);
    socket.destroy();
    expect(requests(from)).toHaveLength(1);
  });

  it('cut off within its header is no request; within its body it runs nothing and is one line', async () => {
    const bytes = bytesOf({ body: body(17) });
    const [before, from] = [await dispatched(), broker.logged().length];
    for (const cut of [bytes.indexOf('\r\n\r\n') + 5, bytes.length - 1]) {
      const socket = await dial(broker.url);
      socket.write(bytes.subarray(0, cut), () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    await vi.waitUntil(() => requests(from).length >= 2, { timeout: 5_000, interval: 5 });
    expect(requests(from).map(({ gone, level }) => ({ gone, level }))).toEqual([
      { gone: true, level: 30 },
      { gone: true, level: 30 },
    ]);
    expect(await dispatched()).toBe(before);
  });
});

it('after all of it, an unmodified client works, and the log holds neither tokens nor bodies', async () => {
  const client = await modernClient(task);
  expect((await client.callTool(payment(18))).isError).toBeFalsy();
  await client.close();
  for (const secret of [task.accessToken, other.accessToken, 'DE02120300000000202051']) expect(broker.logged()).not.toContain(secret);
});
