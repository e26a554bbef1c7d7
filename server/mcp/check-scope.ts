import { type Refusal, refuse } from '../call/index.ts';
import { type Scope, scopeOf, scopes } from '../identity/index.ts';
import { recordAtDoor } from './admit.ts';
import type { Visit } from './parts.ts';

/** A token that was asked for with less than its session may do does less, until another is asked for. */

/** The scope a granted tool needs and this token lacks; null when there is none, or the tool is not granted. */
export function lackedScope({ caller, session }: Visit, tool: unknown): Scope | null {
  if (!caller?.scopes || !session) return null;
  const granted = session.row.grants.some((grant) => grant.tool === tool) ? session.tenant.tools.get(String(tool)) : undefined;
  const scope = granted && scopeOf(granted.manifest.effect);
  return scope === undefined || caller.scopes.includes(scope) ? null : scope;
}

/** In front of both protocol legs, so that it is an HTTP answer whatever the client speaks: 403, naming all that a token needs for this and for what it could do before. */
export async function checkScope(visit: Visit, { method, params }: Readonly<Record<string, unknown>>): Promise<Refusal | null> {
  if (method !== 'tools/call' || typeof params !== 'object' || params === null || !('name' in params)) return null;
  const lacked = lackedScope(visit, params.name);
  if (lacked === null) return null;
  await recordAtDoor(visit, String(params.name), 'token.scope');
  const needed = scopes.filter((scope) => scope === lacked || visit.caller?.scopes?.includes(scope));
  return refuse('token.scope', 'This token was narrowed to less than this call needs.', { scopes: needed });
}
