import { classifyInboundRequest, specTypeSchemas } from '@modelcontextprotocol/server';
import type { ToolCall, ToolResult } from './handlers.ts';
import { serverInfo } from './introduction.ts';

/**
 * The plain `tools/call` of MCP 2026-07-28: no progress asked for, nothing resumed. It is most of what a broker hears, and one result
 * is all it wants, so it is read and answered here, byte for byte as SDK v2 does, which every other request and every other answer
 * goes through.
 */
export interface PlainCall extends ToolCall {
  readonly id: string | number;
}

const revision = '2026-07-28';
const protocolVersion = 'io.modelcontextprotocol/protocolVersion';
const serverInfoKey = 'io.modelcontextprotocol/serverInfo';
const known = new Set(['name', 'arguments', '_meta']);

/** Which era a message speaks, or the plain call it is. */
export function routeOf(headers: Headers, message: Readonly<Record<string, unknown>>): 'legacy' | 'modern' | PlainCall {
  const [version, method, name] = ['mcp-protocol-version', 'mcp-method', 'mcp-name'].map((header) => headers.get(header) ?? undefined);
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body: message,
  });
  if (route.kind === 'legacy') return 'legacy';
  // Classified and cross-checked with the headers that are there; the SDK also demands that they are.
  if (route.kind !== 'modern' || route.messageKind !== 'request' || method !== 'tools/call' || version !== revision) return 'modern';
  const { id, params } = route.message;
  const meta = params?.['_meta'];
  if (!isObject(params) || !isObject(meta) || meta[protocolVersion] !== revision || 'progressToken' in meta) return 'modern';
  const args = params['arguments'] ?? {};
  if (name === undefined || params['name'] !== name || !isHeaderSafe(name) || !isObject(args)) return 'modern';
  return Object.keys(params).every((key) => known.has(key)) ? { id, name, arguments: args, meta } : 'modern';
}

/** A name that stands in its header as it is (SEP-2243). */
const isHeaderSafe = (name: string): boolean => /^[A-Za-z0-9_.-]{1,128}$/.test(name);

/** The answer to it; null when the result has not the shape MCP asks for, which the SDK then says. */
export function answerPlainly({ id }: PlainCall, result: ToolResult): Response | null {
  const checked = specTypeSchemas.CallToolResult['~standard'].validate(result);
  if (checked instanceof Promise || checked.issues) return null;
  const { value } = checked;
  const body = JSON.stringify({ result: { ...value, resultType: 'complete', _meta: { ...value._meta, [serverInfoKey]: serverInfo } }, jsonrpc: '2.0', id });
  return new Response(body, { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
