import { createParser } from 'eventsource-parser';
import type { Agent, Dispatcher } from 'undici';
import type { UpstreamCall } from './upstream.ts';
import type { Limit, WireFault } from './wire.ts';

/** One JSON-RPC request over HTTP and its response. By undici's callbacks: a stream to read from would cost more than all the rest. */

export type Message = Readonly<Record<string, unknown>>;

export class AskFailed extends Error {
  override readonly name = 'AskFailed';
  readonly why: WireFault['why'] | 'timeout';
  constructor(why: WireFault['why'] | 'timeout', detail: string) {
    super(detail);
    this.why = why;
  }
}

/** What an upstream that has answered may still say, and how long it may take to end its stream, before it loses its connection. */
const mostAfterwards = 65_536;
const longestAfterwardsMs = 1_000;

/** Resolves with the response to request `id`. Rejects with `AskFailed`, or what the connection threw. */
export function exchange(agent: Agent, request: Dispatcher.DispatchOptions, id: number, call: UpstreamCall, limit: Limit): Promise<Message> {
  const { signal, deadlineMs } = call;
  return new Promise((resolve, reject) => {
    let started: Dispatcher.DispatchController | null = null;
    let stopped: Error | null = null;
    let body: Body | null = null;
    let bytes = 0;
    let leaving: NodeJS.Timeout | null = null;

    const settle = (): void => {
      clearTimeout(late);
      signal.removeEventListener('abort', cancel);
    };
    const succeed = (message: Message): void => {
      settle();
      resolve(message);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const stop = (why: Error): void => {
      stopped = why;
      // Without a connection it waits still, and is dropped when it gets one.
      if (started === null) fail(why);
      else started.abort(why);
    };
    const cancel = (): void => stop(new AskFailed('died', 'called off'));
    const late = setTimeout(() => stop(new AskFailed('timeout', `no answer within ${deadlineMs} ms`)), deadlineMs);
    signal.addEventListener('abort', cancel);

    // What a callback throws aborts the request, and comes back as its error.
    agent.dispatch(request, {
      onRequestStart(controller) {
        started = controller;
        if (stopped !== null) controller.abort(stopped);
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) body = bodyOf(status, headers, id);
      },
      onResponseData(controller, chunk) {
        bytes += chunk.byteLength;
        if (bytes > (leaving === null ? limit() : mostAfterwards)) throw new AskFailed('too_large', 'its answer is larger than allowed');
        const found = leaving === null ? body?.read(chunk) : null;
        if (!found) return;
        succeed(found);
        leaving = setTimeout(() => controller.abort(new Error('left')), longestAfterwardsMs).unref();
      },
      onResponseEnd() {
        if (leaving !== null) return clearTimeout(leaving);
        const last = body?.end();
        if (last instanceof AskFailed) fail(last);
        else if (last) succeed(last);
      },
      onResponseError(_, error) {
        if (leaving !== null) clearTimeout(leaving);
        fail(error);
      },
    });
  });
}

interface Body {
  /** The response, when this chunk completes it. */
  read(chunk: Buffer): Message | null;
  /** The response, when only the end tells that it is whole. */
  end(): Message | AskFailed;
}

/** Throws `AskFailed` for what cannot hold a response. */
function bodyOf(status: number, headers: Headers, id: number): Body {
  const type = String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase();
  const events = type === 'text/event-stream';
  const refused = refusalOf(status, headers, events || type === 'application/json');
  if (refused) throw refused;
  return events ? eventBody(id) : jsonBody(id);
}

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

function refusalOf(status: number, headers: Headers, readable: boolean): AskFailed | null {
  if (status >= 300 && status < 400) return new AskFailed('refused', 'it answered with a redirect, and those are not followed');
  // An error may come with a JSON-RPC body that says more precisely what it is.
  if (status !== 200 && !(status >= 400 && readable)) return new AskFailed('refused', `it answered with HTTP status ${status}`);
  if (!readable) return new AskFailed('protocol', 'its answer has a content type that MCP does not know');
  return headers['content-encoding'] === undefined ? null : new AskFailed('protocol', 'its answer is encoded, which was not asked for');
}

const utf8 = new TextDecoder();

function jsonBody(id: number): Body {
  const chunks: Buffer[] = [];
  return {
    read(chunk) {
      chunks.push(chunk);
      return null;
    },
    end() {
      const [first] = chunks;
      const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      return responseIn(utf8.decode(whole), id) ?? new AskFailed('protocol', 'its answer is no JSON-RPC response');
    },
  };
}

function eventBody(id: number): Body {
  let found: Message | null = null;
  const parser = createParser({
    onEvent({ data }) {
      found ??= responseIn(data, id);
    },
  });
  const decoder = new TextDecoder();
  return {
    read(chunk) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      return found;
    },
    end() {
      parser.feed(decoder.decode());
      return found ?? new AskFailed('died', 'its answer was cut short');
    },
  };
}

function responseIn(text: string, id: number): Message | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  return isObject(message) && message['jsonrpc'] === '2.0' && message['id'] === id && ('result' in message || 'error' in message) ? message : null;
}

export const isObject = (value: unknown): value is Message => typeof value === 'object' && value !== null && !Array.isArray(value);
