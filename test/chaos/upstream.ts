import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { answer, object, text } from '../../tools/samples/serve.ts';

/**
 * The upstream of the chaos run, an MCP server over HTTP that nobody kills. Every call that reaches it is an effect, appended and
 * flushed to the journal before it takes a moment and answers; it forgives no second sending. `argv`: the journal.
 */

/** One line of the journal. */
export interface Effect {
  /** As the broker sent it in the idempotency header; null when there was none. */
  readonly dispatch: string | null;
  readonly tool: string;
  /** The client's own name for the call. */
  readonly call: string;
  readonly at: number;
}

const [file = ''] = process.argv.slice(2);
const journal = openSync(file, 'a', 0o600);
const request = new AsyncLocalStorage<IncomingMessage>();

const common = { call: text, wait: { type: 'integer', minimum: 0, maximum: 1000 } } as const;
const output = object({ dispatch: text, call: text });
const tools = [
  { name: 'look', description: 'Looks something up', inputSchema: object(common), outputSchema: output },
  { name: 'note', description: 'Writes something down', inputSchema: object(common), outputSchema: output },
  { name: 'pay', description: 'Pays; cannot be undone', inputSchema: object({ ...common, amount: { type: 'number' } }), outputSchema: output },
];

function makeServer(): Server {
  const server = new Server({ name: 'books', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    const { call, wait } = params.arguments as { call: string; wait: number };
    const header = request.getStore()?.headers['x-dispatch'];
    const dispatch = typeof header === 'string' ? header : null;
    const effect: Effect = { dispatch, tool: params.name, call, at: Date.now() };
    writeSync(journal, `${JSON.stringify(effect)}\n`);
    fsyncSync(journal);
    await pause(wait);
    return answer({ dispatch: dispatch ?? '', call });
  });
  return server;
}

const handler = createMcpHandler(makeServer);
async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  const body = chunks.length > 0 ? { body: new Uint8Array(Buffer.concat(chunks)) } : {};
  const answered = await handler.fetch(new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method ?? 'GET', headers, ...body }));
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  for await (const chunk of answered.body ?? []) response.write(chunk);
  response.end();
}

const server = createServer((incoming, response) => {
  request.run(incoming, () => serve(incoming, response)).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
process.on('disconnect', () => process.exit());
