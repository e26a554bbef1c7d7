import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** HTTP as no well-behaved client speaks it. */

export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Line {
  send(method: string, url: string, headers: Readonly<Record<string, string>>, body?: string | Uint8Array): Promise<Heard>;
  /** How many connections it took so far. */
  connections(): number;
  close(): void;
}

/** One kept-alive connection: a request after the other. A new one is made only when the broker hung up. */
export function keptAlive(): Line {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen = new Set<Socket>();
  return {
    send: (method, url, headers, body) =>
      new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }));
        });
        sent.on('socket', (socket) => seen.add(socket));
        sent.on('error', reject);
        sent.end(body);
      }),
    connections: () => seen.size,
    close: () => agent.destroy(),
  };
}

/** A connection of its own, open. */
export async function dial(url: string): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes back until the broker hangs up. */
export async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // What it writes may break before it has read everything.
  if (!socket.destroyed) await new Promise((closed) => socket.once('close', closed));
  return Buffer.concat(chunks).toString('latin1');
}

/** Bytes on a connection of their own, and all that comes back until the broker hangs up. */
export async function shout(url: string, bytes: string | Uint8Array): Promise<string> {
  const socket = await dial(url);
  socket.write(bytes);
  return rest(socket);
}
