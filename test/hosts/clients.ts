import { createMCPClient } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport as AiStdio } from '@ai-sdk/mcp/mcp-stdio';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { MCPServerStdio, MCPServerStreamableHttp } from '@openai/agents';
import type { Generation, HostName, Rung } from './cells.ts';

/** Agent hosts as they come from npm, each behind the few words the tests need. None knows of Taskgate. */

export type Entry =
  | { readonly url: string; readonly token: string }
  | { readonly command: string; readonly args: string[]; readonly env: Record<string, string> };
type Args = Record<string, unknown>;

/** What a model would read of an answer. */
export interface Told {
  readonly text: string;
  readonly isError: boolean;
}
export interface OpenHost {
  list(): Promise<readonly string[]>;
  call(name: string, args: Args): Promise<Told>;
  close(): Promise<void>;
}
export interface Ask {
  readonly generation: Generation;
  /** How its calls are to wait: whether it takes tasks, or asks for progress. */
  readonly rung: Rung;
}

const info = { name: 'host', version: '1' };
const isStdio = (entry: Entry): entry is Extract<Entry, { command: string }> => 'command' in entry;
const headersOf = (entry: Extract<Entry, { url: string }>): Record<string, string> => ({ authorization: `Bearer ${entry.token}` });

/** Any SDK's `CallToolResult`. */
function told(result: unknown): Told {
  const { content = [], isError } = result as { content?: readonly { readonly text?: string }[]; isError?: boolean };
  return { text: content.map(({ text }) => text ?? '').join('\n'), isError: isError === true };
}
const names = ({ tools }: { readonly tools: readonly { readonly name: string }[] }): string[] => tools.map(({ name }) => name);
/** As a host does that shows progress: what it hears keeps its patience going. */
const listening = { onprogress: () => undefined, resetTimeoutOnProgress: true };

async function sdkV2(entry: Entry, { generation, rung }: Ask): Promise<OpenHost & { readonly client: ClientV2 }> {
  const client = new ClientV2(info, { versionNegotiation: { mode: generation === '2026-07-28' ? 'auto' : 'legacy' } });
  await client.connect(
    isStdio(entry) ? new StdioV2({ ...entry, stderr: 'ignore' }) : new HttpV2(new URL(entry.url), { requestInit: { headers: headersOf(entry) } }),
  );
  return {
    client,
    list: async () => names(await client.listTools()),
    call: async (name, args) => told(await client.callTool({ name, arguments: args }, rung === 'hold' ? listening : undefined)),
    close: () => client.close(),
  };
}

