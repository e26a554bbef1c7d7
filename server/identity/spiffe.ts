import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { JWK } from 'jose';
import { z } from 'zod';
import { parseJsonStrict } from '../../tools/index.ts';
import { spiffeId, type TenantSnapshot, type TrustRoot } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import { fetchJson } from './fetch.ts';
import { type Claims, headerProblem, isOnlyFor, proveClaims, timeProblem, type UnprovenJwt } from './jwt.ts';
import { type FetchedKeys, keysOf } from './key-source.ts';
import { localProviderRuns } from './local/allowed.ts';
import { tenantIssuer } from './urls.ts';
import { spiffeAlgorithms, vetKeySet } from './vet-keys.ts';

type SpiffeRoot = Extract<TrustRoot, { spiffe: string }>;

const longestSvid = 3_600;
const maxBundleBytes = 262_144;
const bundle = z.object({ keys: z.array(z.unknown()), spiffe_refresh_hint: z.number().positive().optional() });

export const trustDomainOf = (id: string): string => id.slice('spiffe://'.length).split('/', 1)[0] ?? '';

/**
 * Verifies a JWT-SVID (SPIFFE JWT-SVID §§2–4) for this tenant and answers its SPIFFE ID, or what is wrong, for the
 * record. The unproven `sub` only chooses the trust root; the proven one is compared with it again.
 */
export async function verifySvid(
  ports: Pick<Ports, 'store' | 'clock' | 'log' | 'config'>,
  snapshot: Pick<TenantSnapshot, 'tenant' | 'trust'>,
  jwt: UnprovenJwt,
): Promise<{ id: string } | { problem: string }> {
  const problem = headerProblem(jwt, { algorithms: spiffeAlgorithms, types: [undefined, 'jwt', 'jose'], onlyListed: true });
  if (problem) return { problem };
  const asked = idOf(jwt.claims);
  if (!asked) return { problem: 'sub is not a SPIFFE ID' };
  const roots = snapshot.trust.filter((root): root is SpiffeRoot => 'spiffe' in root && root.spiffe === trustDomainOf(asked));
  const [root] = roots;
  // Two bundles for one trust domain would have to be merged, which is what makes forgery possible (Federation §4.2).
  if (!root || roots.length > 1) return { problem: roots.length > 1 ? 'the trust domain is bound twice' : 'unknown trust domain' };
  const keys = await bundleKeys(ports, snapshot.tenant, root, jwt.header['kid']);
  if (!keys) return { problem: 'the bundle cannot be read' };
  const claims = await proveClaims(jwt, keys, spiffeAlgorithms);
  if (!claims) return { problem: keys.length === 0 ? 'all keys of the trust domain are revoked' : 'no key of the trust domain verifies it' };
  const id = idOf(claims);
  if (!id || trustDomainOf(id) !== root.spiffe) return { problem: 'sub is outside the trust domain' };
  if (!isOnlyFor(claims, tenantIssuer(ports.config, snapshot.tenant))) return { problem: "aud is not exactly the tenant's issuer" };
  const late = timeProblem(claims, { now: ports.clock(), longest: longestSvid });
  return late ? { problem: late } : { id };
}

function idOf(claims: Claims): string | null {
  const id = spiffeId.safeParse(claims['sub']);
  return id.success ? id.data : null;
}

/** Null when there is no bundle to go by, which denies; an empty list when every key is revoked. */
async function bundleKeys(
  ports: Pick<Ports, 'store' | 'clock' | 'log' | 'config'>,
  tenant: string,
  root: SpiffeRoot,
  kid: unknown,
): Promise<readonly JWK[] | null> {
  const url = root.bundle_url;
  if (url !== undefined) {
    const fits = (keys: readonly JWK[]): boolean => kid === undefined || keys.some((key) => key.kid === kid);
    return keysOf(ports, `${tenant}|spiffe|${root.spiffe}|${url}`, async () => readBundle(await fetchJson(url)), fits);
  }
  if (root.bundle === 'local' && !localProviderRuns(ports.config)) return null;
  const file = root.bundle === 'local' ? join(ports.config.data, 'local', tenant, 'bundle.json') : resolve(root.bundle ?? '');
  try {
    // Read each time: a file is its own cache, and a key taken out of it is refused at once.
    if ((await stat(file)).size > maxBundleBytes) throw new Error(`larger than ${maxBundleBytes} bytes`);
    return readBundle(parseJsonStrict(await readFile(file), { bytes: maxBundleBytes, depth: 16 })).keys;
  } catch (error) {
    ports.log.warn({ trust_domain: root.spiffe, reason: error instanceof Error ? error.message : 'unknown' }, 'a SPIFFE bundle could not be read');
    return null;
  }
}

const minute = 60_000;

/** Throws when it is no bundle. Polled every five minutes unless it hints otherwise (Federation §5.2.2.2). */
export function readBundle(value: unknown): FetchedKeys {
  const parsed = bundle.parse(value);
  const keys = vetKeySet(parsed, 'jwt-svid');
  if (!keys) throw new Error('not a SPIFFE bundle');
  const freshMs = Math.min(Math.max((parsed.spiffe_refresh_hint ?? 300) * 1000, minute / 2), 60 * minute);
  return { keys, freshMs, usableMs: Math.max(5 * freshMs, 60 * minute) };
}
