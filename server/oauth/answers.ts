import type { Context } from 'hono';
import type { Refusal } from '../call/refusals.ts';

/** RFC 6749 §5.2, RFC 8707 §2, RFC 9396 §5, RFC 9449 §5, RFC 7009 §2.2.1; `slow_down` as in RFC 8628 §3.5, with HTTP 429. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_dpop_proof'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_target'
  | 'invalid_scope'
  | 'invalid_authorization_details'
  | 'unsupported_token_type'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'server_error';

/** What goes back instead of an answer, with why, for the log alone. */
export interface OAuthError {
  readonly error: OAuthErrorCode;
  readonly description: string;
  /** Never sent. */
  readonly detail: string | null;
  /** `slow_down`: seconds to leave before the next try. */
  readonly retryAfter?: number;
}

export const oauthError = (error: OAuthErrorCode, description: string, detail: string | null = null): OAuthError => ({ error, description, detail });
export const isOAuthError = (value: object): value is OAuthError => 'error' in value && 'description' in value;

/** One text each for unknown tenant, unknown client and wrong key: which it was is not for strangers. */
export const unprovenClient = (detail: string | null): OAuthError => oauthError('invalid_client', 'The client could not be authenticated.', detail);
export const unprovenGrant = (detail: string | null): OAuthError => oauthError('invalid_grant', 'A token of this request is not valid here.', detail);

/** A refusal of admission: the asker has proven itself, so it may read why; the tenant's record has it already. */
export function fromRefusal(refusal: Refusal): OAuthError {
  const transient = refusal.refused === 'stale' || refusal.refused === 'unavailable';
  if (transient) return oauthError('temporarily_unavailable', refusal.message);
  return oauthError(refusal.refused === 'token.unproven' ? 'invalid_dpop_proof' : 'invalid_grant', refusal.message);
}

/** Nothing of these doors may be kept by a cache (RFC 6749 §5.1). */
const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' };

export const sendAnswer = (c: Context, body: Readonly<Record<string, unknown>>): Response => c.json(body, 200, noStore);

export function sendError(c: Context, { error, description, retryAfter = 1 }: OAuthError): Response {
  const body = { error, error_description: description };
  switch (error) {
    case 'invalid_client':
      return c.json(body, 401, { ...noStore, 'www-authenticate': 'Bearer error="invalid_client"' });
    case 'slow_down':
      return c.json(body, 429, { ...noStore, 'retry-after': String(retryAfter) });
    case 'temporarily_unavailable':
      return c.json(body, 503, { ...noStore, 'retry-after': '1' });
    case 'server_error':
      return c.json(body, 500, noStore);
    default:
      return c.json(body, 400, noStore);
  }
}
