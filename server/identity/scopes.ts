import type { Effect } from '../../policies/index.ts';

/**
 * What a token may be narrowed to, by what the tools it calls do. A ceiling for the token alone: what the session may do, and what
 * policy says of each call, is judged as ever.
 */
export const scopes = ['tools:read', 'tools:write', 'tools:destructive'] as const;
export type Scope = (typeof scopes)[number];

export const scopeOf = (effect: Effect): Scope => `tools:${effect}`;

/** RFC 6749 §3.3: names with spaces between; null when one of them is not ours, or there is none. */
export function readScopes(text: string): readonly Scope[] | null {
  const named = new Set(text.split(' '));
  const known = scopes.filter((scope) => named.has(scope));
  return known.length > 0 && known.length === named.size ? known : null;
}
