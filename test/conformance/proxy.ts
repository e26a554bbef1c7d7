import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import type { Task } from '../../server/connect/session.ts';
import { prefix } from './documents.ts';
import { prompts } from './readable.ts';
import { suiteTools } from './tools.ts';

/**
 * What stands between the suite and the broker, since the suite can neither send a token nor know brokered names. It adds the task's
 * token, puts the upstream's name before those of its tools and prompts and takes it off again, and names the broker where the suite named
 * this proxy. All else, hostile headers included, goes through as it came.
 */
export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

export async function startProxy(task: Task): Promise<Proxy> {
  const { hostname, host: home, port, pathname } = new URL(task.mcpUrl);
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? '' : brokered(Buffer.concat(chunks).toString());
    const here = `localhost:${(server.address() as AddressInfo).port}`;
    const headers = { ...forwarded(incoming.headers, here, home), authorization: `Bearer ${task.accessToken}`, 'content-length': Buffer.byteLength(body) };
    const onward = request({ host: '127.0.0.1', port, path: pathname, method: incoming.method, headers, agent: false }, (answer) => {
      const { 'content-length': _, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, rest);
      outgoing.flushHeaders();
      answer.pipe(unbrokered()).pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forwarded(headers: IncomingHttpHeaders, here: string, home: string): IncomingHttpHeaders {
  const named = Object.entries(headers).map(([name, value]) => {
    if ((name === 'host' || name === 'origin') && typeof value === 'string') return [name, value.replace(here, home)];
    return [name, name === 'mcp-name' && typeof value === 'string' && suiteNames.includes(value) ? `${prefix}${value}` : value];
  });
  return Object.fromEntries(named.filter(([name]) => name !== 'connection' && name !== 'content-length'));
}

const suiteNames: readonly string[] = [...suiteTools, ...Object.keys(prompts)];

interface Asking {
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown; readonly ref?: { readonly name?: unknown } };
}

/** A call, or a question about a prompt, under the name the broker has for it; anything else stands as it came. */
function brokered(body: string): string {
  const under = <T extends { readonly name?: unknown }>(one: T): T => (suiteNames.includes(String(one.name)) ? { ...one, name: `${prefix}${one.name}` } : one);
  try {
    const message = JSON.parse(body) as Asking;
    const { method, params } = message;
    if (method === 'completion/complete' && params?.ref) return JSON.stringify({ ...message, params: { ...params, ref: under(params.ref) } });
    if ((method !== 'tools/call' && method !== 'prompts/get') || !params || under(params) === params) return body;
    return JSON.stringify({ ...message, params: under(params) });
  } catch {
    return body;
  }
}

/** An answer line by line, so that no name is cut in two. */
function unbrokered(): Transform {
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      done(null, lines.map((line) => `${line.replaceAll(`"name":"${prefix}`, '"name":"')}\n`).join(''));
    },
    flush(done) {
      done(null, rest.replaceAll(`"name":"${prefix}`, '"name":"'));
    },
  });
}
