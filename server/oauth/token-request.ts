import { BadJson, parseJsonStrict } from '../../tools/index.ts';
import type { Config } from '../config.ts';
import { apiUrl, mcpUrl, readScopes, type Scope, scopes } from '../identity/index.ts';
import type { Form } from '../identity/read-form.ts';
import { authorizationDetails, type RenewalAsked, type TaskAsked } from '../sessions/index.ts';
import { type OAuthError, oauthError } from './answers.ts';
import { assertionProblem } from './client.ts';

export const tokenTypes = {
  access: 'urn:ietf:params:oauth:token-type:access_token',
  id: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const;

export const grantTypes = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client: 'client_credentials',
  assertion: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  code: 'authorization_code',
  refresh: 'refresh_token',
} as const;

/** Which door the token is for, `session` naming one only in a renewal, and what it is narrowed to; null when to nothing. */
export type Target = ({ readonly door: 'mcp' } | { readonly door: 'session'; readonly url: string | null }) & { readonly scopes: readonly Scope[] | null };

/** A token request, well-formed; nothing in it is proven yet. */
export type TokenRequest =
  | { readonly grant: 'person'; readonly subjectToken: string }
  | { readonly grant: 'exchange'; readonly subjectToken: string; readonly actorToken: string; readonly task: TaskAsked; readonly target: Target }
  | { readonly grant: 'client'; readonly task: TaskAsked | RenewalAsked; readonly target: Target }
  | { readonly grant: 'code'; readonly code: string; readonly redirect: string; readonly verifier: string; readonly resource: string | null }
  | { readonly grant: 'refresh'; readonly token: string; readonly resource: string | null }
  | { readonly grant: 'assertion'; readonly assertion: string; readonly task: TaskAsked; readonly target: Target };

const bad = (description: string): OAuthError => oauthError('invalid_request', description);

/** Reads a token request by its form alone, so that its errors tell nothing of who exists. */
export function readTokenRequest(config: Pick<Config, 'public_url'>, form: Form): TokenRequest | OAuthError {
  const { grant_type: grant, requested_token_type: wanted } = form;
  if (grant === undefined) return bad('grant_type is missing.');
  const assertion = assertionProblem(form);
  if (assertion) return assertion;
  if (wanted !== undefined && wanted !== tokenTypes.access && wanted !== tokenTypes.jwt) return bad('Only access tokens are issued here.');
  if (form['audience'] !== undefined) return oauthError('invalid_target', 'Name the door by `resource`, not `audience`.');
  switch (grant) {
    case grantTypes.exchange:
      return readExchange(config, form);
    case grantTypes.client:
      return readClientCredentials(config, form);
    case grantTypes.assertion: {
      const { assertion: jwt } = form;
      const task = readDetails(form);
      const target = readTarget(config, form);
      if (jwt === undefined) return bad('assertion is missing.');
      if ('error' in task) return task;
      if ('session_id' in task) return bad('A renewal is a client_credentials request.');
      return 'error' in target ? target : { grant: 'assertion', assertion: jwt, task, target };
    }
    case grantTypes.code:
      return readCode(form);
    case grantTypes.refresh: {
      const { refresh_token: token, resource } = form;
      return token === undefined ? bad('refresh_token is missing.') : { grant: 'refresh', token, resource: resource ?? null };
    }
    default:
      return oauthError('unsupported_grant_type', 'This grant_type is not supported.');
  }
}

/** The verifier's form is RFC 7636's: what is no verifier is told before a code is looked for. */
function readCode({ code, redirect_uri: redirect, code_verifier: verifier, resource }: Form): TokenRequest | OAuthError {
  if (code === undefined || redirect === undefined) return bad('code or redirect_uri is missing.');
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return bad('code_verifier is missing, or none.');
  return { grant: 'code', code, redirect, verifier, resource: resource ?? null };
}

function readExchange(config: Pick<Config, 'public_url'>, form: Form): TokenRequest | OAuthError {
  const { subject_token: subjectToken, subject_token_type: subjectType, actor_token: actorToken, actor_token_type: actorType, resource } = form;
  if (subjectToken === undefined || subjectType !== tokenTypes.id) return bad('subject_token must be an ID token, with its subject_token_type.');
  if (resource === apiUrl(config)) return actorToken === undefined ? { grant: 'person', subjectToken } : bad('A token for people has no actor.');
  if (actorToken === undefined || actorType !== tokenTypes.jwt) return bad("actor_token must be the agent's JWT, with its actor_token_type.");
  const task = readDetails(form);
  if ('error' in task) return task;
  if ('session_id' in task) return bad('A renewal is a client_credentials request.');
  const target = readTarget(config, form);
  return 'error' in target ? target : { grant: 'exchange', subjectToken, actorToken, task, target };
}

function readClientCredentials(config: Pick<Config, 'public_url'>, form: Form): TokenRequest | OAuthError {
  if (form['client_assertion'] === undefined) return bad('client_assertion is missing.');
  const task = readDetails(form);
  if ('error' in task) return task;
  const target = readTarget(config, form);
  return 'error' in target ? target : { grant: 'client', task, target };
}

/** RFC 8707: `/mcp`, or, when left out or named exactly, the session's own door. */
function readTarget(config: Pick<Config, 'public_url'>, { resource, scope }: Form): Target | OAuthError {
  const narrowed = scope === undefined ? null : readScopes(scope);
  if (scope !== undefined && narrowed === null) return oauthError('invalid_scope', `scope names what a token is narrowed to, of: ${scopes.join(' ')}.`);
  if (resource === undefined) return { door: 'session', url: null, scopes: narrowed };
  if (resource === mcpUrl(config)) return { door: 'mcp', scopes: narrowed };
  const own = resource.startsWith(`${config.public_url}/sessions/`);
  return own ? { door: 'session', url: resource, scopes: narrowed } : oauthError('invalid_target', 'This resource is no door of this broker for agents.');
}

function readDetails(form: Form): TaskAsked | RenewalAsked | OAuthError {
  const text = form['authorization_details'];
  const wrong = (why: string): OAuthError => oauthError('invalid_authorization_details', why);
  if (text === undefined) return wrong('authorization_details is missing.');
  let value: unknown;
  try {
    value = parseJsonStrict(text, { bytes: 65_536, depth: 32 });
  } catch (error) {
    if (error instanceof BadJson) return wrong(`authorization_details is not usable JSON: ${error.message}.`);
    throw error;
  }
  const parsed = authorizationDetails.safeParse(value);
  if (parsed.success) return parsed.data[0];
  return wrong(
    'authorization_details must hold exactly one entry of type taskgate-task: use_case, objective, inputs, tools, lifetime, parent; or session_id alone.',
  );
}
