import { z } from 'zod';
import { seal, unseal } from '../../credentials/index.ts';
import { isOfThisMachine, isRedirect } from '../../documents/redirects.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Ports } from '../../ports.ts';
import type { Client } from './client.ts';

/**
 * Dynamic registration (RFC 7591), where a tenant allows it. What a client registers is sealed into the id it is given, so that a
 * stranger who registers a million of them leaves nothing behind.
 */

const asked = z.looseObject({
  client_name: z.string().min(1).max(100).optional(),
  redirect_uris: z.array(z.string().max(512)).min(1).max(5),
  grant_types: z.array(z.string()).optional(),
  response_types: z.array(z.string()).optional(),
  dpop_bound_access_tokens: z.boolean().default(false),
});
const kept = z.strictObject({ name: z.string().nullable(), redirects: z.array(z.string()), bound: z.boolean().default(false) });

const prefix = 'tgd_';
const contextOf = (tenant: string): string => `oauth/client/${tenant}`;
const longestId = 4_096;

type Answer =
  | { readonly client: Readonly<Record<string, unknown>> }
  | { readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'; readonly description: string };

/** Programs on the sponsor's own machine, and where the tenant lets people be sent back to besides: anywhere else a code could be fished for. */
export const mayGoBackTo = (allowed: readonly string[], redirect: string): boolean =>
  isRedirect(redirect) && (isOfThisMachine(redirect) || allowed.includes(redirect));

export function registerClient(ports: Pick<Ports, 'keys' | 'clock'>, snapshot: Pick<TenantSnapshot, 'tenant' | 'document'>, body: unknown): Answer {
  const parsed = asked.safeParse(body);
  if (!parsed.success)
    return { error: 'invalid_client_metadata', description: 'redirect_uris must name one to five addresses; client_name is at most 100 characters.' };
  const { client_name: name, redirect_uris: redirects, grant_types: grants, response_types: types, dpop_bound_access_tokens: bound } = parsed.data;
  if (grants && !grants.includes('authorization_code'))
    return { error: 'invalid_client_metadata', description: 'Only clients of the authorization code grant are registered.' };
  if (types && !types.includes('code')) return { error: 'invalid_client_metadata', description: 'Only the response type code is answered.' };
  const beyond = redirects.some((one) => !mayGoBackTo(snapshot.document.registration?.redirects ?? [], one));
  if (beyond)
    return { error: 'invalid_redirect_uri', description: "Each redirect URI must be on the user's own machine (http, loopback), or one the tenant names." };
  const sealed = seal(ports.keys.state, JSON.stringify({ name: name ?? null, redirects, bound }), contextOf(snapshot.tenant));
  return {
    client: {
      client_id: `${prefix}${Buffer.from(sealed).toString('base64url')}`,
      client_id_issued_at: Math.floor(ports.clock() / 1000),
      ...(name === undefined ? {} : { client_name: name }),
      redirect_uris: redirects,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      dpop_bound_access_tokens: bound,
    },
  };
}

/** What was registered under the id; null when nothing was, or its key has retired. */
export function openRegistration(ports: Pick<Ports, 'keys' | 'clock'>, tenant: string, id: string): Client | null {
  if (!id.startsWith(prefix) || id.length > longestId) return null;
  try {
    const opened = unseal(ports.keys.state, Buffer.from(id.slice(prefix.length), 'base64url'), contextOf(tenant), ports.clock());
    const { name, redirects, bound } = kept.parse(JSON.parse(opened.toString('utf8')));
    return { id, kind: 'dynamic', name: name ?? 'A program without a name', host: null, redirects, keys: null, bound };
  } catch {
    return null;
  }
}
