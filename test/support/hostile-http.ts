import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream over Streamable HTTP by hand, MCP 2025-11-25, so that it can say what no SDK would let it say. */

export interface Exchange {
  readonly id: number;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Answers properly. */
  reply(result: object): void;
  /** Answers with any JSON at all. */
  json(body: unknown, headers?: Readonly<Record<string, string>>): void;
  /** Opens an event stream; each call sends one message. */
  stream(): (message: object) => void;
}
export type Misdeed = (exchange: Exchange) => void | Promise<void>;
export type Listed = Readonly<Record<string, unknown>> & { readonly name: string };

/** Answers of `resources/list`, `resources/templates/list` and `prompts/list`. */
export interface Offers {
  resources: object[];
  resourceTemplates: object[];
  prompts: object[];
}

export interface HostileHttp {
  /** `host:port` it listens on. */
  readonly host: string;
  /** What `tools/list` answers; change it at will. */
  tools: Listed[];
  /** What else it lists, by method; change it at will. Without any, it has no such capability. */
  readonly offers: Offers;
  /** Names of what was called, read or taken, in order: every one is an execution. */
  readonly calls: string[];
  /** Every request that arrived, `METHOD path`. */
  readonly reached: string[];
  /** Says to whoever listens that the list has changed; waits until somebody does. */
  announce(): Promise<void>;
  close(): Promise<void>;
}

export const plainTool = (name: string, more: object = {}): Listed => ({ name, description: `Does ${name}.`, inputSchema: { type: 'object' }, ...more });
export const text = (words: string) => ({ content: [{ type: 'text', text: words }] });

export async function hostileHttp(tools: Listed[], misdeeds: Readonly<Record<string, Misdeed>> = {}, offers: Offers | null = null): Promise<HostileHttp> {
  const calls: string[] = [];
  const reached: string[] = [];
  const listeners = new Set<ServerResponse>();
  let heard = Promise.withResolvers<void>();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    reached.push(`${request.method} ${request.url}`);
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
      return heard.resolve();
    }
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id, method, params } = JSON.parse(body) as {
      id?: number;
      method: string;
      params?: { name?: string; uri?: string; arguments?: Record<string, unknown> };
    };
    const json = (answer: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(answer));
    };
    const reply = (result: object): void => json({ jsonrpc: '2.0', id, result });
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'initialize') {
      const listChanged = { listChanged: true };
      const capabilities = { tools: listChanged, ...(offers ? { resources: listChanged, prompts: listChanged } : {}) };
      const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'hostile', version: '1' } };
      return json({ jsonrpc: '2.0', id, result }, { 'mcp-session-id': 's1' });
    }
    if (method === 'tools/list') return reply({ tools: upstream.tools });
    const other = { 'resources/list': 'resources', 'resources/templates/list': 'resourceTemplates', 'prompts/list': 'prompts' } as const;
    if (offers && Object.hasOwn(other, method)) {
      const list = other[method as keyof typeof other];
      return reply({ [list]: offers[list] });
    }
    if (!['tools/call', 'resources/read', 'prompts/get'].includes(method)) return void response.writeHead(400).end();
    const name = params?.name ?? params?.uri ?? '';
    calls.push(name);
    if (method === 'resources/read') return reply({ contents: [{ uri: name, text: `read ${name}` }] });
    if (method === 'prompts/get') return reply({ messages: [{ role: 'user', content: { type: 'text', text: `took ${name}` } }] });
    const stream = () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return (message: object): void => void response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    };
    await (misdeeds[name] ?? (({ reply: answer }) => answer(text(`done ${name}`))))({
      ...{ id, name, request, response, reply, json, stream },
      arguments: params?.arguments ?? {},
    });
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: HostileHttp = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tools,
    offers: offers ?? { resources: [], resourceTemplates: [], prompts: [] },
    calls,
    reached,
    async announce() {
      if (listeners.size === 0) {
        heard = Promise.withResolvers();
        await heard.promise;
      }
      const message = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      for (const response of listeners) response.write(`event: message\ndata: ${message}\n\n`);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return upstream;
}

/** Documents that broker such an upstream to acme's invoice matcher, each tool as a read unless said otherwise. */
export function documentsFor(host: string, tools: readonly string[], more: Readonly<Record<string, object>> = {}, upstream: object = {}) {
  const manifests = tools.map((name) => ({ name, effect: 'read', reaches: 'tenant', returns: { sensitivity: 'internal' }, ...more[name] }));
  const document = {
    ...{ kind: 'Upstream', tenant: 'acme', name: 'hostile', transport: { type: 'http', url: `http://${host}/mcp` }, egress: [host] },
    ...upstream,
    tools: manifests,
  };
  const grants = tools.map((name) => ({ tool: `hostile__${(more[name] as { as?: string } | undefined)?.as ?? name}` }));
  return { document, grants };
}
