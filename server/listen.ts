import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Logger } from 'pino';
import { logRequests } from './observe/request-log.ts';

/** What answers requests. */
export interface Doors {
  /** Any of them; `bindings` are Node's own request and response behind it. */
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>;
  /** Asked first: those it serves as Node has them, null for others. It resolves to null once it has answered itself. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response | null> | null;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on every host with one port; port 0 takes a free one. A loopback address the machine does not have (no IPv6)
 * is left out as long as one is there. Rejects with the system's error, such as EADDRINUSE.
 */
export async function listen(doors: () => Doors, hosts: readonly string[], port: number, log: Logger): Promise<Listening> {
  const servers: Server[] = [];
  let bound = port;
  for (const host of hosts) {
    try {
      const server = await open(doors, host, bound, log);
      servers.push(server);
      const address = server.address();
      if (typeof address === 'object' && address) bound = address.port;
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
      if (missing && hosts.length > 1) continue;
      await Promise.all(servers.map(close));
      throw error;
    }
  }
  if (servers.length === 0) throw new Error(`none of ${hosts.join(', ')} can be listened on`);
  return { port: bound, close: async () => void (await Promise.all(servers.map(close))) };
}

/** Whoever speaks slowly is hung up on: a header takes at most so long, a whole request so long, and the reading of an answer as well. */
const headersMs = 15_000;
const requestMs = 60_000;
const readingMs = 30_000;
const lookEveryMs = 5_000;
/** Per address listened on. */
const mostConnections = 8_192;

function open(doors: () => Doors, host: string, port: number, log: Logger): Promise<Server> {
  const options = { errorHandler: (error: unknown) => failed(log, error) };
  const answer = getRequestListener((request, bindings) => doors().fetch(request, bindings as HttpBindings), options);
  const hear = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const give = (response: Response): void => void getRequestListener(async () => response, options)(incoming, outgoing);
    const giveFailure = (error: unknown): void => give(failed(log, error));
    try {
      const taken = doors().take(incoming, outgoing);
      if (taken === null) void answer(incoming, outgoing);
      else taken.then((response) => response && give(response), giveFailure);
    } catch (error) {
      giveFailure(error);
    }
  };
  const settings = {
    maxHeaderSize: 32_768,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: lookEveryMs,
    // A request without one is refused where every other is.
    requireHostHeader: false,
  };
  const server = createServer(settings, hear);
  server.maxConnections = mostConnections;
  logRequests(server, log);
  dropSlowReaders(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** What is no request for this broker at all (no host, an address that is none), and what nobody else caught. */
function failed(log: Logger, error: unknown): Response {
  const theirs = error instanceof Error && error.name === 'RequestError';
  if (!theirs) log.error({ err: error }, 'a request ended in an exception');
  return Response.json({ error: theirs ? 'invalid_request' : 'server_error' }, { status: theirs ? 400 : 500, headers: { 'cache-control': 'no-store' } });
}

/** An answer that is complete waits in memory until it is read: not for longer than `readingMs`. */
function dropSlowReaders(server: Server): void {
  const unread = new Map<ServerResponse, number>();
  function ended(this: ServerResponse): void {
    unread.set(this, Date.now());
  }
  function read(this: ServerResponse): void {
    unread.delete(this);
  }
  server.prependListener('request', (_request, response: ServerResponse) => void response.on('prefinish', ended).on('close', read));
  const look = setInterval(() => {
    const since = Date.now() - readingMs;
    for (const [response, at] of unread) if (at <= since) response.socket?.destroy();
  }, lookEveryMs);
  look.unref();
  server.once('close', () => clearInterval(look));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
