import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadHeaders } from '../identity/index.ts';

/** One request at the door, as Node has it. What only an SDK asks for is made when one does: it costs more than all else at the door. */
export interface Heard<Told = unknown> {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly headers: ReadHeaders;
  /** Aborts when the client goes away before its answer. */
  gone(): AbortSignal;
  /** Without its body, which is read here. */
  request(): Request;
  /** Gives the answer to a plain call. */
  tell(body: string): Told;
}

/** `url`: as a whole. */
export function hear<Told>(incoming: IncomingMessage, outgoing: ServerResponse, url: string, tell: (body: string) => Told): Heard<Told> {
  let signal: AbortSignal | null = null;
  const gone = (): AbortSignal => {
    signal ??= goneOf(outgoing);
    return signal;
  };
  const { method = '' } = incoming;
  const request = (): Request => new Request(url, { method, headers: allHeadersOf(incoming), signal: gone() });
  return { incoming, outgoing, headers: headersOf(incoming), gone, request, tell };
}

/** As `fetch` has them: what came twice is one value with a comma between, where Node keeps the first alone. */
export function headersOf(incoming: IncomingMessage): ReadHeaders {
  const { headers, rawHeaders } = incoming;
  if (2 * Object.keys(headers).length !== rawHeaders.length) return allHeadersOf(incoming);
  return { get: (name) => (headers[name] as string | undefined) ?? null };
}

function allHeadersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  return headers;
}

function goneOf(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const close = (): void => {
    if (!outgoing.writableFinished) gone.abort();
  };
  if (outgoing.closed) close();
  else outgoing.on('close', close);
  return gone.signal;
}
