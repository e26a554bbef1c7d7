import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, modernClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { withLibrary } from '../support/library.ts';

/** Resources and prompts of an upstream, read by real clients of both generations through everything there is. */

let broker: TestBroker;
let library: ReturnType<typeof withLibrary>;
beforeAll(async () => {
  const dir = await newFolder();
  library = withLibrary(dir);
  broker = await startTestBroker({ dir, holdMs: 10_000, ...library });
});
afterAll(() => broker.end());

const connect = { modern: modernClient, legacy: legacyClient };
const notFound = { modern: -32602, legacy: -32002 };
const uris = (list: { resources: readonly { uri: string }[] }): string[] => list.resources.map(({ uri }) => uri);
const failure = (asked: Promise<unknown>): Promise<{ code: number; message: string; data: Record<string, unknown> }> =>
  asked.then(
    () => expect.unreachable('it was answered'),
    (error: unknown) => error as never,
  );

describe.each(['modern', 'legacy'] as const)('a %s client', (era) => {
  const inside = async () => {
    const task = await broker.open({});
    return { task, client: await connect[era](task) };
  };

  it('is told of what its task may read, at the addresses it has, and of nothing else', async () => {
    const { client } = await inside();
    expect(client.getServerCapabilities()).toMatchObject({ resources: { listChanged: true }, prompts: { listChanged: true } });
    const resources = await client.listResources();
    expect(uris(resources)).toEqual(expect.arrayContaining(['library://handbook', 'library://contract', 'library://minutes']));
    expect(uris(resources)).not.toContain('library://book/hidden');
    expect(resources.resources.find(({ uri }) => uri === 'library://handbook')).toEqual({
      uri: 'library://handbook',
      name: 'library__handbook',
      title: 'The handbook',
      mimeType: 'text/plain',
    });
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['library://book/{id}', 'library://shelf/{room}/{+place}']);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['library__audit', 'library__settle', 'library__summarise']);
    expect(prompts[2]?.arguments).toEqual([
      { name: 'topic', description: 'What to summarise', required: true },
      { name: 'tone', description: 'How' },
    ]);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).filter((name) => name.startsWith('library__'))).toEqual(['library__search']);
    await client.close();
  });

  it('reads a resource, text or bytes, with where it stands on the record and nothing that the upstream says for Taskgate', async () => {
    const { client } = await inside();
    const read = await client.readResource({ uri: 'library://handbook' });
    expect(read.contents).toEqual([{ uri: 'library://handbook', mimeType: 'text/plain', text: 'Invoices are paid within thirty days.' }]);
    expect(read._meta).toMatchObject({ 'taskgate/decision': { id: expect.stringMatching(/^dec_/), record: expect.any(Number) } });
    expect(JSON.stringify(read)).not.toContain('forged');
    const picture = await client.readResource({ uri: 'library://book/picture' });
    expect(picture.contents).toEqual([{ uri: 'library://book/picture', mimeType: 'image/png', blob: 'AAEC' }]);
    await client.close();
  });

  it('reads by a template what its variables make, and no more than its grant and policy allow of them', async () => {
    const { client } = await inside();
    expect(await client.readResource({ uri: 'library://book/a%20b' })).toMatchObject({ contents: [{ text: 'You read library://book/a%20b' }] });
    expect(await client.readResource({ uri: 'library://shelf/cellar/left/3' })).toMatchObject({
      contents: [{ text: 'You read library://shelf/cellar/left/3' }],
    });
    const before = library.asked().length;
    expect(await failure(client.readResource({ uri: 'library://book/9' }))).toMatchObject({
      code: 403,
      message: expect.stringContaining('Book nine is lent'),
      data: { 'taskgate/refusal': { code: 'policy.forbidden' }, 'taskgate/decision': { record: expect.any(Number) } },
    });
    expect(await failure(client.readResource({ uri: 'library://shelf/attic/1' }))).toMatchObject({
      code: -32602,
      data: { 'taskgate/refusal': { code: 'arguments.not_granted' } },
    });
    expect(library.asked()).toHaveLength(before);
    await client.close();
  });

  it('is told the same of what is not there, what is not its own, and what two upstreams have', async () => {
    const { client } = await inside();
    for (const uri of [
      'library://nothing',
      'library://book/hidden',
      'library://twice',
      'library__handbook',
      'library://book/',
      'library://book/a/../9',
      'x:',
    ]) {
      const { code, message, data } = await failure(client.readResource({ uri }));
      expect({ code, data }, uri).toEqual({ code: notFound[era], data: { uri } });
      expect(message, uri).toMatch(/Resource not found$/);
    }
    expect(library.asked()).not.toContain('read library://twice');
    expect(library.asked()).not.toContain('read library://book/hidden');
    await client.close();
  });

  it('reaches nothing of one kind by the method of another', async () => {
    const { client } = await inside();
    const before = library.asked().length;
    for (const name of ['library__handbook', 'library__book', 'library__summarise']) {
      expect(await failure(client.callTool({ name, arguments: { topic: 'x', id: '1' } })), name).toMatchObject({
        code: -32602,
        message: expect.stringMatching(`Unknown tool: ${name}$`),
      });
    }
    for (const name of ['library__handbook', 'library__search', 'await_approval', 'summarise', 'library__nothing']) {
      expect(await failure(client.getPrompt({ name })), name).toMatchObject({ code: -32602, message: expect.stringMatching(`Unknown prompt: ${name}$`) });
    }
    expect(library.asked()).toHaveLength(before);
    await client.close();
  });

  it('is prompted with what it is granted, with the arguments it declares', async () => {
    const { client } = await inside();
    const prompt = await client.getPrompt({ name: 'library__summarise', arguments: { topic: 'books' } });
    expect(prompt).toMatchObject({
      description: 'About books',
      messages: [
        { role: 'user', content: { type: 'text', text: 'Summarise books' } },
        { role: 'assistant', content: { type: 'resource', resource: { uri: 'library://handbook', text: 'within' } } },
      ],
      _meta: { 'taskgate/decision': { id: expect.stringMatching(/^dec_/) } },
    });
    expect(JSON.stringify(prompt)).not.toContain('forged');
    expect(library.asked().at(-1)).toBe('prompt summarise {"topic":"books"}');
    for (const args of [{}, { topic: 'books', length: 'short' }] as Record<string, string>[]) {
      expect(await failure(client.getPrompt({ name: 'library__summarise', arguments: args }))).toMatchObject({
        code: -32602,
        data: { 'taskgate/refusal': { code: 'arguments.invalid' } },
      });
    }
    await client.close();
  });

  it('is completed with what its own grant lets an argument be, and its upstream is not asked', async () => {
    const { client } = await inside();
    const before = library.asked().length;
    const complete = async (ref: Parameters<typeof client.complete>[0]['ref'], name: string, value: string) =>
      (await client.complete({ ref, argument: { name, value } })).completion;
    const shelf = { type: 'ref/resource' as const, uri: 'library://shelf/{room}/{+place}' };
    expect(await complete(shelf, 'room', '')).toEqual({ values: ['reading', 'cellar'], total: 2, hasMore: false });
    expect((await complete(shelf, 'room', 're')).values).toEqual(['reading']);
    for (const [name, value] of [
      ['room', 'x'],
      ['place', ''],
      ['constructor', ''],
    ] as const)
      expect((await complete(shelf, name, value)).values, name).toEqual([]);
    expect((await complete({ type: 'ref/prompt', name: 'library__settle' }, 'invoice', 'INV')).values).toEqual(['INV-7']);
    for (const name of ['library__search', 'library__handbook', 'settle', 'library__nothing'])
      expect(await failure(complete({ type: 'ref/prompt', name }, 'invoice', '')), name).toMatchObject({ code: -32602 });
    expect(await failure(complete({ type: 'ref/resource', uri: 'library://{x}' }, 'x', ''))).toMatchObject({ code: -32602 });
    expect(library.asked()).toHaveLength(before);
    await client.close();
  });

  it('carries the label of what it read from then on, and before it has it', async () => {
    const { client, task } = await inside();
    await client.readResource({ uri: 'library://contract' });
    expect((await broker.ports.store.readSession('acme', task.session))?.label.sensitivity).toBe('confidential');
    expect(await client.callTool(payment(10))).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('more sensitive') }] });
    await client.close();
  });

  it('may not read what is above its ceiling, and is not told of it', async () => {
    const { client } = await inside();
    expect(await failure(client.readResource({ uri: 'library://sealed' }))).toMatchObject({
      code: 403,
      data: { 'taskgate/refusal': { code: 'policy.forbidden' } },
    });
    expect(library.asked()).not.toContain('read library://sealed');
    expect(uris(await client.listResources())).not.toContain('library://sealed');
    await client.close();
  });

  it('is told why an upstream gave nothing', async () => {
    const { client } = await inside();
    for (const [uri, code] of [
      ['library://huge', 'upstream.too_large'],
      ['library://book/broken', 'upstream.failed'],
      ['library://book/odd', 'upstream.failed'],
    ] as const) {
      const refused = await failure(client.readResource({ uri }));
      expect(refused, uri).toMatchObject({ code: -32603, data: { 'taskgate/refusal': { code } } });
      expect(JSON.stringify(refused)).not.toContain('fell over');
    }
    await client.close();
  });

  it('cannot page through lists that have one page', async () => {
    const { client } = await inside();
    const cursor = 'x';
    for (const list of [() => client.listResources({ cursor }), () => client.listResourceTemplates({ cursor }), () => client.listPrompts({ cursor })])
      expect(await failure(list())).toMatchObject({ code: -32602 });
    await client.close();
  });

  it('writes down which operation was read, and its arguments by their HMAC alone', async () => {
    const { client, task } = await inside();
    const from = (await broker.ports.store.readRecords('acme', 0, 10_000)).length;
    await client.readResource({ uri: 'library://book/verysecret' });
    await client.getPrompt({ name: 'library__summarise', arguments: { topic: 'verysecret' } });
    await failure(client.readResource({ uri: 'library://box/verysecret' }));
    await failure(client.readResource({ uri: 'library://shelf/verysecret/1' }));
    const records = (await broker.ports.store.readRecords('acme', 0, 10_000)).slice(from).map(({ body }) => body);
    const own = records.filter(({ session }) => session === task.session);
    expect(own.filter(({ type }) => type === 'call.dispatched')).toMatchObject([
      { tool: 'library__book', effect: 'read', arguments_hmac: expect.any(String) },
      { tool: 'library__summarise', effect: 'read', arguments_hmac: expect.any(String) },
    ]);
    expect(own.filter(({ type }) => type === 'call.refused')).toMatchObject([
      { tool: 'resources/read', code: 'tool.not_granted' },
      { tool: 'library__shelf', code: 'arguments.not_granted' },
    ]);
    expect(JSON.stringify(records)).not.toContain('verysecret');
    await client.close();
  });
});

