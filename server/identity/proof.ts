import { createHash } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { type Claims, headerProblem, readJwt, type UnprovenJwt } from './jwt.ts';
import type { OneTime } from './verify-person.ts';
import { oidcAlgorithms, vetKey } from './vet-keys.ts';

/** Proof of possession (DPoP, RFC 9449): whoever asks signs every request with a key of their own, to which their tokens are bound. */

export const proofAlgorithms = oidcAlgorithms;

/** One request, as its proof must name it. */
export interface ProofAsked {
  /** The `DPoP` header; several come as one with commas between, which is no proof. */
  readonly proof: string;
  readonly method: string;
  /** Of the door, by the configured public URL: what a request or a proxy says of it is asked by nobody. */
  readonly url: string;
  /** The token that is shown with it and the key it is bound to; null where one is only asked for. */
  readonly token: { readonly text: string; readonly jkt: string } | null;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A key that was proven for this request, if `once` is taken before anything is done for it. */
export interface Proof {
  /** SHA-256 thumbprint of the public key (RFC 7638), base64url. */
  readonly jkt: string;
  readonly once: OneTime;
}

const longestProof = 8_192;
const longestId = 256;
/** Seconds that `iat` may lie behind or ahead: the server takes no nonce of its own, so clocks have to agree by this much. */
const window = 300;
/** Base64url characters of an RSA modulus of 4096 bits: anybody may bring a key, and a longer one costs only us. */
const longestModulus = 683;
const privateParts = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** The proof that a request carries, checked as RFC 9449 §4.3 has it, all but its being the first of its kind; or what is wrong with it. */
export async function verifyProof({ proof, method, url, token, now }: ProofAsked): Promise<Proof | { readonly problem: string }> {
  const jwt = proof.length <= longestProof ? readJwt(proof) : null;
  if (!jwt) return { problem: 'it is not exactly one JWT' };
  const header = headerProblem(jwt, { algorithms: proofAlgorithms, types: ['dpop+jwt'] });
  if (header) return { problem: header };
  const { htm, htu, iat, exp, nbf, ath, jti } = jwt.claims;
  const seconds = now / 1000;
  if (htm !== method) return { problem: 'its htm is another method' };
  if (typeof htu !== 'string' || !isAddress(htu, url)) return { problem: `its htu is not ${url}` };
  if (typeof iat !== 'number' || Math.abs(seconds - iat) > window) return { problem: `its iat is more than ${window} s from now` };
  if (exp !== undefined && !(typeof exp === 'number' && exp > seconds)) return { problem: 'it is past its exp' };
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= seconds + window)) return { problem: 'it is not valid yet' };
  if (typeof jti !== 'string' || jti === '' || jti.length > longestId) return { problem: `it has no jti of at most ${longestId} characters` };
  if (token && ath !== createHash('sha256').update(token.text).digest('base64url')) return { problem: 'its ath is of another token' };

  const key = await keyOf(jwt);
  if ('problem' in key) return key;
  if (token && key.jkt !== token.jkt) return { problem: 'it is by another key than the token is bound to' };
  const signed = await compactVerify(proof, key.key, { algorithms: [key.alg] }).then(
    () => true,
    () => false,
  );
  if (!signed) return { problem: 'its signature does not verify' };
  // Only keys that tokens of ours are bound to are worth remembering.
  if (token) remember(jwt, key);
  return { jkt: key.jkt, once: { scope: `dpop/${key.jkt}`, key: jti, expiresAt: Math.ceil(iat + 2 * window) * 1000, issuedAt: Math.floor(iat * 1000) } };
}

/** RFC 9449 §4.3: without query and fragment, after syntax-based normalisation (RFC 3986 §6.2.2). */
function isAddress(htu: string, url: string): boolean {
  if (htu === url) return true;
  const [own, theirs] = [URL.parse(url), URL.parse(htu)];
  if (!own || !theirs) return false;
  theirs.search = '';
  theirs.hash = '';
  return theirs.href === own.href;
}

interface ProofKey {
  readonly alg: string;
  readonly jkt: string;
  readonly key: CryptoKey | Uint8Array;
}
/** By the header they came in, which a client sends alike every time: of it alone come key and thumbprint. */
const known = new Map<string, ProofKey>();
const mostKnown = 1_000;

const headerOf = ({ text }: UnprovenJwt): string => text.slice(0, text.indexOf('.'));

function remember(jwt: UnprovenJwt, key: ProofKey): void {
  const header = headerOf(jwt);
  if (known.has(header)) return;
  if (known.size >= mostKnown) known.delete(known.keys().next().value ?? '');
  known.set(header, key);
}

async function keyOf(jwt: UnprovenJwt): Promise<ProofKey | { readonly problem: string }> {
  const before = known.get(headerOf(jwt));
  if (before) return before;
  const { jwk, alg } = jwt.header as { jwk?: unknown; alg: string };
  if (typeof jwk !== 'object' || jwk === null) return { problem: 'its header holds no jwk' };
  const stated = jwk as Claims;
  if (privateParts.some((part) => part in stated)) return { problem: 'its jwk is a private key' };
  const { use, alg: own, n } = stated;
  const vetted = typeof n === 'string' && n.length > longestModulus ? null : vetKey(jwk);
  if (!vetted || (use !== undefined && use !== 'sig') || (own !== undefined && own !== alg)) return { problem: 'its jwk is not a public key fit for its alg' };
  try {
    return { alg, jkt: await calculateJwkThumbprint(vetted), key: await importJWK({ ...vetted, alg }) };
  } catch {
    return { problem: 'its jwk is not a public key fit for its alg' };
  }
}
