import { classifyInboundRequest, specTypeSchemas } from '@modelcontextprotocol/server';
import type { ReadHeaders } from '../identity/index.ts';
import type { Call } from './answer-call.ts';
import { serverInfo } from './introduction.ts';
import type { ToolResult } from './tool-result.ts';

/**
 * The plain `tools/call` of MCP 2026-07-28: no progress asked for, nothing resumed. It is most of what a broker hears, and one result
 * is all it wants, so it is read and answered here, byte for byte as SDK v2 does, which every other request and every other answer
 * goes through.
 */
export interface PlainCall extends Call {
  readonly id: string | number;
}

const revision = '2026-07-28';
const protocolVersion = 'io.modelcontextprotocol/protocolVersion';
const clientInfo = 'io.modelcontextprotocol/clientInfo';
const clientCapabilities = 'io.modelcontextprotocol/clientCapabilities';
const serverInfoKey = 'io.modelcontextprotocol/serverInfo';
const known = new Set(['name', 'arguments', '_meta']);

/** Which era a message speaks, or the plain call it is. */
export function routeOf(headers: ReadHeaders, message: Readonly<Record<string, unknown>>): 'legacy' | 'modern' | PlainCall {
  const [version, method, name] = ['mcp-protocol-version', 'mcp-method', 'mcp-name'].map((header) => headers.get(header) ?? undefined);
  const plain = version === revision && method === 'tools/call' ? plainCallOf(message, name) : null;
  // Who has been found to introduce itself rightly does so again in every call.
  const introduction = plain && JSON.stringify([plain.meta[protocolVersion], plain.meta[clientInfo], plain.meta[clientCapabilities]]);
  if (plain && introduction !== null && introductions.has(introduction)) return plain;
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body: message,
  });
  if (route.kind === 'legacy') return 'legacy';
  // Classified and cross-checked with the headers that are there; the SDK also demands that they are.
  if (route.kind !== 'modern' || route.messageKind !== 'request' || !plain || introduction === null) return 'modern';
  if (introductions.size >= mostIntroductions) introductions.clear();
  if (introduction.length <= longestIntroduction) introductions.add(introduction);
  return plain;
}

/** The envelopes of clients whose calls the SDK's own check has let pass. */
const introductions = new Set<string>();
const mostIntroductions = 256;
const longestIntroduction = 1_024;

function plainCallOf({ jsonrpc, id, method, params, ...rest }: Readonly<Record<string, unknown>>, named: string | undefined): PlainCall | null {
  if (jsonrpc !== '2.0' || method !== 'tools/call' || !(typeof id === 'string' || Number.isSafeInteger(id))) return null;
  if (!isObject(params) || Object.keys(rest).length > 0) return null;
  const { name, arguments: args = {}, _meta: meta } = params;
  if (named === undefined || name !== named || !isHeaderSafe(named) || !isObject(args) || !isObject(meta)) return null;
  if (meta[protocolVersion] !== revision || 'progressToken' in meta || Object.keys(params).some((key) => !known.has(key))) return null;
  return { kind: 'tool', id: id as string | number, name: named, arguments: args, meta };
}

/** A name that stands in its header as it is (SEP-2243). */
const isHeaderSafe = (name: string): boolean => /^[A-Za-z0-9_.-]{1,128}$/.test(name);

/** The body of the answer to it; null when the result has not the shape MCP asks for, which the SDK then says. */
export function answerPlainly({ id }: PlainCall, result: ToolResult): string | null {
  const value = checkedResult(result);
  if (value === null) return null;
  return JSON.stringify({ result: { ...value, resultType: 'complete', _meta: { ...value._meta, [serverInfoKey]: serverInfo } }, jsonrpc: '2.0', id });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

interface Checked {
  readonly _meta?: Readonly<Record<string, unknown>> | undefined;
}

/** As the SDK lets a result out: only what MCP knows of it, in the order of its schema; null when it has not that shape. */
function checkedResult({ content, structuredContent, isError, _meta }: ToolResult): Checked | null {
  // Text and nothing else, which most results are, comes out of the schema as it went in.
  if (content.every(isPlainText))
    return { _meta, content, ...(structuredContent === undefined ? {} : { structuredContent }), ...(isError ? { isError } : {}) } as Checked;
  const checked = specTypeSchemas.CallToolResult['~standard'].validate({ content, structuredContent, isError, _meta });
  return checked instanceof Promise || checked.issues ? null : checked.value;
}

const isPlainText = (block: Readonly<Record<string, unknown>>): boolean =>
  block['type'] === 'text' && typeof block['text'] === 'string' && Object.keys(block).length === 2;
