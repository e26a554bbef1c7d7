import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { egress } from '../../tools/upstream/egress.ts';
import { connectHttp } from '../../tools/upstream/mcp-http.ts';
import { hostileHttp, plainTool } from '../support/hostile-http.ts';
import { call, textOf } from '../tools/upstreams.ts';

/** A hostile upstream over Streamable HTTP: MCP 2025-11-25 by hand, each tool a misdeed. */
let server: Server;
let host: string;
let reached: IncomingMessage[];
let revoked = false;

const names = ['headers', 'redirect', 'flood', 'drip', 'stop', 'hang', 'drop', 'forbidden', 'error'];

function* endless(text: string): Generator<string> {
  for (;;) yield text;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  reached.push(request);
  if (request.method !== 'POST') return void response.writeHead(405).end();
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { id, method, params } = JSON.parse(body) as { id?: number; method: string; params?: { name?: string } };
  const reply = (result: object): void => {
    response.writeHead(200, { 'content-type': 'application/json', ...(method === 'initialize' ? { 'mcp-session-id': 's1' } : {}) });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  if (id === undefined) return void response.writeHead(202).end();
  if (method === 'server/discover') return void response.writeHead(400).end();
  if (method === 'initialize') return reply({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'hostile', version: '1' } });
  if (revoked) return void response.writeHead(404).end();
  if (method === 'tools/list') return reply({ tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) });
  switch (params?.name) {
    case 'headers':
      return reply({ content: [{ type: 'text', text: JSON.stringify(request.headers) }] });
    case 'redirect':
      return void response.writeHead(307, { location: `http://${host}/internal` }).end();
    case 'flood': {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void Readable.from(endless('x'.repeat(65_536))).pipe(response);
    }
    case 'drip': {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void Readable.from(endless(`data: ${'x'.repeat(65_536)}\n`)).pipe(response);
    }
    case 'stop':
      return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('event: ping\n\n');
    case 'drop':
      return void response.destroy();
    case 'forbidden':
      return void response.writeHead(403).end('no, Bearer s3cret-token');
    default:
      return;
  }
}

beforeAll(async () => {
  server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  reached = [];
  revoked = false;
});

