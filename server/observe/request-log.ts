import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

/** What is open on one connection: requests whose answer is not given yet, and why the connection broke, once it did. */
interface Open {
  readonly requests: Map<ServerResponse, IncomingMessage>;
  broke: string | null;
}

/**
 * One line for each request that a server hears, whoever answers it, and for what is no HTTP at all: those refused or left without
 * an answer at `info`, the others at `debug`. It says nothing of what was sent but the method and the shape of the path. Answers in
 * Node's stead where no request comes of what was sent.
 */
export function logRequests(server: Server, log: Pick<Logger, 'info' | 'debug' | 'isLevelEnabled'>): void {
  const connections = new WeakMap<object, Open>();
  const openOn = (socket: object): Open => {
    let known = connections.get(socket);
    if (known === undefined) {
      known = { requests: new Map(), broke: null };
      connections.set(socket, known);
    }
    return known;
  };
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url, socket } = request;
    const began = performance.now();
    const open = openOn(socket);
    open.requests.set(response, request);
    response.on('close', () => {
      open.requests.delete(response);
      const answered = response.writableFinished;
      const well = answered && response.statusCode < 400;
      if (well && !log.isLevelEnabled('debug')) return;
      const said = { method, path: shapeOf(url ?? ''), ...(answered ? { status: response.statusCode } : { gone: true }) };
      const line = { ...said, ms: Math.round(performance.now() - began), ...(open.broke === null ? {} : { broke: open.broke }) };
      if (well) log.debug(line, 'request');
      else log.info(line, 'request');
    });
  };
  // First of all listeners, so that what is answered at once is heard of as well.
  server.prependListener('request', begin);
  server.on('checkExpectation', (request, response) => {
    begin(request, response);
    response.writeHead(417, { connection: 'close', 'content-length': '0' }).end();
  });
  server.on('connect', ({ method }, socket) => {
    log.info({ method, path: '/*', status: 405 }, 'request');
    hangUp(socket as Socket, '405 Method Not Allowed');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const open = openOn(socket);
    const first = open.broke === null && socket.bytesRead > 0;
    open.broke = error.code ?? 'unknown';
    if (!first || open.broke === 'ECONNRESET') return void socket.destroy();
    const [[response, request] = [null, null], ...behind] = open.requests;
    const within = request !== null && !request.complete && behind.length === 0;
    const status = statusOf(open.broke);
    // Who broke within its body is a line already. Whoever came before is not answered in the other's place.
    const answers = socket.writable && (request === null || (within && !response?.headersSent));
    if (!within) log.info({ broke: open.broke, ...(answers ? { status: Number(status.slice(0, 3)) } : { gone: true }) }, 'request');
    if (answers) hangUp(socket, status);
    else socket.destroy();
  });
}

function hangUp(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}

function statusOf(code: string): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return '413 Payload Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    default:
      return '400 Bad Request';
  }
}

/** A path without its query, each part that is no plain word as `*`: ids and one-time links stand in paths. */
const shapeOf = (url: string): string =>
  (url.startsWith('/') ? url : '/*')
    .slice(0, 200)
    .split('?', 1)
    .join('')
    .split('/')
    .map((part) => (part === '' || /^[a-z.-][a-z0-9.-]{0,39}$/.test(part) ? part : '*'))
    .join('/');
