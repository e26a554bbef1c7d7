import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { shout } from '../support/wire.ts';
import { modernMeta, type Served, serveDoor, session, textResult, token } from './fixture.ts';

/** Most requests are taken as Node has them; any other way to write the same address leads past the other doors first. Nobody can tell which it was. */

let door: Served;
const take = vi.fn();
beforeAll(async () => {
  door = await serveDoor({ answer: (request) => textResult(request.kind === 'resource' ? '' : JSON.stringify(request.arguments)), onTake: take });
});
afterAll(() => door.close());

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a__b', arguments: { é: '✓' }, _meta: modernMeta } };
const list = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
const plain = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'a__b' };

const bodies = fc.constantFrom(
  ...[call, list, { ...list, params: { _meta: modernMeta } }, { ...call, params: { ...call.params, _meta: {} } }, [list], 7].map((one) => JSON.stringify(one)),
  ...['', '{', '{"a":1,"a":2}', '\ufeff{}'],
);
const name = fc.constantFrom(
  ...[
    'authorization',
    'host',
    'origin',
    'content-type',
    'content-encoding',
    'mcp-method',
    'mcp-name',
    'mcp-protocol-version',
    'mcp-session-id',
    '__proto__',
    'x',
  ],
);
const value = fc.constantFrom(
  '',
  'a',
  `Bearer ${token}`,
  'Bearer stolen',
  'application/json; charset=utf-8',
  'text/plain',
  'gzip',
  'tools/call',
  'a__c',
  '2025-11-25',
  'é',
);

function bytesOf(path: string, body: string, chunked: boolean, more: readonly (readonly [string, string])[]): Buffer {
  const { host } = new URL(door.url);
  const length = Buffer.byteLength(body);
  const framed = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) };
  const good = {
    host,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...plain,
    ...framed,
  };
  const lines = [...Object.entries(good), ['connection', 'close'], ...more].map(([key, said]) => `${key}: ${said}`);
  const sent = chunked && length > 0 ? `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : chunked ? '0\r\n\r\n' : body;
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(sent)]);
}

const answerTo = async (...asked: Parameters<typeof bytesOf>): Promise<string> => (await shout(door.url, bytesOf(...asked))).replace(/\r\nDate: [^\r]*/, '');

it('whatever is sent, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/mcp', '/t/acme/mcp', `/sessions/${session}/mcp`, '/sessions/ses_other/mcp'),
      bodies,
      fc.boolean(),
      fc.array(fc.tuple(name, value), { maxLength: 2 }),
      async (path, body, chunked, more) => {
        take.mockClear();
        const straight = await answerTo(path, body, chunked, more);
        const around = await answerTo(`${path}?`, body, chunked, more);
        expect(straight).toEqual(around);
        expect(take.mock.calls.map(([taken]) => taken)).toEqual([expect.any(Boolean), false]);
      },
    ),
    { numRuns: 300, examples: [[`/sessions/${session}/mcp`, JSON.stringify(call), false, []]] },
  );
});

it('and a plain call is taken straight', async () => {
  take.mockClear();
  expect(await answerTo(`/sessions/${session}/mcp`, JSON.stringify(call), false, [])).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(take.mock.calls).toEqual([[true]]);
});
