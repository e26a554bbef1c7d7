import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, type Server } from '@modelcontextprotocol/server';

const largestBody = 1_048_576;

/**
 * Serves MCP at http://127.0.0.1:PORT/mcp until the process ends, and prints that address as its first line. The Host
 * check keeps a web page from reaching it through a name of its own (DNS rebinding).
 */
export async function serveHttp(makeServer: () => Server, port: number): Promise<void> {
  const handler = createMcpHandler(makeServer);
  let origin = '';
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (`http://${request.headers.host}` !== origin || request.headers.origin !== undefined) return void response.writeHead(403).end();
    if (request.url !== '/mcp') return void response.writeHead(404).end();
    const body = await bodyOf(request);
    if (body === null) return void response.writeHead(413).end();
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const asked = new Request(`${origin}/mcp`, { method: request.method ?? 'GET', headers, signal: gone.signal, ...(body.length > 0 ? { body } : {}) });
    const answered = await handler.fetch(asked);
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    for await (const chunk of answered.body ?? []) response.write(chunk);
    response.end();
  }
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.stdout.write(`${origin}/mcp\n`);
  // Started with a pipe, it ends with whoever holds the other end, however that one ended.
  const input = fstatSync(0);
  if (input.isFIFO() || input.isSocket()) process.stdin.resume().on('close', () => process.exit());
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > largestBody) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
