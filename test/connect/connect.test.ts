import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBridge } from '../../server/connect/connect.ts';
import { athOf } from '../support/proofs.ts';
import { type StandIn, session, standIn } from './stand-in.ts';

const launcher = join(import.meta.dirname, '../../server/cli/taskgate.mjs');
const words = ['connect', '--tenant', 'acme', '--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7'];

let broker: StandIn;
let said: string[];
const open: { close(): Promise<void> }[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  broker = await standIn();
  said = [];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await broker.close();
});

const env = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', TASKGATE_URL: broker.url, TASKGATE_DATA: broker.data });
const start = () => ({ command: process.execPath, args: [launcher, ...words], env: env(), stderr: 'ignore' as const });
const info = { name: 'test', version: '1' };

/** The bridge in this process, its host at the other end of what stands for stdio. */
async function bridged(): Promise<InMemoryTransport> {
  const options = { url: broker.url, tenant: 'acme', data: broker.data, agent: 'invoice-matcher', key: null, svidFile: null, sponsorToken: null };
  const bridge = await openBridge({ ...options, task: { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } } }, '1', (line) => said.push(line));
  const [host, transport] = InMemoryTransport.createLinkedPair();
  serveStdio(bridge.factory, { transport });
  open.push({ close: () => bridge.leave() });
  return host;
}
async function olderHost(): Promise<Client> {
  const client = new Client(info);
  await client.connect((await bridged()) as Parameters<Client['connect']>[0]);
  return client;
}
async function modernHost(): Promise<ModernClient> {
  const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' } });
  await client.connect(await bridged());
  return client;
}
function bare(): ChildProcess {
  const child = spawn(process.execPath, [launcher, ...words], { env: env(), stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}
const firstOf = (answer: object): unknown => ('content' in answer && Array.isArray(answer.content) ? answer.content[0]?.text : undefined);

describe.each([
  ['a 2025-era host', olderHost],
  ['a 2026-07-28 host', modernHost],
] as const)('%s', (_era, connect) => {
  it('sees the session’s tools and gets results, errors and decisions as the broker gave them', async () => {
    const host = await connect();
    const { tools } = await host.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(['mail__echo', 'mail__fails', 'mail__waits']);
    const echoed = await host.callTool({ name: 'mail__echo', arguments: { a: [1, 'ü'] }, _meta: { 'taskgate/call': 'n1', other: 'x' } });
    expect(echoed).toMatchObject({
      content: [{ type: 'text', text: 'as sent' }],
      structuredContent: { got: { a: [1, 'ü'] } },
      _meta: { 'taskgate/decision': { id: 'dec_1', record: 7 } },
    });
    expect(await host.callTool({ name: 'mail__fails', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'no' }],
      _meta: { 'taskgate/decision': { id: 'dec_2', record: 8 } },
    });
    expect(broker.calls[0]?.meta).toMatchObject({ 'taskgate/call': 'n1' });
    expect(broker.calls[0]?.meta).not.toHaveProperty('other');
  });

  it('is told of an unknown tool by the protocol’s own error', async () => {
    const host = await connect();
    await expect(host.callTool({ name: 'mail__nope', arguments: {} })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown tool: mail__nope'),
    });
  });

  it('sees, reads and is prompted with what the session has, as the broker gave it', async () => {
    const host = await connect();
    expect((await host.listResources()).resources.map(({ uri }) => uri)).toEqual(['docs://handbook']);
    expect((await host.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['docs://page/{n}']);
    expect((await host.listPrompts()).prompts).toEqual([{ name: 'docs__ask', arguments: [{ name: 'what', required: true }] }]);
    expect(await host.readResource({ uri: 'docs://handbook', _meta: { 'taskgate/call': 'n2', other: 'x' } })).toMatchObject({
      contents: [{ uri: 'docs://handbook', text: 'as it stands' }],
      _meta: { 'taskgate/decision': { id: 'dec_3', record: 9 } },
    });
    expect(broker.calls[0]?.meta).toMatchObject({ 'taskgate/call': 'n2' });
    expect(broker.calls[0]?.meta).not.toHaveProperty('other');
    expect(await host.getPrompt({ name: 'docs__ask', arguments: { what: 'this' } })).toMatchObject({
      messages: [{ role: 'user', content: { text: 'this after 0 rounds' } }],
      _meta: { 'taskgate/decision': { id: 'dec_3', record: 9 } },
    });
    await expect(host.readResource({ uri: 'docs://nothing' })).rejects.toMatchObject({ code: -32602, data: { uri: 'docs://nothing' } });
  });

  it('has empty lists of what a session with tools alone has not', async () => {
    broker.toolsOnly = true;
    const host = await connect();
    expect((await host.listResources()).resources).toEqual([]);
    expect((await host.listResourceTemplates()).resourceTemplates).toEqual([]);
    expect((await host.listPrompts()).prompts).toEqual([]);
    expect((await host.listTools()).tools).toHaveLength(3);
    const asked = { ref: { type: 'ref/prompt' as const, name: 'docs__ask' }, argument: { name: 'what', value: '' } };
    expect((await host.complete(asked)).completion.values).toEqual([]);
    expect(said).toEqual([]);
  });

  it('has one session, opened with its workload’s proof, however it probes', async () => {
    const host = await connect();
    await host.listTools();
    await host.callTool({ name: 'mail__echo', arguments: {} });
    expect(broker.asked).toHaveLength(1);
    expect(broker.asked[0]).toMatchObject({ grant_type: 'client_credentials', client_assertion: 'svid.of.agent' });
    expect(JSON.parse(broker.asked[0]?.['authorization_details'] ?? '')).toEqual([
      { type: 'taskgate-task', use_case: 'match-invoices', inputs: { invoice: 'INV-7' } },
    ]);
    expect(broker.assertions[0]).toMatchObject({ sub: 'invoice-matcher', aud: `${broker.url}/t/acme/local`, jti: expect.any(String) });
  });

  it('is told in words why the task ended, and then has no tools', async () => {
    const host = await connect();
    await host.callTool({ name: 'mail__echo', arguments: {} });
    broker.forgetTokens();
    broker.refuseRenewal = 'the session is over';
    const answer = await host.callTool({ name: 'mail__echo', arguments: {} });
    expect(answer.isError).toBe(true);
    expect(firstOf(answer)).toContain('This task has ended: its sponsor ended it');
    expect((await host.listTools()).tools).toEqual([]);
    expect(firstOf(await host.callTool({ name: 'mail__echo', arguments: {} }))).toContain('This task has ended');
    await expect(host.readResource({ uri: 'docs://handbook' })).rejects.toThrow('This task has ended: its sponsor ended it');
    await expect(host.getPrompt({ name: 'docs__ask', arguments: { what: 'this' } })).rejects.toThrow('This task has ended');
    expect((await host.listPrompts()).prompts).toEqual([]);
  });

  it('goes on with a fresh token when only the token is refused', async () => {
    const host = await connect();
    await host.callTool({ name: 'mail__echo', arguments: {} });
    broker.forgetTokens();
    expect(await host.callTool({ name: 'mail__echo', arguments: {} })).toMatchObject({ structuredContent: { got: {} } });
    expect(JSON.parse(broker.asked.at(-1)?.['authorization_details'] ?? '')).toEqual([{ type: 'taskgate-task', session_id: session }]);
  });

  it('gets the words of the refusal when the session cannot be opened, and is served once it can', async () => {
    broker.refuseOpening = 'the use case has expired';
    const host = await connect();
    expect(firstOf(await host.callTool({ name: 'mail__echo', arguments: {} }))).toContain('the use case has expired');
    broker.refuseOpening = null;
    expect(await host.callTool({ name: 'mail__echo', arguments: {} })).toMatchObject({ structuredContent: { got: {} } });
  });
});

describe('a call that waits for a human', () => {
  it('is handed to a 2025-era host without progress as the handle, before its patience ends', async () => {
    broker.rounds = 5;
    const host = await olderHost();
    const answer = await host.callTool({ name: 'mail__waits', arguments: {} });
    expect(answer).toMatchObject({ isError: true, _meta: { 'taskgate/approval': { id: 'apr_1', status: 'pending' } } });
    expect(broker.calls.map((call) => call.era)).toEqual(['modern', 'legacy']);
  });

  it('is followed to its end for a 2025-era host that asked for progress', async () => {
    broker.rounds = 5;
    const host = await olderHost();
    const answer = await host.callTool({ name: 'mail__waits', arguments: {} }, undefined, { onprogress: () => undefined });
    expect(firstOf(answer)).toBe('after 5 rounds');
  });

  it('reaches a 2026-07-28 host as the rounds it follows itself', async () => {
    broker.rounds = 3;
    const host = await modernHost();
    expect(firstOf(await host.callTool({ name: 'mail__waits', arguments: {} }))).toBe('after 3 rounds');
    expect(broker.calls.map((call) => call.state)).toEqual([undefined, '1', '2', '3']);
  });
});

describe('a prompt that waits for a human', () => {
  const ask = { name: 'docs__ask', arguments: { what: 'this' } };
  const words = (prompt: { messages: readonly { content: unknown }[] }): unknown => prompt.messages[0]?.content;

  it('is an error with the handle for a 2025-era host without progress, and followed to its end for one with it', async () => {
    broker.rounds = 5;
    const host = await olderHost();
    await expect(host.getPrompt(ask)).rejects.toMatchObject({ code: 403, data: { 'taskgate/approval': { id: 'apr_1', status: 'pending' } } });
    expect(broker.calls.map((call) => call.era)).toEqual(['modern', 'legacy']);
    expect(words(await host.getPrompt(ask, { onprogress: () => undefined }))).toMatchObject({ text: 'this after 5 rounds' });
  });

  it('reaches a 2026-07-28 host as the rounds it follows itself', async () => {
    broker.rounds = 3;
    const host = await modernHost();
    expect(words(await host.getPrompt(ask))).toMatchObject({ text: 'this after 3 rounds' });
    expect(broker.calls.map((call) => call.state)).toEqual([undefined, '1', '2', '3']);
  });
});

it('every request to the broker proves one key of this process, each with a proof and a token of its own, also after a renewal', async () => {
  const host = await modernHost();
  await host.callTool({ name: 'mail__echo', arguments: {} });
  broker.forgetTokens();
  await host.callTool({ name: 'mail__echo', arguments: {} });
  const { proofs, asked } = broker;
  expect(asked).toHaveLength(2);
  expect(proofs.length).toBeGreaterThan(4);
  expect(new Set(proofs.map(({ jkt }) => jkt)).size).toBe(1);
  expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length);
  const [atToken, atSession] = [
    proofs.filter(({ htu }) => htu === `${broker.url}/t/acme/oauth/token`),
    proofs.filter(({ htu }) => htu !== `${broker.url}/t/acme/oauth/token`),
  ];
  expect(atToken.map(({ ath }) => ath)).toEqual([undefined, undefined]);
  expect(new Set(atSession.map(({ htu }) => htu))).toEqual(new Set([`${broker.url}/sessions/${session}/mcp`]));
  expect(new Set(atSession.map(({ ath }) => ath))).toEqual(new Set([athOf('token-1'), athOf('token-2')]));
  // Another process has another key.
  await (await modernHost()).listTools();
  expect(new Set(proofs.map(({ jkt }) => jkt)).size).toBe(2);
});

