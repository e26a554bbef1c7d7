import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK, type JWK, SignJWT } from 'jose';
import { issuerOf, nowOf, type TestBroker } from './support.ts';

export const grants = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client: 'client_credentials',
  bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const;
export const types = {
  id: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  assertion: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  spiffe: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
} as const;

export async function localAssertion(
  broker: TestBroker,
  tenant: string,
  file: string,
  subject: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const key = JSON.parse(await readFile(join(broker.dir, 'local', tenant, `${file}.json`), 'utf8')) as JWK;
  const now = nowOf(broker);
  const claims = { iss: subject, sub: subject, aud: `${issuerOf(broker, tenant)}/local`, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...more };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '' }).sign(await importJWK(key, 'ES256'));
}

export async function askLocal(
  broker: TestBroker,
  tenant: string,
  what: 'svid' | 'id-token',
  body: unknown,
): Promise<{ status: number; body: Record<string, string> }> {
  const response = await broker.app.request(`/t/${tenant}/local/${what}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

export async function svid(broker: TestBroker, tenant = 'acme', agent = 'invoice-matcher'): Promise<string> {
  const assertion = await localAssertion(broker, tenant, `agents/${agent}`, agent);
  const { body } = await askLocal(broker, tenant, 'svid', { assertion });
  return body['svid'] ?? '';
}

export async function idToken(
  broker: TestBroker,
  as: string,
  more: Readonly<Record<string, unknown>> = { agent: 'invoice-matcher' },
  tenant = 'acme',
): Promise<string> {
  const assertion = await localAssertion(broker, tenant, 'people', as);
  const { body } = await askLocal(broker, tenant, 'id-token', { assertion, as, ...more });
  return body['id_token'] ?? '';
}

export const task = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify([{ type: 'taskgate-task', use_case: 'match-invoices', inputs: { invoice: 'INV-7' }, ...more }]);

/** The form of a delegated opening, everything right unless overridden. */
export async function delegated(
  broker: TestBroker,
  more: { as?: string; login?: Readonly<Record<string, unknown>>; task?: string; form?: Readonly<Record<string, string>> } = {},
): Promise<Record<string, string>> {
  return {
    grant_type: grants.exchange,
    subject_token: await idToken(broker, more.as ?? 'ana', more.login),
    subject_token_type: types.id,
    actor_token: await svid(broker),
    actor_token_type: types.jwt,
    authorization_details: more.task ?? task(),
    ...more.form,
  };
}

/** The form of a `client_credentials` request with a fresh SVID. */
export async function asAgent(broker: TestBroker, details: string, form: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  return { grant_type: grants.client, client_assertion_type: types.assertion, client_assertion: await svid(broker), authorization_details: details, ...form };
}

export interface Granted {
  readonly access_token: string;
  readonly expires_in: number;
  readonly details: Readonly<Record<string, unknown>> & {
    readonly session_id: string;
    readonly mcp_url: string;
    readonly expires_at: number;
    readonly attested_by: string;
  };
}

/** Throws with the broker's words when it refused. */
export function granted(answer: { status: number; body: Record<string, unknown> }): Granted {
  if (answer.status !== 200) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
  const [details] = answer.body['authorization_details'] as [Granted['details']];
  return { access_token: String(answer.body['access_token']), expires_in: Number(answer.body['expires_in']), details };
}

export const renewal = (session: string): string => JSON.stringify([{ type: 'taskgate-task', session_id: session }]);