const target = (more: object = {}) => ({
  type: 'http' as const,
  url: `http://${host}/mcp`,
  headers: { Authorization: 'Bearer s3cret-token' },
  egress: [host],
  ...more,
});
const answers = (...addresses: string[]): LookupFunction => {
  return (_, __, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
};

describe('an upstream over HTTP', () => {
  it('gets the injected credential and no header that was not asked for', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    const seen = JSON.parse(textOf(await call(connection, 'headers', {}, { idempotencyHeader: 'Idempotency-Key', dispatch: 'dsp_http' }))) as Record<
      string,
      string
    >;
    expect(seen['authorization']).toBe('Bearer s3cret-token');
    expect(seen['idempotency-key']).toBe('dsp_http');
    const expected = [
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'idempotency-key',
    ];
    const also = ['mcp-protocol-version', 'mcp-session-id', 'sec-fetch-mode', 'user-agent'];
    expect(Object.keys(seen).filter((name) => !expected.includes(name) && !also.includes(name))).toEqual([]);
    await connection.close();
  });

  it('lists no tool whose name nobody could register, so that names cannot fill the store', async () => {
    const listing = await hostileHttp([plainTool('fine'), plainTool('x'.repeat(129)), plainTool('y'.repeat(500_000))]);
    const connection = await connectHttp({ type: 'http', url: `http://${listing.host}/mcp`, headers: {}, egress: [listing.host] }, { connectMs: 5_000 });
    expect((await connection.definitions()).map(({ name }) => name)).toEqual(['fine']);
    await connection.close();
    await listing.close();
  });

  it('cannot send the broker elsewhere: a redirect is refused and not followed', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    expect(await call(connection, 'redirect')).toMatchObject({ kind: 'failed', why: 'refused', sent: true });
    expect(reached.filter(({ url }) => url !== '/mcp')).toEqual([]);
    await connection.close();
  });

  it.each(['flood', 'drip'])('is cut off when its answer outgrows the cap: %s', async (tool) => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    expect(await call(connection, tool)).toMatchObject({ kind: 'failed', why: 'too_large', sent: true });
    expect(await call(connection, 'headers')).toMatchObject({ kind: 'result' });
    await connection.close();
  });

  it('is cut off at the deadline', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    expect(await call(connection, 'hang', {}, { deadlineMs: 50 })).toMatchObject({ kind: 'failed', why: 'timeout', sent: true });
    await connection.close();
  });

  it('fails a call whose connection it drops as died and sent, and takes no other down', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    const other = call(connection, 'hang', {}, { deadlineMs: 300 });
    expect(await call(connection, 'drop')).toMatchObject({ kind: 'failed', why: 'died', sent: true });
    expect(connection.isClosed()).toBe(true);
    expect(await other).toMatchObject({ why: 'timeout' });
  });

  it('fails a call whose stream ends without an answer at once, as died and sent', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    expect(await call(connection, 'stop')).toEqual({ kind: 'failed', why: 'died', sent: true, detail: 'its answer was cut short' });
    await connection.close();
  });

  it('has a status it answers passed on as a refusal without its secrets', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    const outcome = await call(connection, 'forbidden');
    expect(outcome).toMatchObject({ kind: 'failed', why: 'refused', sent: true });
    expect(JSON.stringify(outcome)).not.toContain('s3cret');
    await connection.close();
  });

  it('that forgot its session is not used again', async () => {
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    revoked = true;
    await call(connection, 'headers');
    expect(connection.isClosed()).toBe(true);
  });

  it('that is not there fails the call unsent', async () => {
    const gone = createServer((request, response) => void serve(request, response.setHeader('connection', 'close'))).listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const place = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
    const connection = await connectHttp(target({ url: `http://${place}/mcp`, egress: [place] }), { connectMs: 5_000 });
    gone.closeAllConnections();
    await new Promise((resolve) => void gone.close(resolve));
    expect(await call(connection, 'headers')).toMatchObject({ kind: 'failed', why: 'died', sent: false });
  });

  it.each([
    ['an address nobody named', { egress: [] }],
    ['another port than the one named', { egress: ['127.0.0.1:1'] }],
    ['another host than the one named', { egress: ['localhost'] }],
  ])('is not dialled at %s', async (_, more) => {
    await expect(connectHttp(target(more), { connectMs: 5_000 })).rejects.toThrow(/egress/);
    expect(reached).toEqual([]);
  });

  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['10.0.0.8'],
    ['192.168.1.1'],
    ['172.16.0.1'],
    ['100.64.0.1'],
    ['169.254.169.254'],
    ['fe80::1'],
    ['fd00::1'],
    ['0.0.0.0'],
    ['64:ff9b::7f00:1'],
    ['2002:7f00:1::'],
    ['::7f00:1'],
    ['::ffff:0:7f00:1'],
    ['64:ff9b:1::7f00:1'],
    ['64:ff9b::a9fe:a9fe'],
    ['fec0::1'],
    ['2001:0:1::1'],
    ['192.0.0.192'],
    ['198.18.0.1'],
    ['168.63.129.16'],
    ['224.0.0.1'],
    ['255.255.255.255'],
    ['::'],
  ])('is not dialled when its public name answers %s at the moment of dialling', async (address) => {
    const resolve = answers(address);
    await expect(connectHttp(target({ url: 'https://upstream.example/mcp', egress: [] }), { connectMs: 5_000, resolve })).rejects.toThrow(
      /address that `egress` does not name/,
    );
  });

  it('is not dialled when one of several answers is private', async () => {
    const resolve = answers('93.184.216.34', '127.0.0.1');
    await expect(connectHttp(target({ url: 'https://upstream.example/mcp', egress: [] }), { connectMs: 5_000, resolve })).rejects.toThrow(/loopback/);
  });

  it('is dialled at a private address when its name stands in egress', async () => {
    const url = new URL(`http://${host}/mcp`);
    url.hostname = 'upstream.internal';
    const connection = await connectHttp(target({ url: url.href, egress: [url.host] }), { connectMs: 5_000, resolve: answers('127.0.0.1') });
    expect(await call(connection, 'headers')).toMatchObject({ kind: 'result' });
    await connection.close();
  });

  it.each(['169.254.169.254', '100.100.100.200', 'fd00:ec2::254', '168.63.129.16', '::7f00:1'])(
    'is never dialled at %s, where a cloud keeps its keys or worse, for the sake of its name',
    async (address) => {
      const more = { url: 'http://upstream.internal/mcp', egress: ['upstream.internal'] };
      await expect(connectHttp(target(more), { connectMs: 5_000, resolve: answers(address) })).rejects.toThrow(/linkLocal|metadata|reserved/);
    },
  );

  it('is judged at every dial by the very answer that is dialled: a name that changes its mind is refused when it does', async () => {
    const url = new URL(`http://${host}/mcp`);
    url.hostname = 'rebound.internal';
    let asked = 0;
    const resolve: LookupFunction = (name, options, callback) => answers(asked++ === 0 ? '127.0.0.1' : '169.254.169.254')(name, options, callback);
    await expect(connectHttp(target({ url: url.href, egress: [url.host] }), { connectMs: 5_000, resolve })).rejects.toThrow(/linkLocal/);
    expect(asked).toBeGreaterThan(1);
  });

  it('is dialled directly, whatever the environment says of proxies', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const connection = await connectHttp(target(), { connectMs: 5_000 });
    expect(await call(connection, 'headers')).toMatchObject({ kind: 'result' });
    await connection.close();
    vi.unstubAllEnvs();
  });
});

describe('egress', () => {
  it.each([
    ['http://2130706433/', []],
    ['http://0x7f.1/', []],
    ['http://[::1]/', []],
    ['http://[::ffff:7f00:1]/', []],
    ['https://127.0.0.1/', []],
    ['https://169.254.169.254/', ['169.254.169.25']],
    ['https://user:pass@a.example/', []],
    ['http://a.example/', []],
    ['https://a.example/', ['b.example']],
    ['https://a.example/', ['a.example:8443']],
  ])('refuses %s when it names %j', (url, allowed) => {
    expect(() => egress(new URL(url), allowed).check(new URL(url))).toThrow();
  });

  it.each([
    ['https://a.example/', []],
    ['https://a.example/', ['A.example']],
    ['https://a.example:8443/', ['a.example:8443']],
    ['http://a.example/', ['a.example:80']],
    ['http://[::1]:81/', ['[::1]:81']],
    ['http://169.254.169.254/', ['169.254.169.254']],
  ])('permits %s when it names %j', (url, allowed) => {
    expect(() => egress(new URL(url), allowed).check(new URL(url))).not.toThrow();
  });

  it("refuses any host but the upstream's own", () => {
    expect(() => egress(new URL('https://a.example/'), []).check(new URL('https://b.example/'))).toThrow(/not the host of this upstream/);
  });
});
