import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CallAnswer, type RefusalCode, refuse } from '../../server/call/index.ts';
import { refusalCodes } from '../../server/call/refusals.ts';
import * as modern from '../../server/mcp/modern.ts';
import { routeOf } from '../../server/mcp/plain-call.ts';
import { modernMeta, postCall, refusal, type Served, serveDoor, textResult } from './fixture.ts';

let door: Served;
let answer: CallAnswer;
const bySdk = vi.spyOn(modern, 'serveModern');
beforeAll(async () => {
  door = await serveDoor({ answer: () => answer });
});
afterAll(() => door.close());

const wire = async (response: Response) => {
  const { date: _, 'keep-alive': __, connection: ___, 'transfer-encoding': ____, ...headers } = Object.fromEntries(response.headers);
  return { status: response.status, headers, body: await response.text() };
};
/** The same call as it stands, and in a form that is left to the SDK: whoever names a progress token wants more than a result. */
async function bothWays(params: Record<string, unknown> = { name: 'a__b' }) {
  const short = await wire(await postCall(door.mcp, params));
  const long = await wire(await postCall(door.mcp, { ...params, _meta: { ...(params['_meta'] as object), progressToken: 1 } }));
  return { short, long };
}

const blocks = fc.oneof(
  fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'binary' }) }),
  fc.record({
    type: fc.constant('text'),
    text: fc.string(),
    annotations: fc.record({ audience: fc.constant(['user']), priority: fc.constant(0.5), other: fc.string() }),
  }),
  fc.record({ type: fc.constant('image'), data: fc.constant('AA=='), mimeType: fc.string() }),
  fc.record({ type: fc.constant('resource'), resource: fc.record({ uri: fc.constant('file:///a'), text: fc.string() }), more: fc.jsonValue() }),
  fc.record({ type: fc.constant('resource_link'), uri: fc.constant('file:///a'), name: fc.string() }),
  // Not MCP: nobody may see it, whichever way.
  fc.record({ type: fc.string(), other: fc.jsonValue() }),
  fc.record({ type: fc.constant('text'), text: fc.jsonValue() }),
);
const results = fc
  .record(
    { content: fc.array(blocks, { maxLength: 3 }), structuredContent: fc.jsonValue(), isError: fc.boolean(), replayed: fc.boolean() },
    { requiredKeys: ['content', 'isError', 'replayed'] },
  )
  .map(({ replayed, ...result }): CallAnswer => ({ result: result as never, decision: 'dec_1', record: 7, replayed }));

describe('a plain call is answered byte for byte as the SDK does', () => {
  it('whatever came back', async () => {
    await fc.assert(
      fc.asyncProperty(results, async (one) => {
        answer = one;
        const { short, long } = await bothWays();
        expect(short).toEqual(long);
      }),
      { numRuns: 150 },
    );
  });

  it.each(refusalCodes)('when it is refused with %s', async (code: RefusalCode) => {
    const about = { approval: { id: 'apr_1', status: 'pending', expiresAt: 1_900_000_000_000 }, dispatch: 'dsp_1' };
    answer = refusal(refuse(code, 'The reason, "in words".', about));
    const { short, long } = await bothWays();
    // A sealed state is another each time.
    const unsealed = ({ body, ...rest }: typeof short) => ({ ...rest, body: body.replace(/"requestState":"[^"]*"/, '"requestState":"…"') });
    expect(unsealed(short)).toEqual(unsealed(long));
  });

  it.each([['a__b'], ['await_approval'], ['unknown tool'], ['naïve'], [''], ['x'.repeat(200)]])('for the name %j', async (name) => {
    answer = textResult('done');
    const { short, long } = await bothWays({ name });
    expect(short).toEqual(long);
  });
});

it('the SDK is spared a plain call, and asked only to word what is more than a result', async () => {
  bySdk.mockClear();
  answer = textResult('done');
  await postCall(door.mcp, { name: 'a__b' });
  expect(bySdk).not.toHaveBeenCalled();
  answer = refusal(refuse('tool.not_granted', 'Unknown tool: a__b'));
  const before = door.calls.length;
  await postCall(door.mcp, { name: 'a__b' });
  expect(bySdk).toHaveBeenCalledOnce();
  expect(door.calls.length - before).toBe(1);
});

describe('only what the SDK would take is plain', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'a__b' };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a__b', arguments: {}, _meta: modernMeta } };
  const { params } = message;

  it('a whole one is', () => expect(routeOf(new Headers(headers), message)).toMatchObject({ id: 1, name: 'a__b' }));

  it.each<[string, Record<string, string>, object]>([
    ['another name in the header', { ...headers, 'mcp-name': 'a__c' }, message],
    ['no name in the header', { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' }, message],
    ['no method in the header', { 'mcp-protocol-version': '2026-07-28', 'mcp-name': 'a__b' }, message],
    ['another method in the header', { ...headers, 'mcp-method': 'tools/list' }, message],
    ['another version in the header', { ...headers, 'mcp-protocol-version': '2099-01-01' }, message],
    [
      'another version in the envelope',
      headers,
      { ...message, params: { ...params, _meta: { ...modernMeta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } } },
    ],
    ['an envelope without capabilities', headers, { ...message, params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } }],
    ['a progress token', headers, { ...message, params: { ...params, _meta: { ...modernMeta, progressToken: 'p' } } }],
    ['a state to resume', headers, { ...message, params: { ...params, requestState: 'x' } }],
    ['answers to input requests', headers, { ...message, params: { ...params, inputResponses: {} } }],
    ['a wish for a task', headers, { ...message, params: { ...params, task: {} } }],
    ['arguments that are no object', headers, { ...message, params: { ...params, arguments: [] } }],
    ['no id', headers, { jsonrpc: '2.0', method: 'tools/call', params }],
    ['an id that JSON-RPC has not', headers, { ...message, id: {} }],
    ['another method', headers, { ...message, method: 'tools/list' }],
    ['no JSON-RPC', headers, { ...message, jsonrpc: '1.0' }],
  ])('one with %s is not', (_what, given, body) => {
    expect(routeOf(new Headers(given), body as Record<string, unknown>)).toBeTypeOf('string');
  });
});
