import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modernMeta, post, postModern, type Served, serveDoor, textResult } from './fixture.ts';

/** What 2026-07-28 asks of a server over HTTP, beside the calls themselves. */

let door: Served;
beforeAll(async () => {
  door = await serveDoor({ answer: () => textResult('done') });
});
afterAll(() => door.close());

interface Answer {
  readonly id: unknown;
  readonly error?: { readonly code: number; readonly data?: Record<string, unknown> };
  readonly result?: Record<string, unknown>;
}
const answerOf = async (response: Response): Promise<[number, number | null]> => [response.status, ((await response.json()) as Answer).error?.code ?? null];
const call = (headers: Record<string, string>, name = 'ledger__get_invoice', meta: object = modernMeta): Promise<Response> =>
  post(door.mcp, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta: meta } }), headers);
const right = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'ledger__get_invoice' };
const without = (header: keyof typeof right): Record<string, string> => Object.fromEntries(Object.entries(right).filter(([name]) => name !== header));
const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('headers that say what the body says', () => {
  it.each([
    ['another method', { ...right, 'mcp-method': 'tools/list' }],
    ['a method in other case', { ...right, 'mcp-method': 'Tools/Call' }],
    ['no method', without('mcp-method')],
    ['another tool', { ...right, 'mcp-name': 'ledger__post_payment' }],
    ['a tool in other case', { ...right, 'mcp-name': 'LEDGER__get_invoice' }],
    ['another tool, encoded', { ...right, 'mcp-name': encoded('ledger__post_payment') }],
    ['no tool', without('mcp-name')],
    ['an empty tool', { ...right, 'mcp-name': '' }],
    ['two tools', { ...right, 'mcp-name': 'ledger__get_invoice, ledger__get_invoice' }],
    ['an older revision', { ...right, 'mcp-protocol-version': '2025-11-25' }],
  ])('are refused as -32020 where they name %s, and nothing is called', async (_what, headers) => {
    const before = door.calls.length;
    expect(await answerOf(await call(headers))).toEqual([400, -32020]);
    expect(door.calls).toHaveLength(before);
  });

  it.each([
    ['as they stand', right],
    ['encoded', { ...right, 'mcp-name': encoded('ledger__get_invoice') }],
    ['with space around', { ...right, 'mcp-name': '  ledger__get_invoice ' }],
  ])('are taken %s', async (_what, headers) => {
    expect(await answerOf(await call(headers))).toEqual([200, null]);
  });
});

describe('every request introduces itself', () => {
  const { 'io.modelcontextprotocol/clientInfo': _, ...nameless } = modernMeta;
  const { 'io.modelcontextprotocol/clientCapabilities': __, ...incapable } = modernMeta;
  const { 'io.modelcontextprotocol/protocolVersion': ___, ...unversioned } = modernMeta;

  it('and is served without a name', async () => {
    expect(await answerOf(await call(right, undefined, nameless))).toEqual([200, null]);
  });

  it.each([
    ['capabilities', incapable],
    ['revision', unversioned],
    ['anything', {}],
  ])('and is -32602 without %s', async (_what, meta) => {
    expect(await answerOf(await call(right, undefined, meta))).toEqual([400, -32602]);
  });

  it('and is told the revisions there are when it asks for another', async () => {
    const version = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const response = await postModern(door.mcp, 'server/discover', { _meta: version }, { 'mcp-protocol-version': '2099-01-01' });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as Answer;
    expect(error).toMatchObject({ code: -32022, data: { requested: '2099-01-01', supported: expect.arrayContaining(['2026-07-28']) } });
  });
});

it('server/discover says what there is, and is nobody else’s to keep', async () => {
  const { result } = (await (await postModern(door.mcp, 'server/discover', {})).json()) as Answer;
  expect(result).toMatchObject({
    resultType: 'complete',
    supportedVersions: expect.arrayContaining(['2026-07-28']),
    capabilities: { tools: { listChanged: true } },
    instructions: expect.stringContaining('await_approval'),
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'taskgate' } },
  });
  expect(Object.keys(result?.['capabilities'] as object).filter((name) => !['tools', 'extensions'].includes(name))).toEqual([]);
});

it.each([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'roots/list',
  'x/y',
])('does not have %s: 404, -32601', async (method) => {
  const named = { 'resources/read': { uri: 'a:b' }, 'prompts/get': { name: 'a' } }[method] ?? {};
  const header = { 'resources/read': { 'mcp-name': 'a:b' } }[method] ?? {};
  expect(await answerOf(await postModern(door.mcp, method, named, header as Record<string, string>))).toEqual([404, -32601]);
});
