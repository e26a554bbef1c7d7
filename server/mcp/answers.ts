import { type Refusal, type RefusalCode, refuse } from '../call/index.ts';
import { proofAlgorithms } from '../identity/index.ts';
import type { Door } from './parts.ts';

/** Refusals on the wire: which channel each takes, and the JSON-RPC answers given outside any SDK. */

export const methodNotFound = -32601;
export const invalidParams = -32602;
export const internalError = -32603;
export const invalidRequest = -32600;
export const parseError = -32700;

/**
 * `door`: HTTP 401, or 403, with a challenge. `unknown_tool`: what is not granted does not exist. `unavailable`: HTTP 503.
 * `tool_error`: a result with `isError`, whose text a model can act on.
 */
export type Channel = 'door' | 'unknown_tool' | 'unavailable' | 'tool_error';

export function channelOf(code: RefusalCode): Channel {
  switch (code) {
    case 'token.missing':
    case 'token.invalid':
    case 'token.expired':
    case 'token.unproven':
    case 'token.scope':
    case 'session.not_found':
    case 'session.expired':
    case 'session.ended':
    case 'session.suspended':
    case 'session.proof_required':
    case 'agent.suspended':
      return 'door';
    case 'tool.not_granted':
      return 'unknown_tool';
    case 'unavailable':
      return 'unavailable';
    case 'session.already_open':
    case 'session.refused':
    case 'tool.changed':
    case 'tool.quarantined':
    case 'arguments.invalid':
    case 'arguments.not_granted':
    case 'arguments.unrepresentable':
    case 'policy.forbidden':
    case 'policy.error':
    case 'approval.required':
    case 'approval.denied':
    case 'approval.expired':
    case 'approval.superseded':
    case 'approval.too_many':
    case 'approval.running':
    case 'approval.unknown':
    case 'budget.exhausted':
    case 'credential.unavailable':
    case 'upstream.unavailable':
    case 'upstream.failed':
    case 'upstream.timeout':
    case 'upstream.too_large':
    case 'outcome.unknown':
    case 'result.withheld':
    case 'call.cancelled':
    case 'limit.exceeded':
    case 'stale':
      return 'tool_error';
  }
}

export type RpcId = string | number | null;

/** The id to answer under; null when the body has none that JSON-RPC allows. */
export function rpcIdOf(body: unknown): RpcId {
  if (typeof body !== 'object' || body === null || !('id' in body)) return null;
  return typeof body.id === 'string' || typeof body.id === 'number' ? body.id : null;
}

const notStored = { 'cache-control': 'no-store' };

/** Of an answer that a call has. */
export const plainHeaders = { 'content-type': 'application/json', ...notStored };

/** A JSON-RPC error answer with its HTTP status. */
export function rpcError(status: number, code: number, message: string, id: RpcId = null, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ jsonrpc: '2.0', id, error: { code, message } }, { status, headers: { ...notStored, ...headers } });
}

export const unavailable = (): Refusal => refuse('unavailable', 'Taskgate cannot answer right now. Try again later.');

/** Whoever stands at the door does not get in: 401 with a challenge (RFC 6750, RFC 9449 §7.1, RFC 9728), or 503 while nothing can be decided. */
export function turnAway(refusal: Refusal, door: Door, id: RpcId = null): Response {
  if (refusal.refused === 'limit.exceeded') return tooManyRequests(refusal, id);
  if (channelOf(refusal.refused) !== 'door') return rpcError(503, internalError, refusal.message, id, { 'retry-after': '1' });
  if (refusal.refused === 'token.scope') return insufficientScope(refusal, door, id);
  // Outside JSON-RPC's reserved range, as MCP asks of codes of one's own.
  const error = { code: 401, message: refusal.message, data: { code: refusal.refused } };
  return Response.json({ jsonrpc: '2.0', id, error }, { status: 401, headers: { ...notStored, 'www-authenticate': challengeOf(refusal, door) } });
}

const algs = `algs="${proofAlgorithms.join(' ')}"`;

/** Both ways to show a token, the older first, for there are clients that read no further; only the one where a bearer would be refused. */
function challengeOf({ refused, message }: Refusal, { presented, metadata }: Door): string {
  const error = refused === 'token.unproven' ? 'invalid_dpop_proof' : 'invalid_token';
  // RFC 6750 §3.1: without a credential no error code; the client has nothing to correct.
  const why = presented ? [`error="${error}"`, `error_description="${quotable(message)}"`] : [];
  const found = [...why, `resource_metadata="${metadata()}"`];
  if (refused === 'token.unproven' || refused === 'session.proof_required') return `DPoP ${[...found, algs].join(', ')}`;
  return `Bearer ${found.join(', ')}, DPoP ${[...why.slice(0, 1), algs].join(', ')}`;
}

/** RFC 6750 §3.1; MCP has a client ask for everything named at once. */
function insufficientScope({ refused, message, scopes = [] }: Refusal, { metadata }: Door, id: RpcId): Response {
  const challenge = `Bearer error="insufficient_scope", scope="${scopes.join(' ')}", error_description="${quotable(message)}", resource_metadata="${metadata()}"`;
  const error = { code: 403, message, data: { code: refused, scope: scopes.join(' ') } };
  return Response.json({ jsonrpc: '2.0', id, error }, { status: 403, headers: { ...notStored, 'www-authenticate': challenge } });
}

/** HTTP 429 (RFC 6585 §4), in words a model can act on: clients show it the body of an answer that is no success. */
export function tooManyRequests({ refused, message, retryAfter = 1 }: Refusal, id: RpcId): Response {
  const error = { code: 429, message, data: { code: refused, retry_after: retryAfter } };
  return Response.json({ jsonrpc: '2.0', id, error }, { status: 429, headers: { ...notStored, 'retry-after': String(retryAfter) } });
}

/** Text fit for a quoted parameter (RFC 6750 §3). */
const quotable = (text: string): string =>
  text
    .replaceAll(/["\\]/g, "'")
    .replaceAll(/[^ -~]/g, ' ')
    .slice(0, 300);