describe('what waits for a human', () => {
  const decide = async (how: 'approve' | 'deny') => vote(broker, 'bob', await nextPending(broker), how);

  it('is read by an unmodified modern client through the rounds it follows', async () => {
    const client = await modernClient(await broker.open({}));
    const read = client.readResource({ uri: 'library://minutes' });
    await decide('approve');
    expect(await read).toMatchObject({ contents: [{ text: 'The board has met.' }] });
    const prompt = client.getPrompt({ name: 'library__audit', arguments: { invoice: 'INV-7' } });
    await decide('approve');
    expect(await prompt).toMatchObject({ description: 'About INV-7' });
    const again = await client.getPrompt({ name: 'library__audit', arguments: { invoice: 'INV-7' } });
    expect(again.messages).toHaveLength(2);
    await client.close();
  });

  it('is an error with a handle for a 2025-era client, which waits with await_approval and asks again', async () => {
    const client = await legacyClient(await broker.open({}));
    for (const ask of [
      () => client.readResource({ uri: 'library://minutes' }),
      () => client.getPrompt({ name: 'library__audit', arguments: { invoice: 'INV-8' } }),
    ]) {
      const { code, message, data } = await failure(ask());
      expect(code).toBe(403);
      expect(message).toMatch(/Not executed.*await_approval/);
      const handle = data['taskgate/approval'] as { id: string };
      expect(handle).toMatchObject({ status: 'pending', retry_after: 5, expires_at: expect.any(Number) });
      await decide('approve');
      const waited = await client.callTool({ name: 'await_approval', arguments: { approval: handle.id } });
      expect(waited._meta).toMatchObject({ 'taskgate/approval': { id: handle.id, status: 'approved' } });
      expect(await ask()).toHaveProperty('_meta');
    }
    await client.close();
  });

  it('is held for a 2025-era client that asked for progress', async () => {
    const client = await legacyClient(await broker.open({}));
    const read = client.readResource({ uri: 'library://minutes' }, { onprogress: () => undefined });
    await decide('approve');
    expect(await read).toMatchObject({ contents: [{ text: 'The board has met.' }] });
    await client.close();
  });

  it('says so when it was denied', async () => {
    const client = await modernClient(await broker.open({}));
    const read = failure(client.readResource({ uri: 'library://minutes' }));
    await decide('deny');
    expect(await read).toMatchObject({ code: 403, data: { 'taskgate/refusal': { code: 'approval.denied' } } });
    await client.close();
  });

  it('is no task, whatever a client declares', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const { data } = await failure(client.readResource({ uri: 'library://minutes' }));
    expect(data).toHaveProperty('taskgate/approval');
    expect((await client.experimental.tasks.listTasks()).tasks).toEqual([]);
    await client.close();
  });
});
