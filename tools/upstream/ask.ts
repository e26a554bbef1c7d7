import { specTypeSchemas } from '@modelcontextprotocol/client';
import type { Agent } from 'undici';
import product from '../../package.json' with { type: 'json' };
import { AskFailed, exchange, isObject } from './exchange.ts';
import type { Answer } from './outcome.ts';
import type { UpstreamCall } from './upstream.ts';
import { dispatchKey, type Limit } from './wire.ts';

/**
 * One plain `tools/call` of MCP 2026-07-28 over Streamable HTTP, which is stateless: a request and its answer, without the SDK's
 * client in between. What it sends and what it makes of an answer is the client's own, byte for byte where it matters.
 */

/** Throws `AskFailed`, or what the connection threw. */
export type Ask = (call: UpstreamCall) => Promise<Answer>;

/** The revision in which a call is one request and one answer. */
export const stateless = '2026-07-28';

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
    const said = { ...common, 'mcp-method': 'tools/call', 'mcp-name': call.address, ...key };
    return answerOf(await exchange(agent, { ...target, headers: said, body }, id, call, limit));
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

function answerOf(message: Readonly<Record<string, unknown>>): Answer {
  const { result, error } = message;
  if (error !== undefined) {
    const code = isObject(error) && Number.isSafeInteger(error['code']) ? error['code'] : 'of no kind';
    throw new AskFailed('refused', `it answered with error ${code}`);
  }
  const kind = isObject(result) ? result['resultType'] : undefined;
  if (kind === 'input_required') throw new AskFailed('protocol', 'it asked for input, which an upstream may not');
  if (!isObject(result) || kind !== 'complete') throw new AskFailed('protocol', 'its result is not a valid MCP result');
  if (isPlain(result)) return { content: result['content'] };
  const { resultType: _, ...rest } = result;
  const checked = specTypeSchemas.CallToolResult['~standard'].validate(rest);
  if (checked instanceof Promise || checked.issues) throw new AskFailed('protocol', 'its result is not a valid MCP result');
  return checked.value;
}

/** Text and nothing else, which most answers are, comes out of the schema as it went in. */
const isPlain = (result: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(result).length === 2 && Array.isArray(result['content']) && result['content'].every(isPlainText);

const isPlainText = (block: unknown): boolean =>
  isObject(block) && block['type'] === 'text' && typeof block['text'] === 'string' && Object.keys(block).length === 2;
