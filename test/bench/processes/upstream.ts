import { createServer, type ServerResponse } from 'node:http';
import process from 'node:process';
import { benchTools } from '../documents.ts';
import { revision } from '../wire.ts';

/**
 * The fast upstream every row ends at: MCP 2026-07-28 by hand on `node:http`. `/mcp` echoes; `/many/<n>` lists n tools.
 * Tells its parent the port, and each time a call of `hang` arrives, which it answers only when the client leaves; `slow` takes
 * a fifth of a second, `big` answers half a megabyte.
 */

const schema = { type: 'object', properties: { text: { type: 'string', maxLength: 200 } }, required: ['text'], additionalProperties: false };
const tool = (name: string) => ({ name, description: `The bench's ${name}`, inputSchema: schema });
const toolsAt = (path: string) => {
  const many = /^\/many\/(\d+)$/.exec(path);
  return many ? Array.from({ length: Number(many[1]) }, (_, index) => tool(`tool_${index}`)) : [...benchTools, 'slow', 'big'].map(tool);
};

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly text?: string } };
}

function resultOf(path: string, { method, params }: Message): object | null {
  switch (method) {
    case 'tools/call':
      return { content: [{ type: 'text', text: params?.name === 'big' ? 'x'.repeat(524_288) : (params?.arguments?.text ?? '') }], resultType: 'complete' };
    case 'tools/list':
      return { tools: toolsAt(path), resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
    case 'server/discover':
      return {
        supportedVersions: [revision],
        capabilities: { tools: {} },
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'bench-upstream', version: '1' } },
      };
    default:
      return null;
  }
}

function answer(response: ServerResponse, path: string, message: Message): void {
  if (message.id === undefined) {
    response.writeHead(202, { 'content-length': 0 }).end();
    return;
  }
  if (message.method === 'tools/call' && message.params?.name === 'hang') {
    process.send?.('hanging');
    return;
  }
  const result = resultOf(path, message);
  const error = { code: -32_601, message: 'Method not found' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...(result === null ? { error } : { result }) });
  const send = () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  if (message.method === 'tools/call' && message.params?.name === 'slow') setTimeout(send, 200);
  else send();
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(response, request.url ?? '', JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message));
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
process.on('disconnect', () => process.exit());
