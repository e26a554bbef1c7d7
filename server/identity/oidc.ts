import type { JWK } from 'jose';
import { z } from 'zod';
import type { TrustRoot } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import { fetchJson } from './fetch.ts';
import { type Claims, headerProblem, proveClaims, type UnprovenJwt } from './jwt.ts';
import { type FetchedKeys, keysOf } from './key-source.ts';
import { localProviderRuns } from './local/allowed.ts';
import { publicHalf, readLocalKey } from './local/local-keys.ts';
import { oidcAlgorithms, vetKeySet } from './vet-keys.ts';

export type OidcRoot = Extract<TrustRoot, { oidc: string }>;
type IssuerPorts = Pick<Ports, 'store' | 'clock' | 'log' | 'config'>;

const minute = 60_000;
const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

export interface IssuedClaims {
  readonly root: OidcRoot;
  readonly issuer: string;
  readonly claims: Claims;
}

/**
 * Proves that one of the tenant's OIDC issuers, bound for this use, signed the token; or says what is wrong, for the
 * record. Audience and times are the caller's to check.
 */
export async function verifyIssued(
  ports: IssuerPorts,
  snapshot: Pick<TenantSnapshot, 'tenant' | 'trust'>,
  jwt: UnprovenJwt,
  use: { for: OidcRoot['for']; types: readonly (string | undefined)[] },
): Promise<IssuedClaims | { problem: string }> {
  const problem = headerProblem(jwt, { algorithms: oidcAlgorithms, types: use.types });
  if (problem) return { problem };
  const issuer = jwt.claims['iss'];
  const roots = snapshot.trust.filter((root): root is OidcRoot => 'oidc' in root && root.for === use.for && root.oidc === issuer);
  const [root] = roots;
  if (!root || roots.length > 1) return { problem: roots.length > 1 ? 'the issuer is bound twice' : 'unknown issuer' };
  const keys = root.oidc === 'local' ? await localKeys(ports, snapshot.tenant) : await issuerKeys(ports, snapshot.tenant, root.oidc, jwt.header['kid']);
  if (!keys) return { problem: "the issuer's keys cannot be read" };
  const claims = await proveClaims(jwt, keys, oidcAlgorithms);
  if (!claims) return { problem: 'no key of the issuer verifies it' };
  if (claims['iss'] !== root.oidc) return { problem: 'iss is another' };
  return { root, issuer: root.oidc, claims };
}

function issuerKeys(ports: IssuerPorts, tenant: string, issuer: string, kid: unknown): Promise<readonly JWK[] | null> {
  const fits = (keys: readonly JWK[]): boolean => kid === undefined || keys.some((key) => key.kid === kid);
  return keysOf(ports, `${tenant}|oidc|${issuer}`, () => discoverKeys(issuer), fits);
}

/** OpenID Connect Discovery 1.0 §4: what is found must name exactly the issuer asked for (§4.3). */
async function discoverKeys(issuer: string): Promise<FetchedKeys> {
  const found = discovery.parse(await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
  if (found.issuer !== issuer) throw new Error('the discovery document names another issuer');
  const keys = vetKeySet(await fetchJson(found.jwks_uri), 'sig');
  if (!keys) throw new Error('not a key set');
  return { keys, freshMs: 10 * minute, usableMs: 60 * minute };
}

async function localKeys(ports: IssuerPorts, tenant: string): Promise<readonly JWK[] | null> {
  if (!localProviderRuns(ports.config)) return null;
  try {
    const key = await readLocalKey(ports.config, tenant, 'issuer');
    return key && [publicHalf(key)];
  } catch (error) {
    ports.log.warn({ tenant, reason: error instanceof Error ? error.message : 'unknown' }, 'the local issuer has no usable key');
    return null;
  }
}