/** The requester package of the tasks extension on a v2 client; what the client's own codec does not carry goes out as it stands. */
async function extTasks(entry: Entry, ask: Ask): Promise<OpenHost> {
  if (isStdio(entry)) throw new Error('tasks are taken over HTTP here');
  const host = await sdkV2(entry, ask);
  const clientCapabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const v2RequestFraming = { protocolVersion: '2026-07-28', clientInfo: info, clientCapabilities };
  let id = 1_000;
  const rawDispatch = async (request: unknown): Promise<{ kind: 'result'; result: never } | { kind: 'error'; error: never }> => {
    const { method, params } = request as { method: string; params: { name?: string; taskId?: string } };
    id += 1;
    const response = await fetch(entry.url, {
      method: 'POST',
      headers: {
        ...{ ...headersOf(entry), 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': params.taskId ?? params.name ?? '' },
      },
      body: JSON.stringify({ ...(request as object), jsonrpc: '2.0', id }),
    });
    const body = (await response.json()) as { result?: never; error?: never };
    return body.error === undefined ? { kind: 'result', result: body.result as never } : { kind: 'error', error: body.error };
  };
  const session = createTaskSessionFromClient(host.client, {
    endpointId: 'taskgate',
    ...{ rawDispatch, v2RequestFraming },
  });
  return {
    list: host.list,
    async call(name, args) {
      const execution = await session.callTool(name, args as never);
      return told(resultFromTaskOutcome((await execution.settle()).outcome as never));
    },
    async close() {
      await session.close();
      await host.close();
    },
  };
}

async function sdkV1(entry: Entry, { rung }: Ask): Promise<OpenHost> {
  const client = new ClientV1(info);
  const transport = isStdio(entry)
    ? new StdioV1({ ...entry, stderr: 'ignore' })
    : new HttpV1(new URL(entry.url), { requestInit: { headers: headersOf(entry) } });
  await client.connect(transport as Parameters<ClientV1['connect']>[0]);
  const { tools } = await client.listTools();
  const asTasks = new Set(tools.filter(({ execution }) => rung === 'task' && execution?.taskSupport === 'optional').map(({ name }) => name));
  return {
    async list() {
      const listed = await client.listTools();
      for (const { name, execution } of listed.tools) if (rung === 'task' && execution?.taskSupport === 'optional') asTasks.add(name);
      return names(listed);
    },
    async call(name, args) {
      const call = { name, arguments: args };
      if (!asTasks.has(name)) return told(await client.callTool(call, undefined, rung === 'hold' ? listening : undefined));
      for await (const message of client.experimental.tasks.callToolStream(call, undefined, { task: {} })) {
        if (message.type === 'error') throw message.error;
        if (message.type === 'result') return told(message.result);
      }
      throw new Error('the task told nothing');
    },
    close: () => client.close(),
  };
}

async function aiSdk(entry: Entry, { generation }: Ask): Promise<OpenHost> {
  const client = await createMCPClient({
    transport: isStdio(entry) ? new AiStdio({ ...entry, stderr: 'ignore' }) : { type: 'http', url: entry.url, headers: headersOf(entry) },
    protocolVersionDiscovery: generation === '2026-07-28',
  });
  return {
    list: async () => names(await client.listTools()),
    call: async (name, args) => told(await client.callTool({ name, arguments: args })),
    close: () => client.close(),
  };
}

async function openAiAgents(entry: Entry): Promise<OpenHost> {
  const server = isStdio(entry)
    ? new MCPServerStdio({ command: entry.command, args: entry.args, env: entry.env, clientSessionTimeoutSeconds: 30 })
    : new MCPServerStreamableHttp({ url: entry.url, requestInit: { headers: headersOf(entry) } });
  await server.connect();
  return {
    list: async () => (await server.listTools()).map(({ name }) => name),
    call: async (name, args) => told(await server.callToolResult(name, args)),
    close: () => server.close(),
  };
}

async function langChain(entry: Entry, { rung }: Ask): Promise<OpenHost> {
  const start = (): MultiServerMCPClient =>
    new MultiServerMCPClient({
      mcpServers: {
        taskgate: isStdio(entry) ? { transport: 'stdio', ...entry, stderr: 'ignore' } : { transport: 'http', url: entry.url, headers: headersOf(entry) },
      },
      ...(rung === 'hold' ? { onProgress: () => undefined } : {}),
    });
  let client = start();
  let tools = await client.getTools();
  return {
    async list() {
      // It lists once for as long as it is there; a host that wants to see more tools starts it anew.
      if (!isStdio(entry)) {
        await client.close();
        client = start();
        tools = await client.getTools();
      }
      return tools.map(({ name }) => name);
    },
    async call(name, args) {
      const tool = tools.find((one) => one.name === name);
      if (!tool) throw new Error(`${name} is not listed`);
      // It throws what is an error, for its agent to read.
      try {
        const answer: unknown = await tool.invoke(args);
        return { text: typeof answer === 'string' ? answer : JSON.stringify(answer), isError: false };
      } catch (error) {
        return { text: error instanceof Error ? error.message : String(error), isError: true };
      }
    },
    close: () => client.close(),
  };
}

const open: Record<HostName, (entry: Entry, ask: Ask) => Promise<OpenHost>> = {
  'MCP SDK v2': sdkV2,
  'MCP SDK v2 with ext-tasks': extTasks,
  'MCP SDK v1': sdkV1,
  'AI SDK': aiSdk,
  'OpenAI Agents SDK': openAiAgents,
  'LangChain.js': langChain,
};

export const openHost = (name: HostName, entry: Entry, ask: Ask): Promise<OpenHost> => open[name](entry, ask);
