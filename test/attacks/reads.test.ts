import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import type { SettlementAnswer } from '../../server/store/store.ts';
import { post, postModern } from '../mcp/fixture.ts';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, modernClient, newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import { withLibrary } from '../support/library.ts';
import { askNarrowed } from '../support/narrowed.ts';
import { lookAlikes, someNaughty } from '../support/naughty.ts';

/** What somebody may try by way of what is read and what is prompted with. */

let broker: TestBroker;
let library: ReturnType<typeof withLibrary>;
let task: Task;
beforeAll(async () => {
  const dir = await newFolder();
  library = withLibrary(dir);
  const plenty = { per_second: 1_000_000, burst: 1_000_000 };
  broker = await startTestBroker({
    dir,
    holdMs: 0,
    ...library,
    limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty } },
  });
  task = await broker.open({});
});
afterAll(() => broker.end());
afterEach(() => vi.restoreAllMocks());

interface Answer {
  readonly result?: { readonly resultType?: string; readonly requestState?: string; readonly contents?: readonly object[] };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}
const authorization = (of: Task): { authorization: string } => ({ authorization: `Bearer ${of.accessToken}` });
const ask = async (method: string, params: Record<string, unknown>, of = task, headers: Record<string, string> = {}): Promise<Answer> => {
  const about = typeof params['uri'] === 'string' ? { 'mcp-name': encoded(params['uri']) } : {};
  return (await (await postModern(of.mcpUrl, method, params, { ...authorization(of), ...about, ...headers })).json()) as Answer;
};
/** As a header carries what is more than plain ASCII (SEP-2243). */
const encoded = (text: string): string => (/^[!-~]([ -~]*[!-~])?$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`);
const read = (uri: string, of = task) => ask('resources/read', { uri }, of);
const sentSince = (from: number): readonly string[] => library.asked().slice(from);

describe('an address', () => {
  it.each([
    'library://book/%68idden',
    'library://book/hidden/',
    'library://book//hidden',
    'library://book/./hidden',
    'library://book/x/../hidden',
    'library://book/%2e%2e/hidden',
    'library://shelf/reading/../../book/hidden',
    'library://shelf/reading/..%2F..%2Fbook%2Fhidden',
    'library://shelf/reading/%2E%2E/book/hidden',
    'LIBRARY://book/hidden',
    'library:book/hidden',
    'library://book/hidden?x=1',
    'library://book/hidden#x',
    'library://book/hidden\0',
    ' library://book/hidden',
    `library://book/${'a'.repeat(2_000)}`,
    'library://book/{id}',
    'library__book_hidden',
    'file:///etc/passwd',
  ])('that only looks like one granted reaches nobody: %j', async (uri) => {
    const from = library.asked().length;
    expect(await read(uri)).toMatchObject({ error: { code: -32602, message: 'Resource not found', data: { uri } } });
    expect(sentSince(from)).toEqual([]);
  });

  it('is held to the grant by what its variables are, however they are written', async () => {
    const from = library.asked().length;
    for (const uri of ['library://shelf/attic/1', 'library://shelf/Reading/1', 'library://shelf/reading%20/1']) {
      expect((await read(uri)).error, uri).toMatchObject({ code: -32602, data: { 'taskgate/refusal': { code: 'arguments.not_granted' } } });
    }
    // What would divide the path of an upstream that unescapes it is the address of nothing.
    for (const uri of ['library://shelf/attic%2F..%2Freading/1', 'library://shelf/reading%00/1', 'library://shelf/reading%5C..%5Cattic/1'])
      expect((await read(uri)).error, uri).toMatchObject({ code: -32602, message: 'Resource not found' });
    expect(sentSince(from)).toEqual([]);
  });

  it('of what is registered and not granted, or of two upstreams, is answered like one of nothing', async () => {
    const uris = ['library://book/hidden', 'library://twice', 'library://nothing'];
    const [hidden, twice, nothing] = await Promise.all(uris.map((uri) => read(uri)));
    const without = (answer: Answer | undefined, uri: string | undefined) => JSON.stringify(answer).replaceAll(String(uri), '');
    expect(without(hidden, uris[0])).toBe(without(nothing, uris[2]));
    expect(without(twice, uris[1])).toBe(without(nothing, uris[2]));
  });

  it('is sent as it was judged, or not at all, whatever it is', async () => {
    const piece = fc.oneof(fc.constantFrom(...someNaughty, 'hidden', '9', '..', '%2F', '/', '?'), fc.string({ maxLength: 12 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('library://book/', 'library://shelf/reading/', 'library://', ''),
        fc.array(piece, { maxLength: 3 }),
        async (head, tail) => {
          const uri = (head + tail.join('')).toWellFormed();
          const from = library.asked().length;
          const { result, error } = await read(uri);
          const sent = sentSince(from);
          expect(sent).not.toContain('read library://book/hidden');
          expect(sent).not.toContain('read library://book/9');
          if (result) expect(sent).toEqual([`read ${uri}`]);
          // An upstream that was asked may have failed; whatever was not there was not asked for.
          else if (error?.message === 'Resource not found') expect(sent).toEqual([]);
          else expect(sent.filter((line) => line !== `read ${uri}`)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('in the header is not another than in the body', async () => {
    const from = library.asked().length;
    const answer = await ask('resources/read', { uri: 'library://book/hidden' }, task, { 'mcp-name': 'library://handbook' });
    expect(answer).toMatchObject({ error: { code: -32020 } });
    expect(sentSince(from)).toEqual([]);
  });
});

describe('a name', () => {
  it.each(lookAlikes('library__summarise').filter((name) => /^[ -~]+$/.test(name)))(
    'that only looks like one granted is that of no prompt: %j',
    async (name) => {
      const from = library.asked().length;
      const answer = await ask('prompts/get', { name, arguments: { topic: 'x' } }, task, { 'mcp-name': encoded(name) });
      expect(answer.error?.code).toBe(-32602);
      expect(sentSince(from)).toEqual([]);
    },
  );
});

describe('a state of one paused call', () => {
  it('resumes nothing else: neither another address, nor a tool or a prompt, nor the same in another task', async () => {
    const paused = await read('library://minutes');
    const { requestState } = paused.result ?? {};
    expect(paused.result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    expect(Object.keys(paused.result ?? {})).not.toContain('inputRequests');
    const other = await broker.open({});
    const from = library.asked().length;
    const tries = [
      ask('resources/read', { uri: 'library://handbook', requestState }),
      ask('resources/read', { uri: 'library://minutes', requestState, _meta: { 'taskgate/call': 'again' } }),
      ask('tools/call', { name: 'library__search', arguments: {}, requestState }),
      ask('tools/call', { name: 'library://minutes', arguments: {}, requestState }, task, { 'mcp-name': 'library://minutes' }),
      ask('prompts/get', { name: 'library__audit', arguments: { invoice: 'INV-7' }, requestState }),
      ask('prompts/get', { name: 'library://minutes', arguments: {}, requestState }, task, { 'mcp-name': 'library://minutes' }),
      ask('resources/read', { uri: 'library://minutes', requestState }, other),
    ];
    for (const answer of await Promise.all(tries)) expect(answer).toMatchObject({ error: { code: -32602, message: 'Invalid or expired requestState' } });
    expect(sentSince(from)).toEqual([]);
    await vote(broker, 'bob', await nextPending(broker), 'deny', 'enough');
  });

  it('is not answered by its client: what it sends along decides nothing', async () => {
    const waiting = { name: 'library__audit', arguments: { invoice: 'INV-9' } };
    const { requestState } = (await ask('prompts/get', waiting)).result ?? {};
    const inputResponses = { approval: { action: 'accept', content: { approve: true } } };
    expect((await ask('prompts/get', { ...waiting, requestState, inputResponses })).result).toMatchObject({ resultType: 'input_required' });
    expect(library.asked()).not.toContain('prompt audit {"invoice":"INV-9"}');
    await vote(broker, 'bob', await nextPending(broker), 'deny', 'enough');
  });
});

describe('a token that does not read', () => {
  it('is told to ask for one that does by what is granted, and of nothing else; its lists are empty', async () => {
    const { task: writing } = await askNarrowed(broker, task, 'tools:write');
    const status = async (method: string, params: Record<string, unknown>) => {
      const about = { 'mcp-name': String(params['uri'] ?? params['name']) };
      const response = await postModern(writing.mcpUrl, method, params, { ...authorization(writing), ...about });
      return [response.status, ((await response.json()) as Answer).error?.code];
    };
    const from = library.asked().length;
    expect(await status('resources/read', { uri: 'library://handbook' })).toEqual([403, 403]);
    expect(await status('resources/read', { uri: 'library://book/7' })).toEqual([403, 403]);
    expect(await status('prompts/get', { name: 'library__summarise', arguments: { topic: 'x' } })).toEqual([403, 403]);
    for (const uri of ['library://book/hidden', 'library://nothing']) expect(await status('resources/read', { uri }), uri).toEqual([200, -32602]);
    expect(await status('prompts/get', { name: 'library__search' })).toEqual([200, -32602]);
    expect(sentSince(from)).toEqual([]);
    const client = await modernClient(writing);
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    expect((await client.listPrompts()).prompts).toEqual([]);
    const settle = { ref: { type: 'ref/prompt' as const, name: 'library__settle' }, argument: { name: 'invoice', value: '' } };
    await expect(client.complete(settle)).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
});

describe('what came back', () => {
  it.each([
    ['over_ceiling', 'result.withheld'],
    ['session_ended', 'session.ended'],
  ] as const)('is in no error when it may not be released: %s', async (release, code) => {
    const settle = broker.ports.store.settle.bind(broker.ports.store);
    vi.spyOn(broker.ports.store, 'settle').mockImplementation(async (settlement): Promise<SettlementAnswer> => ({ ...(await settle(settlement)), release }));
    const own = await broker.open({});
    for (const [method, params, words] of [
      ['resources/read', { uri: 'library://handbook' }, 'thirty days'],
      ['prompts/get', { name: 'library__summarise', arguments: { topic: 'zebras' } }, 'zebras'],
    ] as const) {
      const answer = JSON.stringify(await ask(method, params, own));
      expect(answer).toContain(code);
      expect(answer).not.toContain(words);
    }
  });
});

it('asks for a task in vain where MCP has none', async () => {
  const own = await broker.open({});
  const headers = { ...authorization(own), 'mcp-protocol-version': '2025-11-25' };
  const message = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'library://minutes', task: { ttl: 60_000 } } };
  const answer = (await (await post(own.mcpUrl, JSON.stringify(message), headers)).json()) as Answer;
  expect(answer.error).toMatchObject({ code: 403, data: { 'taskgate/refusal': { code: 'approval.required' } } });
  const client = await legacyClient(own);
  expect((await client.experimental.tasks.listTasks()).tasks).toEqual([]);
  await client.close();
  await vote(broker, 'bob', await nextPending(broker), 'deny', 'enough');
});

it('who asks again and again for what is refused is turned away, whichever method it asks by', async () => {
  const dir = await newFolder();
  const few = { per_second: 0.001, burst: 5 };
  const strict = await startTestBroker({ dir, holdMs: 0, ...withLibrary(dir), limits: { refusals: { session: few, agent: few } } });
  try {
    const own = await strict.open({});
    const answers: Answer[] = [];
    for (let n = 0; n < 8; n++) answers.push(await read(`library://no/${n}`, own));
    expect(answers[0]?.error?.message).toBe('Resource not found');
    expect(answers.at(-1)?.error).toMatchObject({ code: 429 });
  } finally {
    await strict.end();
  }
});
