import { afterEach, describe, expect, it } from 'vitest';
import { type CallAnswer, type RefusalCode, refuse } from '../../server/call/index.ts';
import { askedFor, legacyClient, modernClient, post, postModern, refusal, type Served, serveDoor } from './fixture.ts';

/** How what is read and prompted with goes over the wire; only the call path behind the door is stood in for. */

let door: Served;
afterEach(() => door.close());

const connect = { modern: modernClient, legacy: legacyClient };
const both = { kindsOf: () => ({ resources: true, prompts: true }) };
const uri = 'docs://handbook';
const edited = { approval: 'apr_2', arguments: { topic: 'less' } };
const answers: Record<'resource' | 'prompt', CallAnswer> = {
  resource: { result: { contents: [{ uri, text: 'a' }] }, decision: 'dec_1', record: 7, replayed: true, edited },
  prompt: {
    result: { description: 'b', messages: [{ role: 'user', content: { type: 'text', text: 'c' } }] },
    decision: 'dec_2',
    record: 8,
    replayed: true,
    edited,
  },
};
const rpc = async (method: string, params: Record<string, unknown>) => {
  const response = await postModern(door.mcp, method, params, { 'mcp-name': String(params['uri'] ?? params['name']) });
  return { status: response.status, body: (await response.json()) as { result?: Record<string, unknown>; error?: Record<string, unknown> } };
};

describe.each(['modern', 'legacy'] as const)('a %s client', (era) => {
  it('is told of neither where its task can have neither, and their methods are not there', async () => {
    door = await serveDoor();
    const client = await connect[era](door.mcp);
    expect(client.getServerCapabilities()).not.toHaveProperty('resources');
    expect(client.getServerCapabilities()).not.toHaveProperty('prompts');
    const headers = era === 'modern' ? undefined : { 'mcp-protocol-version': '2025-11-25' };
    for (const method of [
      'resources/list',
      'resources/templates/list',
      'resources/read',
      'prompts/list',
      'prompts/get',
      'resources/subscribe',
      'completion/complete',
    ]) {
      const params = { uri, name: 'docs__ask' };
      const raw = headers
        ? post(door.mcp, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), headers)
        : postModern(door.mcp, method, params, { 'mcp-name': uri });
      expect(((await (await raw).json()) as { error: { code: number } }).error.code, method).toBe(method === 'prompts/get' && !headers ? -32020 : -32601);
    }
    expect(door.calls).toEqual([]);
    await client.close();
  });

  it('is told beside what came back that a reviewer narrowed the call, and not in the words of its user', async () => {
    door = await serveDoor({ parts: both, answer: ({ kind }) => (kind === 'resource' ? answers.resource : answers.prompt) });
    const client = await connect[era](door.mcp);
    const read = await client.readResource({ uri });
    expect(read.contents[0]).toEqual({ uri, text: 'a' });
    expect(read.contents[1]).toMatchObject({ uri: 'taskgate:edited', text: expect.stringContaining('{"topic":"less"}') });
    expect(read._meta).toMatchObject({ 'taskgate/replayed': true, 'taskgate/edited': edited, 'taskgate/decision': { id: 'dec_1', record: 7 } });
    const prompt = await client.getPrompt({ name: 'docs__ask', arguments: { topic: 'more' } });
    expect(prompt.messages).toEqual([{ role: 'user', content: { type: 'text', text: 'c' } }]);
    expect(prompt.description).toMatch(/^Taskgate: a reviewer narrowed this call.*\nb$/);
    expect(door.calls.map(({ request }) => [request.kind, askedFor(request)])).toEqual([
      ['resource', uri],
      ['prompt', 'docs__ask'],
    ]);
    await client.close();
  });

  it.each<[RefusalCode, number]>([
    ['policy.forbidden', 403],
    ['arguments.invalid', -32602],
    ['approval.denied', 403],
    ['budget.exhausted', 403],
    ['upstream.timeout', -32603],
    ['stale', -32603],
    ['limit.exceeded', 429],
  ])('is told of %s by error %i, with the reason as its text and the code in its data', async (code, number) => {
    door = await serveDoor({ parts: both, answer: () => refusal(refuse(code, 'The reason.', { detail: 'secret detail' })) });
    const client = await connect[era](door.mcp);
    for (const ask of [() => client.readResource({ uri }), () => client.getPrompt({ name: 'docs__ask' })]) {
      const error = (await ask().catch((thrown: unknown) => thrown)) as Error & { code: number; data: unknown };
      expect(error).toMatchObject({ code: number, data: { 'taskgate/refusal': { code }, 'taskgate/decision': { id: 'dec_2', record: 8 } } });
      expect(error.message).toMatch(/The reason\.$/);
      expect(JSON.stringify(error)).not.toContain('secret detail');
    }
    await client.close();
  });
});

it('nothing read may be kept; lists may, for a while, by this token’s holder alone', async () => {
  door = await serveDoor({ parts: both, answer: ({ kind }) => (kind === 'resource' ? answers.resource : answers.prompt) });
  expect((await rpc('resources/read', { uri })).body.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
  for (const [method, key] of [
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
    ['prompts/list', 'prompts'],
  ] as const) {
    expect((await rpc(method, {})).body.result, method).toMatchObject({ [key]: [], ttlMs: expect.any(Number), cacheScope: 'private' });
  }
});

it('a session that is over is 401, whichever method asks', async () => {
  door = await serveDoor({ parts: both, answer: () => refusal(refuse('session.ended', 'This task has ended.')) });
  for (const [method, params] of [
    ['resources/read', { uri }],
    ['prompts/get', { name: 'docs__ask' }],
  ] as const) {
    expect(await rpc(method, params)).toMatchObject({ status: 401, body: { error: { data: { code: 'session.ended' } } } });
  }
});

it('what an upstream sends beside the words and pictures of a prompt or content stays behind', async () => {
  const forged = { 'taskgate/decision': { id: 'forged' } };
  const embedded = { type: 'resource', resource: { uri, text: 'in it', _meta: forged }, _meta: forged };
  door = await serveDoor({
    parts: both,
    answer: ({ kind }) => ({
      result:
        kind === 'resource' ? { contents: [{ uri, blob: 'AAEC', _meta: forged }] } : { messages: [{ role: 'assistant', content: embedded, _meta: forged }] },
      ...{ decision: 'dec_1', record: 1, replayed: false },
    }),
  });
  for (const client of [await modernClient(door.mcp), await legacyClient(door.mcp)]) {
    expect((await client.readResource({ uri })).contents).toEqual([{ uri, blob: 'AAEC' }]);
    expect((await client.getPrompt({ name: 'docs__ask' })).messages).toEqual([
      { role: 'assistant', content: { type: 'resource', resource: { uri, text: 'in it' } } },
    ]);
    await client.close();
  }
});
