import { createMCPClient } from '@ai-sdk/mcp';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { MCPServerStreamableHttp } from '@openai/agents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { nextPending, vote } from '../support/approvals.ts';
import { newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import { withLibrary } from '../support/library.ts';

/** Hosts as they come from npm, that show resources and prompts: what they read of a task's, and how they wait for it. */

let broker: TestBroker;
let task: Task;
beforeAll(async () => {
  const dir = await newFolder();
  broker = await startTestBroker({ dir, holdMs: 1_000, ...withLibrary(dir) });
  task = await broker.open({});
});
afterAll(() => broker.end());

const headers = () => ({ authorization: `Bearer ${task.accessToken}` });
const handbook = [{ uri: 'library://handbook', text: 'Invoices are paid within thirty days.' }];
const approve = async () => vote(broker, 'bob', await nextPending(broker), 'approve');

it.each(['2026-07-28', '2025-11-25'])('AI SDK, speaking %s', async (generation) => {
  const client = await createMCPClient({
    transport: { type: 'http', url: task.mcpUrl, headers: headers() },
    protocolVersionDiscovery: generation === '2026-07-28',
  });
  expect((await client.listResources()).resources.map(({ uri }) => uri)).toContain('library://handbook');
  expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(2);
  expect(await client.readResource({ uri: 'library://handbook' })).toMatchObject({ contents: handbook });
  expect((await client.experimental_listPrompts()).prompts.map(({ name }) => name)).toContain('library__summarise');
  const prompt = await client.experimental_getPrompt({ name: 'library__summarise', arguments: { topic: 'books' } });
  expect(prompt.messages[0]?.content).toMatchObject({ text: 'Summarise books' });
  await expect(client.readResource({ uri: 'library://book/9' })).rejects.toThrow('Book nine is lent');
  await client.close();
});

it('OpenAI Agents SDK, held in rounds while somebody decides', async () => {
  const server = new MCPServerStreamableHttp({ url: task.mcpUrl, requestInit: { headers: headers() } });
  await server.connect();
  expect((await server.listResources()).resources.map(({ uri }) => uri)).toContain('library://handbook');
  expect(await server.readResource('library://handbook')).toMatchObject({ contents: handbook });
  const waiting = server.readResource('library://minutes');
  await approve();
  expect(await waiting).toMatchObject({ contents: [{ text: 'The board has met.' }] });
  await server.close();
});

it('LangChain.js', async () => {
  const client = new MultiServerMCPClient({ taskgate: { transport: 'http', url: task.mcpUrl, headers: headers() } });
  expect((await client.listResources())['taskgate']?.map(({ uri }) => uri)).toContain('library://handbook');
  expect(await client.readResource('taskgate', 'library://handbook')).toMatchObject(handbook);
  await client.close();
});
