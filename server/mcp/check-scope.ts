import { type Asked, findOperation, isRefusal, type Refusal, refuse } from '../call/index.ts';
import { type Scope, scopeOf, scopes } from '../identity/index.ts';
import { recordAtDoor } from './admit.ts';
import type { Visit } from './parts.ts';

/** A token that was asked for with less than its session may do does less, until another is asked for. */

/** The scope a granted operation needs and this token lacks; null when there is none, or it is not granted. */
export function lackedScope({ caller, session }: Visit, name: unknown): Scope | null {
  if (!caller?.scopes || !session) return null;
  const granted = session.row.grants.some((grant) => grant.tool === name) ? session.tenant.tools.get(String(name)) : undefined;
  const scope = granted && scopeOf(granted.manifest.effect);
  return scope === undefined || caller.scopes.includes(scope) ? null : scope;
}

/** In front of both protocol legs, so that it is an HTTP answer whatever the client speaks: 403, naming all that a token needs for this and for what it could do before. */
export async function checkScope(visit: Visit, message: Readonly<Record<string, unknown>>): Promise<Refusal | null> {
  if (!visit.caller?.scopes || !visit.session) return null;
  const asked = askedIn(message);
  const found = asked && findOperation(visit.session, asked);
  if (!found || isRefusal(found)) return null;
  const lacked = lackedScope(visit, found.tool);
  if (lacked === null) return null;
  await recordAtDoor(visit, found.tool, 'token.scope');
  const needed = scopes.filter((scope) => scope === lacked || visit.caller?.scopes?.includes(scope));
  return refuse('token.scope', 'This token was narrowed to less than this call needs.', { scopes: needed });
}

/** What a message that is a call asks for; null for any other. */
function askedIn({ method, params }: Readonly<Record<string, unknown>>): Asked | null {
  if (typeof params !== 'object' || params === null) return null;
  const { name, uri } = params as { readonly name?: unknown; readonly uri?: unknown };
  if (method === 'resources/read') return typeof uri === 'string' ? { kind: 'resource', uri } : null;
  const kind = method === 'tools/call' ? 'tool' : method === 'prompts/get' ? 'prompt' : null;
  return kind && typeof name === 'string' ? { kind, tool: name, arguments: {} } : null;
}
