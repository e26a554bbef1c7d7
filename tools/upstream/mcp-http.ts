import type { LookupFunction } from 'node:net';
import { type FetchLike, type JSONRPCMessage, SdkHttpError, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { Agent, fetch as dial } from 'undici';
import { createAsk } from './ask.ts';
import { EgressRefused, egress } from './egress.ts';
import { type ConnectionOptions, type LiveConnection, openConnection } from './mcp-client.ts';
import { type UpstreamTarget, UpstreamUnavailable } from './upstream.ts';
import { dispatchOf, type Limit, type Wire, type WireFault } from './wire.ts';

export interface HttpOptions {
  readonly connectMs: number;
  /** Name resolution; the system's when left out. */
  readonly resolve?: LookupFunction;
  readonly onListed?: ConnectionOptions['onListed'];
}

/** Connects over Streamable HTTP, to nothing but what `egress` permits. Rejects with `UpstreamUnavailable`. */
export async function connectHttp(target: Extract<UpstreamTarget, { type: 'http' }>, options: HttpOptions): Promise<LiveConnection> {
  const url = new URL(target.url);
  const guard = egress(url, target.egress, options.resolve);
  try {
    guard.check(url);
  } catch (error) {
    throw new UpstreamUnavailable((error as EgressRefused).message);
  }
  const secrets = Object.values(target.headers);
  const agents: Agent[] = [];
  const live = await openConnection({
    // The whole header value and what follows a scheme such as `Bearer `.
    secrets: [...secrets, ...secrets.map((value) => value.slice(value.lastIndexOf(' ') + 1))],
    connectMs: options.connectMs,
    lists: target.lists ?? ['tool'],
    ...(options.onListed ? { onListed: options.onListed } : {}),
    async wire(limit) {
      // Deadlines are the call's own; a subscription stream may rest for hours.
      const agent = new Agent({ connect: { lookup: guard.lookup, timeout: options.connectMs }, headersTimeout: 0, bodyTimeout: 0 });
      agents.push(agent);
      return httpWire(url, target.headers, agent, guard.check, limit);
    },
  }).catch(async (error: unknown) => {
    await Promise.all(agents.map((agent) => agent.destroy()));
    throw error;
  });
  void live.ended.then(() => Promise.all(agents.map((agent) => agent.destroy())));
  return live;
}

function httpWire(url: URL, headers: Readonly<Record<string, string>>, agent: Agent, check: (url: URL) => void, limit: Limit): Wire {
  const dispatched = new Set<string>();
  const broken = new Map<string, WireFault>();
  let fault: WireFault | null = null;
  const guarded: FetchLike = async (input, init) => {
    check(new URL(input));
    const headers = new Headers(init?.headers);
    const dispatch = headers.get(dispatchHeader);
    headers.delete(dispatchHeader);
    // The library's types are undici's own; at run time they are the web's.
    const response = (await dial(input, { ...(init as object), headers: [...headers], redirect: 'error', dispatcher: agent })) as unknown as Response;
    return capped(response, limit, () => dispatch !== null && broken.set(dispatch, { why: 'too_large', detail: 'its answer is larger than allowed' }));
  };
  const http = new StreamableHTTPClientTransport(url, {
    fetch: guarded,
    requestInit: { headers: { ...headers } },
    // A lost answer stays lost: asking again for a stream could run a call's outcome past its deadline.
    reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1_000, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1 },
  });
  const ask = createAsk(url, headers, agent, limit);
  const send = http.send.bind(http);
  http.send = async (message, options) => {
    const dispatch = dispatchOf(message);
    if (dispatch !== null) dispatched.add(dispatch);
    try {
      if (dispatch === null) return await send(message, options);
      const onRequestStreamEnd = (): void => {
        if (!broken.has(dispatch)) broken.set(dispatch, { why: 'died', detail: 'its answer was cut short' });
        // The client would wait for its deadline; an answer to a request it has settled already is dropped.
        const error = { code: -32_000, message: 'the stream ended' };
        if ('id' in message) http.onmessage?.({ jsonrpc: '2.0', id: message.id, error } as JSONRPCMessage);
      };
      await send(message, { ...options, headers: { ...options?.headers, [dispatchHeader]: dispatch }, onRequestStreamEnd });
    } catch (error) {
      if (dispatch !== null && neverLeft(error)) dispatched.delete(dispatch);
      // The server no longer knows this session; the next connection starts another.
      if (error instanceof SdkHttpError && error.status === 404 && http.sessionId !== undefined) {
        fault = { why: 'died', detail: 'the upstream ended its session' };
        void http.close();
      }
      throw error;
    }
  };
  return {
    transport: http as Transport,
    ask(call) {
      dispatched.add(call.dispatch);
      return ask(call).catch((error: unknown) => {
        if (neverLeft(error)) dispatched.delete(call.dispatch);
        throw error;
      });
    },
    fault: () => fault,
    sent: (dispatch) => dispatched.has(dispatch),
    broken: (dispatch) => broken.get(dispatch) ?? null,
    forget(dispatch) {
      dispatched.delete(dispatch);
      broken.delete(dispatch);
    },
  };
}

/** Tells the fetch below which call it carries; never leaves the process. */
const dispatchHeader = 'x-taskgate-dispatch';

const dialFailures = new Set(['EGRESS_REFUSED', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** True when the connection was never made, which only the dial itself can promise. */
function neverLeft(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof EgressRefused || dialFailures.has((at as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}

/** Messages in one answer's stream: each costs far more to take apart than its bytes say. */
const mostEvents = 5_000;

/** Counts what a stream of events has brought so far, by its empty lines. */
function countEvents(): (chunk: Uint8Array) => number {
  let events = 0;
  let before = 0;
  return (chunk) => {
    for (const byte of chunk) {
      const ends = byte === 0x0a || byte === 0x0d;
      if (ends && before !== 0 && !(byte === 0x0a && before === 0x0d)) events++;
      before = ends ? byte : 0;
    }
    return events;
  };
}

/** Ends a body that outgrows what anyone waits for. */
function capped(response: Response, limit: Limit, onFlood: () => void): Response {
  if (response.body === null) return response;
  let bytes = 0;
  const events = response.headers.get('content-type')?.startsWith('text/event-stream') ? countEvents() : () => 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > limit() || events(chunk) > mostEvents) {
        onFlood();
        controller.error(new Error('the answer is larger than allowed'));
      } else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers: [...headers] });
}
