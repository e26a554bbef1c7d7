import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { refuse } from '../../server/call/index.ts';
import {
  askedFor,
  legacyClient,
  messagesOf,
  modernClient,
  post,
  postModern,
  refusal,
  type Served,
  serveDoor,
  session,
  sessionOf,
  textResult,
  token,
  tools,
} from './fixture.ts';

let door: Served;
afterEach(async () => {
  vi.useRealTimers();
  await door.close();
});

const list = JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: {} });
const initialize = (version = '2025-11-25'): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  });
const idOf = (response: Response): string => response.headers.get('mcp-session-id') ?? '';
const open = async (): Promise<string> => idOf(await post(door.mcp, initialize()));
const named = (id: string) => ({ 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' });
const send = (method: 'GET' | 'DELETE', headers: Record<string, string>, signal?: AbortSignal): Promise<Response> =>
  fetch(door.mcp, { method, headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers }, ...(signal ? { signal } : {}) });

describe('an unmodified 2025-era client', () => {
  it('is told on its stream that its list has changed', async () => {
    let listed = tools;
    door = await serveDoor({ parts: { listTools: () => listed } });
    const client = await legacyClient(door.mcp);
    expect(client.getServerCapabilities()?.tools).toEqual({ listChanged: true });
    const told = vi.fn();
    client.setNotificationHandler(ToolListChangedNotificationSchema, told);
    await client.listTools();
    // Its stream opens by itself, and nothing says when: until it is heard, the list goes on changing.
    await vi.waitFor(
      () => {
        listed = listed === tools ? tools.slice(1) : tools;
        door.signals.emit([{ kind: 'session', tenant: 'acme', id: session }]);
        expect(told).toHaveBeenCalled();
      },
      { timeout: 15_000, interval: 700 },
    );
    await client.close();
  });

  it('is told by GET of each list that has changed, and of no other', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let prompts = [{ name: 'docs__ask' }];
    let resources = [{ uri: 'docs://a', name: 'docs__a', title: 'a' }];
    door = await serveDoor({ parts: { kindsOf: () => ({ resources: true, prompts: true }), listPrompts: () => prompts, listResources: () => resources } });
    const opened = await post(door.mcp, initialize('2025-11-25'));
    const next = messagesOf(await send('GET', { 'mcp-session-id': idOf(opened) }));
    prompts = [];
    vi.advanceTimersByTime(5_000);
    expect(await next()).toEqual({ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' });
    resources = [];
    vi.advanceTimersByTime(5_000);
    expect(await next()).toEqual({ jsonrpc: '2.0', method: 'notifications/resources/list_changed' });
  });

  it('says that it is done, and what it named is there no more', async () => {
    door = await serveDoor();
    const client = await legacyClient(door.mcp);
    const transport = client.transport as unknown as StreamableHTTPClientTransport;
    const id = transport.sessionId ?? '';
    await transport.terminateSession();
    const after = await post(door.mcp, list, named(id));
    expect(after.status).toBe(404);
    expect(await after.json()).toMatchObject({ id: 3, error: { code: -32001 } });
    await client.close();
  });
});

it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('speaks %s with whoever asks for it', async (version) => {
  door = await serveDoor();
  const opened = await post(door.mcp, initialize(version));
  expect(await opened.json()).toMatchObject({ result: { protocolVersion: version } });
  for (const headers of [{ 'mcp-session-id': idOf(opened) }, { 'mcp-session-id': idOf(opened), 'mcp-protocol-version': version }]) {
    expect((await post(door.mcp, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }), headers)).status).toBe(202);
    expect(await (await post(door.mcp, list, headers)).json()).toMatchObject({ result: { tools: expect.any(Array) } });
  }
});

it('offers its newest to whoever asks for a revision nobody knows, and takes none but known ones afterwards', async () => {
  door = await serveDoor();
  const opened = await post(door.mcp, initialize('1999-01-01'));
  expect(await opened.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  for (const version of ['1999-01-01', 'x']) {
    const headers = { 'mcp-session-id': idOf(opened), 'mcp-protocol-version': version };
    expect((await post(door.mcp, list, headers)).status, version).toBe(400);
    expect((await send('GET', headers)).status, version).toBe(400);
  }
});

it('gives nothing to an initialize that fails', async () => {
  door = await serveDoor();
  const bad = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
  expect((await post(door.mcp, bad)).headers.get('mcp-session-id')).toBeNull();
});

it('is not for modern clients: one that names it is served as if it had not', async () => {
  door = await serveDoor();
  const answer = await postModern(door.mcp, 'tools/list', {}, { 'mcp-session-id': 'A'.repeat(43) });
  expect([answer.status, answer.headers.get('mcp-session-id')]).toEqual([200, null]);
  const client = await modernClient(door.mcp);
  await client.close();
});

describe('the stream of a protocol session', () => {
  it('ends when the client says that it is done, and when its authority ends', async () => {
    let over = false;
    door = await serveDoor({
      parts: { enterSession: async (_ports, who) => (over ? refuse('session.ended', 'This task has ended.') : sessionOf(who)) },
    });
    const [one, two] = [await open(), await open()];
    const [first, second] = [messagesOf(await send('GET', named(one))), messagesOf(await send('GET', named(two)))];
    expect((await send('DELETE', named(one))).status).toBe(204);
    expect(await first()).toBeNull();
    over = true;
    door.signals.emit([{ kind: 'session', tenant: 'acme', id: session }]);
    expect(await second()).toBeNull();
  });

  it('is one: another takes its place', async () => {
    door = await serveDoor();
    const id = await open();
    const first = messagesOf(await send('GET', named(id)));
    const second = await send('GET', named(id));
    expect(await first()).toBeNull();
    await send('DELETE', named(id));
    expect(await messagesOf(second)()).toBeNull();
  });

  it('is one of four of a task, and one that its client left counts no more', async () => {
    door = await serveDoor();
    const leave = new AbortController();
    for (let n = 0; n < 4; n++) expect((await send('GET', named(await open()), n === 0 ? leave.signal : undefined)).status).toBe(200);
    const fifth = await open();
    expect((await send('GET', named(fifth))).status).toBe(429);
    leave.abort();
    await vi.waitFor(async () => expect((await send('GET', named(fifth))).status).toBe(200), 5_000);
  });
});

it('tells apart what two clients in one task cancel, though both count alike', async () => {
  const aborted: string[] = [];
  door = await serveDoor({
    answer: async (request, io) => {
      if (askedFor(request) === 'a__quick') return textResult('done');
      await new Promise<void>((resolve) => io.signal.addEventListener('abort', resolve));
      aborted.push(String(askedFor(request)));
      return refusal(refuse('call.cancelled', 'cancelled'));
    },
  });
  const [one, two] = [await open(), await open()];
  const call = (id: string, name: string) => post(door.mcp, JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name } }), named(id));
  const calls = [call(one, 'a__one'), call(two, 'a__two')];
  await vi.waitFor(() => expect(door.calls).toHaveLength(2));
  const cancel = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
  expect((await post(door.mcp, cancel, named(two))).status).toBe(202);
  await calls[1];
  expect(aborted).toEqual(['a__two']);
  await post(door.mcp, cancel, named(one));
  await calls[0];
});
