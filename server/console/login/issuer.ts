import { readFile } from 'node:fs/promises';
import * as client from 'openid-client';
import { isRefusal } from '../../call/refusals.ts';
import type { TrustRoot } from '../../documents/kinds.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { isForAgent, isLoopbackHost, type Login, readCapped, verifyPersonToken } from '../../identity/index.ts';
import { consentPath } from '../../oauth/index.ts';
import type { Ports } from '../../ports.ts';
import { type Pending, pendingSeconds } from './pending.ts';

export type PeopleRoot = Extract<TrustRoot, { oidc: string }>;
type Snapshot = Pick<TenantSnapshot, 'tenant' | 'trust' | 'document' | 'agents'>;

const maxBytes = 262_144;
const maxSeconds = 5;

/** Where the tenant's people log in; `local` has no pages. */
export const peopleRoots = (snapshot: Pick<TenantSnapshot, 'trust'>): PeopleRoot[] =>
  snapshot.trust.filter((root): root is PeopleRoot => 'oidc' in root && root.for === 'people' && root.oidc !== 'local');

const clientIdOf = (root: PeopleRoot): string => root.client_id ?? root.audience ?? 'taskgate';
const redirectUri = (ports: Pick<Ports, 'config'>): string => `${ports.config.public_url}/console/login/callback`;

/** Asked for, so that the issuer says when it last asked who they are; nobody is let in on less than a login here is good for. */
const maxAgeOf = (ports: Pick<Ports, 'config'>): number => Math.floor(ports.config.console.longest_ms / 1000);

/** Code flow with PKCE, state and nonce (OpenID Connect Core §3.1, RFC 9700 §2.1). Rejects when the issuer does not answer. */
export async function beginLogin(
  ports: Pick<Ports, 'config' | 'clock'>,
  tenant: string,
  root: PeopleRoot,
  to: string,
): Promise<{ url: URL; pending: Pending }> {
  const configuration = await discover(root);
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri(ports),
    scope: 'openid',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...{ state, nonce, max_age: String(maxAgeOf(ports)) },
  });
  return { url, pending: { tenant, issuer: root.oidc, state, nonce, verifier, to, until: ports.clock() + pendingSeconds * 1000 } };
}

/** Takes the code, proves the ID token as at every door, and uses it up; answers what was wrong otherwise, for the log. */
export async function finishLogin(
  ports: Pick<Ports, 'config' | 'clock' | 'store' | 'log'>,
  snapshot: Snapshot,
  pending: Pending,
  query: string,
): Promise<Login | { problem: string }> {
  const root = peopleRoots(snapshot).find(({ oidc }) => oidc === pending.issuer);
  if (!root) return { problem: 'the issuer is not trusted any more' };
  const answered = new URL(redirectUri(ports));
  answered.search = query;
  const tokens = await client.authorizationCodeGrant(await discover(root), answered, {
    pkceCodeVerifier: pending.verifier,
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    maxAge: maxAgeOf(ports),
    idTokenExpected: true,
  });
  const login = await verifyPersonToken(ports, snapshot, tokens.id_token ?? '', [clientIdOf(root)]);
  if (isRefusal(login)) return { problem: login.detail ?? login.message };
  if (!login.person.id.startsWith(`${pending.issuer}#`)) return { problem: 'another issuer answered' };
  // A sponsor may be known by the groups their issuer states alone; they see what is asked of them and nothing else.
  const sponsors = pending.to.startsWith(`${consentPath}/`) && login.claimedGroups.length > 0;
  if (login.person.name === null && !sponsors) return { problem: 'the tenant names no such person' };
  if (isForAgent(snapshot, login)) return { problem: 'the login was made for an agent' };
  const { scope, key, expiresAt, issuedAt } = login.once;
  return (await ports.store.useOnce(scope, key, expiresAt, ports.clock(), issuedAt)) ? login : { problem: 'the login was used before' };
}

async function discover(root: PeopleRoot): Promise<client.Configuration> {
  const url = new URL(root.oidc);
  const secret = root.client_secret_file === undefined ? null : (await readFile(root.client_secret_file, 'utf8')).trim();
  const insecure = url.protocol === 'http:' && isLoopbackHost(url.hostname);
  return client.discovery(url, clientIdOf(root), undefined, secret === null ? client.None() : client.ClientSecretBasic(secret), {
    timeout: maxSeconds,
    [client.customFetch]: cappedFetch,
    execute: insecure ? [client.allowInsecureRequests] : [],
  });
}

/** No redirects, five seconds, 256 KiB: an issuer's answers are small. */
const cappedFetch: client.CustomFetch = async (url, options) => {
  const { body, headers, method } = options;
  const response = await fetch(url, {
    ...{ headers, method, redirect: 'error', signal: AbortSignal.timeout(maxSeconds * 1000) },
    ...(body === undefined ? {} : { body: body as BodyInit }),
  });
  const bytes = await readCapped(response, maxBytes);
  if (bytes === null) throw new Error(`answered more than ${maxBytes} bytes`);
  return new Response(bytes.byteLength === 0 ? null : (bytes as Uint8Array<ArrayBuffer>), { status: response.status, headers: response.headers });
};
