import { sha256Hex } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import { connectionId } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';
import type { Caller, Person } from './caller.ts';
import { type OwnTokenProblem, personClaims, type TaskClaims, taskClaims, verifyOwn } from './own-tokens.ts';
import { personNow } from './people.ts';
import { type Proof, verifyProof } from './proof.ts';
import { readScopes } from './scopes.ts';
import { apiUrl, mcpUrl, sessionUrl, tenantMcpUrl } from './urls.ts';

type DoorPorts = Pick<Ports, 'store' | 'keys' | 'config' | 'clock'>;

/** Which door an agent stands at, and what it shows there. */
export interface DoorAsked {
  readonly authorization: string | null;
  /** The `DPoP` header, and the method its proof has to name; a bearer needs neither. */
  readonly proof?: string | null;
  readonly method?: string;
  readonly door: Caller['door'];
  /** Of the address; null at the other doors. */
  readonly session: string | null;
  readonly tenant?: string | null;
}

/** A host with one static credential: not in a session yet. Good only at `/mcp`. */
export interface Connection {
  readonly kind: 'connection';
  readonly tenant: string;
  readonly agent: string;
  /** SHA-256 of the connection token, hex: all that is ever stored of it. */
  readonly hash: string;
  /** `<issuer>#<subject>` of the admin who made the token. */
  readonly createdBy: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Connection tokens are opaque and told apart by this; never a JWT. */
const connectionToken = /^tgc_[A-Za-z0-9_-]{22,86}$/;
/** How a connection token is stored and found: it has 256 random bits, so a plain hash is enough. */
export const hashConnectionToken = (token: string): string => sha256Hex(token);
const missing = (): Refusal => refuse('token.missing', 'This door needs a token.');
const invalid = (detail: string): Refusal => refuse('token.invalid', 'This token is not valid here.', { detail });
const refusedOwn = ({ problem, detail }: OwnTokenProblem): Refusal =>
  problem === 'expired' ? refuse('token.expired', 'This token has expired; renew it.', { detail }) : invalid(detail);

/**
 * Who asks at an agents' door. A session's door takes only the tokens of that session, `/mcp` only its own and, beside
 * them, connection tokens. Whether the session still lives is read from its row by the call path, on every call.
 */
export async function authenticate(ports: DoorPorts, request: DoorAsked): Promise<Caller | Connection | Refusal> {
  const shown = credentialOf(request.authorization);
  if ('refused' in shown) return shown;
  const { token, scheme } = shown;
  if (connectionToken.test(token)) {
    if (scheme === 'dpop') return invalid('a connection token, which is bound to no key');
    return request.door === 'mcp' ? connectionOf(ports, token) : invalid('a connection token at another door');
  }
  const audience = audienceOf(ports.config, request);
  if (audience === null) return invalid('no session or tenant in the address');
  const claims = await verifyOwn(ports, token, taskClaims, audience);
  if ('problem' in claims) return refusedOwn(claims);
  if (request.door === 'session' && claims.sid !== request.session) return invalid('a token of another session');
  if (request.door === 'tenant' && claims.tenant !== request.tenant) return invalid('a token of another tenant');
  const proof = claims.cnf ? await proveHolder(ports, request, shown, claims, claims.cnf, audience) : null;
  if (proof && 'refused' in proof) return proof;
  if (!proof && scheme === 'dpop') return invalid('a bearer, shown as though it were bound to a key');
  const narrowed = claims.scope === undefined ? undefined : readScopes(claims.scope);
  if (narrowed === null) return invalid('a scope that is not known');
  return {
    tenant: claims.tenant,
    agent: claims.agent,
    session: claims.sid,
    sponsor: claims.person,
    taskSha256: claims.task_sha256,
    bound: proof !== null,
    ...(proof ? { proof } : {}),
    tokenId: claims.jti,
    tokenExpires: claims.exp,
    ...(narrowed ? { scopes: narrowed } : {}),
    door: request.door,
  } as Caller;
}

/** Without a proof of its key a bound token is a stolen one, for all this door can tell (RFC 9449 §7.1). */
async function proveHolder(
  ports: DoorPorts,
  { proof, method = '' }: DoorAsked,
  { token, scheme }: Credential,
  { tenant, agent, sid: session, person: sponsor }: TaskClaims,
  { jkt }: NonNullable<TaskClaims['cnf']>,
  url: string,
): Promise<Proof | Refusal> {
  const unproven = (detail: string): Refusal =>
    refuse('token.unproven', `This token is bound to a key and this request does not prove it: ${detail}.`, {
      detail,
      whose: { tenant, agent, session, sponsor },
    });
  if (scheme !== 'dpop') return unproven('it came as a bearer, not by the DPoP scheme');
  if (!proof) return unproven('there is no DPoP header');
  const proven = await verifyProof({ proof, method, url, token: { text: token, jkt }, now: ports.clock() });
  return 'problem' in proven ? unproven(proven.problem) : proven;
}

function audienceOf(config: Pick<Ports['config'], 'public_url'>, { door, session, tenant }: DoorAsked): string | null {
  switch (door) {
    case 'mcp':
      return mcpUrl(config);
    case 'session':
      return session === null ? null : sessionUrl(config, session);
    case 'tenant':
      return tenant ? tenantMcpUrl(config, tenant) : null;
  }
}

async function connectionOf(ports: DoorPorts, token: string): Promise<Connection | Refusal> {
  const hash = hashConnectionToken(token);
  const stored = await ports.store.readAgentToken(hash);
  if (!stored || stored.revoked) return invalid('unknown or revoked connection token');
  if (stored.expiresAt <= ports.clock()) return refuse('token.expired', 'This token has expired.', { detail: 'connection token past its end' });
  return { kind: 'connection', tenant: stored.tenant, agent: stored.agent, hash, createdBy: stored.createdBy, expiresAt: stored.expiresAt };
}

/** The caller a connection is inside the session it opened. Throws when the session is not the connection's own. */
export function callerOfConnection(connection: Connection, session: SessionRow): Caller {
  if (session.connection !== connection.hash || session.tenant !== connection.tenant || session.agent !== connection.agent) {
    throw new Error('the session was not opened by this connection');
  }
  return {
    tenant: session.tenant,
    agent: session.agent,
    session: session.id,
    sponsor: session.sponsor,
    taskSha256: session.taskSha256,
    bound: false,
    tokenId: connectionId(connection.hash),
    tokenExpires: Math.floor(connection.expiresAt / 1000),
    door: 'mcp',
  } as Caller;
}

/** The person at `/v1`, by the token the tenant's issuer gave for their login. Their tenant and its trust are read again. */
export async function authenticatePerson(ports: DoorPorts & Pick<Ports, 'tenants'>, authorization: string | null): Promise<Person | Refusal> {
  const shown = credentialOf(authorization);
  if ('refused' in shown) return shown;
  if (shown.scheme !== 'bearer') return invalid('not a bearer token');
  const claims = await verifyOwn(ports, shown.token, personClaims, apiUrl(ports.config));
  if ('problem' in claims) return refusedOwn(claims);
  const snapshot = await ports.tenants.current(claims.tenant);
  const person = snapshot && personNow(snapshot, claims.sub);
  if (!person) return invalid('not a person, or of an issuer that is not trusted any more');
  return claims.auth_time === undefined ? person : { ...person, loggedInAt: claims.auth_time * 1000 };
}

interface Credential {
  readonly scheme: 'bearer' | 'dpop';
  readonly token: string;
}

/** One credential and no list: two headers come as one with a comma between. */
function credentialOf(authorization: string | null): Credential | Refusal {
  if (authorization === null || authorization === '') return missing();
  const [, scheme, token] = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization) ?? [];
  return token === undefined
    ? invalid('not a bearer token, nor one with the DPoP scheme')
    : { scheme: scheme?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}
