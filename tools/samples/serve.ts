import { type CallToolResult, type JSONObject, Server, type Tool } from '@modelcontextprotocol/server';

/** What both sample servers share: a table of tools, served alike to old clients and new. */

export interface SampleTool {
  readonly definition: Tool;
  run(args: Readonly<Record<string, unknown>>): CallToolResult | Promise<CallToolResult>;
}

export function sampleServer(name: string, tools: readonly SampleTool[]): Server {
  const server = new Server({ name, version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: tools.map((tool) => tool.definition) }));
  server.setRequestHandler('tools/call', (request) => {
    const tool = tools.find(({ definition }) => definition.name === request.params.name);
    if (tool === undefined) return failed(`There is no tool ${request.params.name}`);
    return tool.run(request.params.arguments ?? {});
  });
  return server;
}

/** Structured content, and the same as text for clients that read no other. */
export function answer(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value, null, 2) }], structuredContent: value };
}

export function failed(reason: string): CallToolResult {
  return { content: [{ type: 'text', text: reason }], isError: true };
}

export const text = { type: 'string' } as const;

export function object(properties: Record<string, JSONObject>, required: readonly string[] = Object.keys(properties)) {
  return { type: 'object' as const, properties, required: [...required] };
}
