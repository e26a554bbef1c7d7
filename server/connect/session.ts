import { z } from 'zod';
import { type BrokerDoors, postForm } from './broker.ts';
import { Failure } from './failure.ts';
import type { Workload } from './workload.ts';

/** The client of the token endpoint: opens, renews and ends one task session. */

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token';
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A key of this process that every request proves (RFC 9449), so that its tokens are of no use to anybody else. */
export interface Holder {
  buildProof(request: { readonly htm: string; readonly htu: string }): Promise<string>;
}

/** What is asked for (RFC 9396); the answer may be less. */
export interface TaskRequest {
  readonly use_case: string;
  readonly objective?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly tools?: readonly string[];
  /** Seconds. */
  readonly lifetime?: number;
  readonly parent?: string;
}

const granted = z.looseObject({ type: z.literal('taskgate-task'), session_id: z.string(), mcp_url: z.url(), expires_at: z.int() });
const answer = z.looseObject({ access_token: z.string(), token_type: z.string(), expires_in: z.int().positive(), authorization_details: z.tuple([granted]) });

export interface Task {
  readonly session: string;
  readonly mcpUrl: string;
  /** When the session ends, epoch seconds. */
  readonly endsAt: number;
  readonly accessToken: string;
  /** When the token expires, epoch ms. */
  readonly tokenExpires: number;
  /** The granted `authorization_details` entry, whole. */
  readonly granted: Readonly<Record<string, unknown>>;
}

/**
 * Opens a session: by token exchange (RFC 8693) when a sponsor stands behind it, else as the agent itself. Without a holder its tokens
 * are bearers, for whoever passes them on.
 */
export async function openTask(
  doors: BrokerDoors,
  workload: Workload,
  idToken: string | null,
  request: TaskRequest,
  holder: Holder | null = null,
): Promise<Task> {
  const details = JSON.stringify([{ type: 'taskgate-task', ...request }]);
  const proof = await workload.prove();
  const form =
    idToken === null
      ? { grant_type: 'client_credentials', client_assertion_type: jwtBearer, client_assertion: proof }
      : { grant_type: exchange, subject_token: idToken, subject_token_type: idTokenType, actor_token: proof, actor_token_type: jwtType };
  return askTask(doors, { ...form, authorization_details: details }, holder);
}

/** A fresh token for a live session, on a fresh proof of the workload and of the holder's key; an access token never renews. */
export async function renewTask(doors: BrokerDoors, workload: Workload, session: string, holder: Holder | null = null): Promise<Task> {
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: jwtBearer,
    client_assertion: await workload.prove(),
    authorization_details: JSON.stringify([{ type: 'taskgate-task', session_id: session }]),
  };
  return askTask(doors, form, holder);
}

async function askTask(doors: BrokerDoors, form: Readonly<Record<string, string>>, holder: Holder | null): Promise<Task> {
  const { tokenEndpoint } = doors;
  const proof = holder && (await holder.buildProof({ htm: 'POST', htu: tokenEndpoint }));
  const body = await postForm(tokenEndpoint, form, proof === null ? {} : { dpop: proof });
  return readTask(doors, body, holder !== null);
}

/** Revocation ends the session (RFC 7009). */
export async function endTask(doors: BrokerDoors, workload: Workload, accessToken: string): Promise<void> {
  await postForm(doors.revocationEndpoint, {
    token: accessToken,
    token_type_hint: 'access_token',
    client_assertion_type: jwtBearer,
    client_assertion: await workload.prove(),
  });
}

/** Trades a person's ID token for a token that `/v1` takes. */
export async function exchangePerson(doors: BrokerDoors, idToken: string): Promise<{ accessToken: string; expiresAt: number }> {
  const body = await postForm(doors.tokenEndpoint, {
    grant_type: exchange,
    subject_token: idToken,
    subject_token_type: idTokenType,
    resource: `${doors.url}/v1`,
  });
  const { access_token: accessToken, expires_in: seconds } = answer.omit({ authorization_details: true }).parse(body);
  return { accessToken, expiresAt: Date.now() + seconds * 1000 };
}

function readTask(doors: BrokerDoors, body: unknown, bound: boolean): Task {
  const parsed = answer.safeParse(body);
  // The token goes to this URL on every call: it must be one of the broker's own.
  if (!parsed.success || !parsed.data.authorization_details[0].mcp_url.startsWith(`${doors.url}/`)) {
    throw new Failure('the broker answered the token request with something else than a task');
  }
  const { access_token: accessToken, token_type: type, expires_in: seconds, authorization_details: details } = parsed.data;
  if (bound && type.toLowerCase() !== 'dpop')
    throw new Failure('the broker gave a token that is not bound to the key of this process', {
      remedy: 'check that the broker is not older than this command',
    });
  const [task] = details;
  return { session: task.session_id, mcpUrl: task.mcp_url, endsAt: task.expires_at, accessToken, tokenExpires: Date.now() + seconds * 1000, granted: task };
}
