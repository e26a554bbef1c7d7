import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { z } from 'zod';
import type { Task } from '../../connect/index.ts';
import { packageFolder } from '../package-file.ts';

/** A real MCP client with its session, whatever SDK it is made of. */
export interface Host {
  readonly name: string;
  listTools(): Promise<string[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<ToolAnswer>;
  close(): Promise<void>;
}

const toolAnswer = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
  _meta: z.record(z.string(), z.unknown()).optional(),
});
export type ToolAnswer = z.infer<typeof toolAnswer>;

export const textOf = (answer: ToolAnswer): string => answer.content.map((part) => part.text ?? '').join('\n');

const info = { name: 'taskgate-demo', version: '1.0.0' };

/** SDK v2, which speaks 2026-07-28 and follows rounds by itself. */
export async function modernHost({ mcpUrl, accessToken }: Task): Promise<Host> {
  const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL(mcpUrl), { authProvider: { token: async () => accessToken } }));
  return {
    name: 'SDK v2',
    listTools: async () => (await client.listTools({}, { cacheMode: 'refresh' })).tools.map((tool) => tool.name),
    call: async (name, args, signal) => toolAnswer.parse(await client.callTool({ name, arguments: args }, signal === undefined ? {} : { signal })),
    close: () => client.close(),
  };
}

/** SDK v1, which speaks the 2025 revisions. */
export async function olderHost({ mcpUrl, accessToken }: Task): Promise<Host> {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit: { headers: { authorization: `Bearer ${accessToken}` } } });
  return v1Host('SDK v1', transport as Transport);
}

/** A host that loads the shipped mcp.json and starts what it says, over stdio. */
export async function stdioHost(environment: Readonly<Record<string, string>>): Promise<Host> {
  const shape = z.object({ mcpServers: z.object({ taskgate: z.object({ command: z.string(), args: z.array(z.string()) }) }) });
  const { command, args } = shape.parse(JSON.parse(await readFile(join(packageFolder, 'mcp.json'), 'utf8'))).mcpServers.taskgate;
  return v1Host('mcp.json', new StdioClientTransport({ command, args, cwd: packageFolder, env: { ...environment }, stderr: 'ignore' }));
}

async function v1Host(name: string, transport: Transport): Promise<Host> {
  const client = new Client(info);
  await client.connect(transport);
  return {
    name,
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args, signal) =>
      toolAnswer.parse(await client.callTool({ name: tool, arguments: args }, undefined, signal === undefined ? {} : { signal })),
    close: () => client.close(),
  };
}