describe('the process', () => {
  it('serves a 2025-era host and ends the session when it leaves', async () => {
    const host = new Client(info);
    await host.connect(new StdioClientTransport(start()));
    expect(await host.callTool({ name: 'mail__echo', arguments: {} })).toMatchObject({ structuredContent: { got: {} } });
    await host.close();
    await expect.poll(() => broker.revoked).toEqual(['token-1']);
  });

  it('serves a 2026-07-28 host, whose probe by a process of its own opens no session', async () => {
    const host = new ModernClient(info, { versionNegotiation: { mode: 'auto' } });
    open.push(host);
    await host.connect(new ModernStdio(start()));
    expect(await host.callTool({ name: 'mail__echo', arguments: {} })).toMatchObject({ structuredContent: { got: {} } });
    expect(broker.asked).toHaveLength(1);
  });

  it('writes nothing but MCP to stdout, also when the broker is gone', async () => {
    await broker.close();
    const child = bare();
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stdin?.end(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } } })}\n`,
    );
    await once(child, 'exit');
    for (const line of stdout.split('\n').filter((one) => one !== '')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  });

  it('ends its session on SIGTERM and exits with 0', async () => {
    const child = bare();
    const line = (id: number, method: string, params: unknown): string => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
    child.stdin?.write(line(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } }));
    if (child.stdout) await once(child.stdout, 'data');
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n${line(2, 'tools/list', {})}`);
    if (child.stdout) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(broker.revoked).toEqual(['token-1']);
  });
});
