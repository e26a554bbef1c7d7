import { z } from 'zod';
import { seal, unseal } from '../../credentials/index.ts';
import { matchesRedirect } from '../../documents/redirects.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { mcpUrl, tenantIssuer, tenantMcpUrl } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { findClient } from '../clients/find-client.ts';

/** What a client asked of a sponsor, found in order: sealed, so that the page of the consent carries it and nobody can change it. */
const asked = z.strictObject({
  tenant: z.string(),
  client: z.strictObject({ id: z.string(), kind: z.enum(['registered', 'document', 'dynamic']), name: z.string(), host: z.string().nullable() }),
  redirect: z.string(),
  /** PKCE, S256. */
  challenge: z.string(),
  /** The key whose proof has to come with the code (RFC 9449 §10); null when the client named none. */
  jkt: z.string().nullable().default(null),
  resource: z.string(),
  state: z.string().nullable(),
  /** Epoch milliseconds. */
  until: z.int(),
});
export type AuthorizationAsked = z.infer<typeof asked>;

/** Long enough to log in and read; whoever comes back later begins again at the program. */
const lifeMs = 600_000;
const longestState = 2_048;
const context = 'oauth/authorize';

export const sealRequest = (ports: Pick<Ports, 'keys'>, request: AuthorizationAsked): string =>
  Buffer.from(seal(ports.keys.state, JSON.stringify(request), context)).toString('base64url');

/** Null for what was not sealed here, was changed, or is too old. */
export function openRequest(ports: Pick<Ports, 'keys' | 'clock'>, text: string): AuthorizationAsked | null {
  if (text.length > 16_384) return null;
  try {
    const request = asked.parse(JSON.parse(unseal(ports.keys.state, Buffer.from(text, 'base64url'), context, ports.clock()).toString('utf8')));
    return request.until > ports.clock() ? request : null;
  } catch {
    return null;
  }
}

export type AuthorizationErrorCode =
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'invalid_target'
  | 'interaction_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'invalid_authorization_details';

export type Read =
  | { readonly asked: AuthorizationAsked }
  /** Sent back to the client (RFC 6749 §4.1.2.1). */
  | { readonly back: string }
  /** Nobody is sent anywhere: it is not certain to whom. For the log. */
  | { readonly stop: string };

/** Where the browser goes next, with what; `iss` tells a client of several issuers which of them answers (RFC 9207). */
export function goBack(
  ports: Pick<Ports, 'config'>,
  to: Pick<AuthorizationAsked, 'tenant' | 'redirect' | 'state'>,
  answer: Readonly<Record<string, string>>,
): string {
  const url = new URL(to.redirect);
  const all = { ...answer, ...(to.state === null ? {} : { state: to.state }), iss: tenantIssuer(ports.config, to.tenant) };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return url.href;
}

export const refusal = (error: AuthorizationErrorCode, description: string): Record<string, string> => ({ error, error_description: description });

/** Reads an authorization request (RFC 6749 §4.1.1, RFC 7636, RFC 8707): first whom it is from and where it goes back to, exactly. */
export async function readAuthorization(
  ports: Pick<Ports, 'store' | 'clock' | 'keys' | 'config'>,
  snapshot: TenantSnapshot | null,
  query: URLSearchParams,
): Promise<Read> {
  const names = [...query.keys()];
  const [id, redirect] = [query.get('client_id'), query.get('redirect_uri')];
  if (!snapshot) return { stop: 'unknown tenant' };
  if (id === null || redirect === null) return { stop: 'no client_id or no redirect_uri' };
  if (['client_id', 'redirect_uri', 'state'].some((name) => query.getAll(name).length > 1)) return { stop: 'a parameter is given twice' };
  const client = await findClient(ports, snapshot, id);
  if (typeof client === 'string') return { stop: client };
  if (!client.redirects.some((registered) => matchesRedirect(registered, redirect))) return { stop: 'this redirect_uri is not one of the client' };

  const state = query.get('state');
  const to = { tenant: snapshot.tenant, redirect, state: state !== null && state.length <= longestState ? state : null };
  const no = (error: AuthorizationErrorCode, description: string): Read => ({ back: goBack(ports, to, refusal(error, description)) });
  if (new Set(names).size !== names.length) return no('invalid_request', 'A parameter is given twice.');
  if (state !== to.state) return no('invalid_request', `state has at most ${longestState} characters.`);
  if (query.has('request')) return no('request_not_supported', 'Requests are made by plain parameters.');
  if (query.has('request_uri')) return no('request_uri_not_supported', 'Requests are made by plain parameters.');
  if (query.get('response_type') !== 'code') return no('unsupported_response_type', 'Only response_type=code is answered.');
  const mode = query.get('response_mode');
  if (mode !== null && mode !== 'query') return no('invalid_request', 'Answers go into the query alone.');
  // RFC 7636 §4.2: the base64url form of a SHA-256 has exactly 43 characters.
  if (query.get('code_challenge_method') !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? ''))
    return no('invalid_request', 'PKCE with code_challenge_method=S256 is required.');
  const jkt = query.get('dpop_jkt');
  if (jkt !== null && !/^[A-Za-z0-9_-]{43}$/.test(jkt)) return no('invalid_request', 'dpop_jkt is the SHA-256 thumbprint of a key.');
  const resource = query.get('resource') ?? tenantMcpUrl(ports.config, snapshot.tenant);
  if (resource !== tenantMcpUrl(ports.config, snapshot.tenant) && resource !== mcpUrl(ports.config))
    return no('invalid_target', 'This resource is no door of this tenant for hosts.');
  if (query.has('authorization_details')) return no('invalid_authorization_details', 'The sponsor says what the task is, on the page they are shown.');
  if (query.get('prompt')?.split(' ').includes('none')) return no('interaction_required', 'A sponsor consents to every task.');
  const { kind, name, host } = client;
  return { asked: { ...to, client: { id, kind, name, host }, challenge: query.get('code_challenge') ?? '', jkt, resource, until: ports.clock() + lifeMs } };
}
