import { specTypeSchemas } from '@modelcontextprotocol/client';
import { createParser } from 'eventsource-parser';
import type { Agent, Dispatcher } from 'undici';
import product from '../../package.json' with { type: 'json' };
import type { Answer } from './outcome.ts';
import type { UpstreamCall } from './upstream.ts';
import { dispatchKey, type Limit, type WireFault } from './wire.ts';

/**
 * One plain `tools/call` of MCP 2026-07-28 over Streamable HTTP, which is stateless: a request and its answer, without the SDK's
 * client in between. What it sends and what it makes of an answer is the client's own, byte for byte where it matters.
 */

/** Throws `AskFailed`, or what the connection threw. */
export type Ask = (call: UpstreamCall) => Promise<Answer>;

/** The revision in which a call is one request and one answer. */
export const stateless = '2026-07-28';

export class AskFailed extends Error {
  override readonly name = 'AskFailed';
  readonly why: WireFault['why'] | 'timeout';
  constructor(why: WireFault['why'] | 'timeout', detail: string) {
    super(detail);
    this.why = why;
  }
}

/** Names that go into a header as they are; others need the encoding of the transport (SEP-2243). */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9_./-]{1,128}$/.test(name);

export function createAsk(url: URL, headers: Readonly<Record<string, string>>, agent: Agent, limit: Limit): Ask {
  const common = {
    ...lowerCased(headers),
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': stateless,
  };
  const target = { origin: url.origin, path: url.pathname + url.search, method: 'POST' as const };
  let next = 0;
  return async (call) => {
    const id = next++;
    const body = JSON.stringify({ method: 'tools/call', params: paramsOf(call), jsonrpc: '2.0', id });
    const key = call.idempotencyHeader === undefined ? {} : { [call.idempotencyHeader.toLowerCase()]: call.dispatch };
    const wait = new AbortController();
    const abort = (): void => wait.abort();
    call.signal.addEventListener('abort', abort, { once: true });
    const late = setTimeout(() => wait.abort(new AskFailed('timeout', `no answer within ${call.deadlineMs} ms`)), call.deadlineMs);
    try {
      const response = await agent.request({
        ...target,
        headers: { ...common, 'mcp-method': 'tools/call', 'mcp-name': call.address, ...key },
        body,
        signal: wait.signal,
      });
      return answerOf(await messageOf(response, id, limit));
    } finally {
      clearTimeout(late);
      call.signal.removeEventListener('abort', abort);
    }
  };
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function paramsOf(call: UpstreamCall) {
  return {
    name: call.address,
    arguments: call.arguments,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': stateless,
      'io.modelcontextprotocol/clientInfo': { name: 'taskgate', version: product.version },
      'io.modelcontextprotocol/clientCapabilities': {},
      ...metaOf(call),
    },
  };
}

/** What a call carries beside its arguments. */
export const metaOf = ({ dispatch, traceparent }: UpstreamCall) => ({ [dispatchKey]: dispatch, ...(traceparent === null ? {} : { traceparent }) });

/** The JSON-RPC response to request `id`, from a JSON body or an event stream. */
async function messageOf({ statusCode, headers, body }: Dispatcher.ResponseData, id: number, limit: Limit): Promise<Readonly<Record<string, unknown>>> {
  const type = String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase();
  const events = type === 'text/event-stream';
  const refused = refusalOf(statusCode, headers, events || type === 'application/json');
  if (refused) {
    body.on('error', () => undefined).destroy();
    throw refused;
  }
  let found: Readonly<Record<string, unknown>> | null = null;
  const look = (text: string): void => {
    const message: unknown = parsed(text);
    if (isObject(message) && message['jsonrpc'] === '2.0' && message['id'] === id && ('result' in message || 'error' in message)) found ??= message;
  };
  const parser = events ? createParser({ onEvent: ({ data }) => look(data) }) : null;
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limit()) {
      body.destroy();
      throw new AskFailed('too_large', 'its answer is larger than allowed');
    }
    const part = decoder.decode(chunk, { stream: true });
    if (parser) parser.feed(part);
    else text += part;
    if (found !== null) return leave(body, found);
  }
  if (parser) parser.feed(decoder.decode());
  else look(text + decoder.decode());
  if (found === null) throw events ? new AskFailed('died', 'its answer was cut short') : new AskFailed('protocol', 'its answer is no JSON-RPC response');
  return found;
}

/** The answer is there: an upstream that ends its stream keeps its connection, one that talks on loses it. */
function leave<T>(body: Dispatcher.ResponseData['body'], answer: T): T {
  body.on('error', () => undefined);
  const late = setTimeout(() => body.destroy(), 1_000).unref();
  body.once('close', () => clearTimeout(late));
  void body.dump({ limit: 65_536 });
  return answer;
}

function refusalOf(status: number, headers: Dispatcher.ResponseData['headers'], readable: boolean): AskFailed | null {
  if (status >= 300 && status < 400) return new AskFailed('refused', 'it answered with a redirect, and those are not followed');
  // An error may come with a JSON-RPC body that says more precisely what it is.
  if (status !== 200 && !(status >= 400 && readable)) return new AskFailed('refused', `it answered with HTTP status ${status}`);
  if (!readable) return new AskFailed('protocol', 'its answer has a content type that MCP does not know');
  return headers['content-encoding'] === undefined ? null : new AskFailed('protocol', 'its answer is encoded, which was not asked for');
}

function answerOf(message: Readonly<Record<string, unknown>>): Answer {
  const { result, error } = message;
  if (error !== undefined) {
    const code = isObject(error) && Number.isSafeInteger(error['code']) ? error['code'] : 'of no kind';
    throw new AskFailed('refused', `it answered with error ${code}`);
  }
  const kind = isObject(result) ? result['resultType'] : undefined;
  if (kind === 'input_required') throw new AskFailed('protocol', 'it asked for input, which an upstream may not');
  if (!isObject(result) || kind !== 'complete') throw new AskFailed('protocol', 'its result is not a valid MCP result');
  const { resultType: _, ...rest } = result;
  if (isPlain(rest)) return { content: rest['content'] as Answer['content'] };
  const checked = specTypeSchemas.CallToolResult['~standard'].validate(rest);
  if (checked instanceof Promise || checked.issues) throw new AskFailed('protocol', 'its result is not a valid MCP result');
  return checked.value;
}

/** Text and nothing else, which most answers are, comes out of the schema as it went in. */
const isPlain = (result: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(result).length === 1 && Array.isArray(result['content']) && result['content'].every(isPlainText);

const isPlainText = (block: unknown): boolean =>
  isObject(block) && block['type'] === 'text' && typeof block['text'] === 'string' && Object.keys(block).length === 2;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
