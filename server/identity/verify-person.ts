import { sha256Hex } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person } from './caller.ts';
import { audiencesOf, type Claims, issuedAt, readJwt, signedText, timeProblem } from './jwt.ts';
import { type OidcRoot, verifyIssued } from './oidc.ts';
import { personOf } from './people.ts';
import type { IdentityPorts } from './verify-workload.ts';

/** A key of the store's one-time memory: whoever takes it first has it. */
export interface OneTime {
  readonly scope: string;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Epoch milliseconds, by the issuer's clock. */
  readonly issuedAt: number;
}

declare const login: unique symbol;

/** Evidence that a person logged in at the tenant's issuer within the last ten minutes; not yet used up. */
export interface Login {
  readonly [login]: true;
  readonly person: Person;
  /** Groups the issuer states, where the trust root names the claim; else none. */
  readonly claimedGroups: readonly string[];
  readonly audiences: readonly string[];
  readonly authorizedParty: string | null;
  /** RFC 8693 §4.4: the only one who may act; null when the login names nobody. */
  readonly mayAct: { readonly sub: string; readonly iss: string | null } | null;
  /** As signed; null when the login carries none. */
  readonly authorizationDetails: readonly unknown[] | null;
  readonly once: OneTime;
}

const oldestLogin = 600;
const longestLogin = 86_400;
const maxGroups = 200;

const denied = (detail: string): Refusal => refuse('token.invalid', 'This login is not valid here.', { detail });

/**
 * Verifies a person's ID token (OpenID Connect Core §3.1.3.7) for the trust root's audience or one of `clients`, the
 * client ids of the agent it is presented for. One answer for every reason; taking `once` is left to whoever uses it.
 */
export async function verifyPersonToken(
  ports: IdentityPorts,
  snapshot: Pick<TenantSnapshot, 'tenant' | 'trust' | 'document'>,
  text: string,
  clients: readonly string[],
): Promise<Login | Refusal> {
  const jwt = readJwt(text);
  if (!jwt) return denied('not a JWT');
  const issued = await verifyIssued(ports, snapshot, jwt, { for: 'people', types: [undefined, 'jwt'] });
  if ('problem' in issued) return denied(issued.problem);
  const { claims, root, issuer } = issued;
  const { sub, azp, authorization_details: details } = claims;
  if (typeof sub !== 'string' || !/^\S{1,255}$/.test(sub)) return denied('sub is not a subject');
  if (azp !== undefined && typeof azp !== 'string') return denied('azp is not text');
  if (details !== undefined && !Array.isArray(details)) return denied('authorization_details is not a list');
  const audiences = audiencesOf(claims);
  const accepted = root.audience === undefined ? clients : [root.audience, ...clients];
  if (!audiences?.some((one) => accepted.includes(one))) return denied('aud names neither the trust root nor a client of the agent');
  const now = ports.clock();
  const late = timeProblem(claims, { now, longest: longestLogin, oldest: oldestLogin });
  if (late) return denied(late);
  const mayAct = readMayAct(claims);
  if (mayAct === undefined) return denied('may_act is not an actor');
  const person = personOf(snapshot, issuer, sub);
  const loggedInAt = authTime(claims, now);
  return {
    person: loggedInAt === null ? person : { ...person, loggedInAt },
    claimedGroups: claimedGroups(root, claims),
    audiences,
    authorizedParty: azp ?? null,
    mayAct,
    authorizationDetails: (details as unknown[] | undefined) ?? null,
    once: {
      scope: `login/${snapshot.tenant}`,
      key: sha256Hex(signedText(jwt)),
      expiresAt: now + (oldestLogin + 60) * 1000,
      issuedAt: issuedAt(claims, oldestLogin),
    },
  } as Omit<Login, typeof login> as Login;
}

/** Epoch milliseconds of `auth_time` (OpenID Connect Core §2); one that lies ahead is none. */
function authTime({ auth_time: at }: { auth_time?: unknown }, now: number): number | null {
  return typeof at === 'number' && Number.isSafeInteger(at) && at > 0 && at * 1000 <= now + 30_000 ? at * 1000 : null;
}

function readMayAct(claims: Claims): Login['mayAct'] | undefined {
  const { may_act: value } = claims;
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || !('sub' in value) || typeof value.sub !== 'string') return undefined;
  const iss = 'iss' in value ? value.iss : null;
  return iss === null || typeof iss === 'string' ? { sub: value.sub, iss } : undefined;
}

function claimedGroups(root: OidcRoot, claims: Claims): readonly string[] {
  const value = root.groups_claim === undefined ? undefined : claims[root.groups_claim];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string').slice(0, maxGroups) : [];
}
