import { z } from 'zod';
import { exits, Failure } from './failure.ts';

/** Where a tenant's doors are, as the broker's own metadata says (RFC 8414). */
export interface BrokerDoors {
  readonly tenant: string;
  /** The URL it was reached at, without a trailing slash. */
  readonly reached: string;
  /** The broker's public URL, without a trailing slash. */
  readonly url: string;
  /** `<url>/t/<tenant>`: the only `aud` of a workload JWT. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
}

const metadata = z.object({ issuer: z.url(), token_endpoint: z.url(), revocation_endpoint: z.url() });
const oauthError = z.object({ error: z.string(), error_description: z.string().optional() });

/** Asks the broker at `url` for the doors of `tenant`. Rejects with `Failure` when it does not answer or knows no such tenant. */
export async function findDoors(url: string, tenant: string): Promise<BrokerDoors> {
  const base = url.replace(/\/+$/, '');
  const response = await ask(`${base}/.well-known/oauth-authorization-server/t/${encodeURIComponent(tenant)}`, {});
  if (response.status === 404)
    throw new Failure(`the broker at ${base} has no tenant '${tenant}'`, { remedy: 'check --tenant (TASKGATE_TENANT); the samples are acme and globex' });
  const parsed = metadata.safeParse(await readJson(response));
  if (!response.ok || !parsed.success)
    throw new Failure(`what answers at ${base} is not a Taskgate broker (HTTP ${response.status})`, { remedy: 'check --url (TASKGATE_URL)' });
  const { issuer, token_endpoint: tokenEndpoint, revocation_endpoint: revocationEndpoint } = parsed.data;
  // RFC 8414 §3.3: metadata may not send credentials anywhere but to its own issuer.
  if (!issuer.endsWith(`/t/${tenant}`) || ![tokenEndpoint, revocationEndpoint].every((endpoint) => endpoint.startsWith(`${issuer}/`))) {
    throw new Failure(`the metadata at ${base} names doors outside its own issuer`, { remedy: 'check --url (TASKGATE_URL)' });
  }
  return { tenant, reached: base, url: issuer.slice(0, -`/t/${tenant}`.length), issuer, tokenEndpoint, revocationEndpoint };
}

/** The broker answers all of this alike, so that strangers learn nothing. */
const unprovenRemedy =
  'a credential is not this tenant’s, names another agent, is too old, or was used before: check --tenant, --agent, --key or --svid-file, --sponsor-token';

/** POSTs a form to an OAuth endpoint; an error answer (RFC 6749 §5.2) becomes a `Failure` with its code and words. */
export async function postForm(endpoint: string, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const response = await ask(endpoint, { method: 'POST', body: new URLSearchParams(form), headers: { accept: 'application/json', ...headers } });
  const body = await readJson(response);
  if (response.ok) return body;
  const refused = oauthError.safeParse(body);
  if (!refused.success) throw new Failure(`the broker answered HTTP ${response.status} at ${endpoint}`);
  const { error, error_description: words } = refused.data;
  const unproven = error === 'invalid_client' || /not valid here/.test(words ?? '');
  const remedy = unproven ? unprovenRemedy : error === 'invalid_dpop_proof' ? 'check the clock of this machine' : null;
  throw new Failure(words ?? `the broker refused (${error})`, {
    ...(remedy === null ? {} : { remedy }),
    code: error,
    exit: response.status >= 500 ? exits.failure : exits.refused,
  });
}

/** POSTs JSON to a door of the `local` provider, which never says what was wrong; `remedy` is what to look at then. */
export async function postJson(endpoint: string, body: unknown, remedy: string): Promise<unknown> {
  const response = await ask(endpoint, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
  });
  const answer = await readJson(response);
  if (response.ok) return answer;
  const refused = z.object({ error: z.string().optional(), error_description: z.string().optional(), detail: z.string().optional() }).safeParse(answer);
  const words = refused.success ? (refused.data.error_description ?? refused.data.detail ?? refused.data.error) : undefined;
  throw new Failure(words ?? `the broker answered HTTP ${response.status} at ${endpoint}`, {
    ...(response.status === 403 ? { remedy } : {}),
    exit: response.status >= 500 ? exits.failure : exits.refused,
  });
}

/** `fetch` that never follows a redirect (tokens go nowhere else) and says in words when nothing answers. */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(60_000), ...init });
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new Failure(`the broker at ${new URL(url).origin} took too long to answer`, { exit: exits.pending, cause: error });
    throw new Failure(`no broker answers at ${new URL(url).origin}`, {
      remedy: 'start one with `npx taskgate serve`, or name another with --url (TASKGATE_URL)',
      cause: error,
    });
  }
}

export async function readJson(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await response.text());
  } catch {
    return null;
  }
}
