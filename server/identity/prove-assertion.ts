import type { JWK } from 'jose';
import type { Ports } from '../ports.ts';
import { headerProblem, isOnlyFor, issuedAt, proveClaims, timeProblem, type UnprovenJwt } from './jwt.ts';
import { tenantIssuer } from './urls.ts';
import { oidcAlgorithms } from './vet-keys.ts';

const longest = 300;

/**
 * `private_key_jwt` (OpenID Connect Core §9; RFC 7523): `iss` and `sub` are the client's name, the tenant's issuer is its only audience,
 * `jti` is good for once. Answers what is wrong, for the record; null when it proves one of `keys`, and is then used up.
 */
export async function proveAssertion(
  ports: Pick<Ports, 'store' | 'clock' | 'config'>,
  tenant: string,
  jwt: UnprovenJwt,
  name: string,
  keys: readonly JWK[],
): Promise<string | null> {
  const problem = headerProblem(jwt, { algorithms: oidcAlgorithms, types: [undefined, 'jwt', 'client-authentication+jwt'] });
  if (problem) return problem;
  const claims = await proveClaims(jwt, keys, oidcAlgorithms);
  if (!claims) return 'the registered key does not verify it';
  if (claims['iss'] !== name || claims['sub'] !== name) return 'iss and sub are not the name';
  if (!isOnlyFor(claims, tenantIssuer(ports.config, tenant))) return "aud is not exactly the tenant's issuer";
  const now = ports.clock();
  const late = timeProblem(claims, { now, longest });
  if (late) return late;
  const { jti, exp } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'no jti';
  const first = await ports.store.useOnce(`assertion/${tenant}/${name}`, jti, Math.ceil(Number(exp) * 1000), now, issuedAt(claims, longest));
  return first ? null : 'used before';
}
