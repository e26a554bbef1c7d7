import { createHash } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Task } from '../../server/connect/session.ts';

/** Whoever proves a key (RFC 9449), by hand: for proofs that no well-behaved client makes. */
export interface Holder {
  readonly alg: string;
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  readonly jkt: string;
  /** For the token endpoint. */
  buildProof(request: { readonly htm: string; readonly htu: string }): Promise<string>;
}

export async function newHolder(alg = 'ES256'): Promise<Holder> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const key = { alg, jwk, privateKey };
  return { ...key, jkt: await calculateJwkThumbprint(jwk), buildProof: ({ htm, htu }) => proofOf(key, htm, htu, null) };
}

export const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** A proof with everything right but what `over` says; `undefined` leaves a part out. */
export function proofOf(
  { alg, jwk, privateKey }: Pick<Holder, 'alg' | 'jwk' | 'privateKey'>,
  htm: string,
  htu: string,
  token: string | null,
  over: { readonly claims?: object; readonly header?: object; readonly signedBy?: CryptoKey | Uint8Array } = {},
): Promise<string> {
  const claims = { htm, htu, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), ...(token === null ? {} : { ath: athOf(token) }), ...over.claims };
  return new SignJWT(claims).setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...over.header }).sign(over.signedBy ?? privateKey);
}

/** The headers of one request by whoever holds the key. */
export async function headersOf(holder: Holder, { accessToken }: Pick<Task, 'accessToken'>, url: string, method = 'POST'): Promise<Record<string, string>> {
  return { authorization: `DPoP ${accessToken}`, dpop: await proofOf(holder, method, url, accessToken) };
}

/** `fetch` as a client has it that knows of proofs: a fresh one in every request, for the URL without its query. */
export function provingFetch(holder: Holder, task: Pick<Task, 'accessToken'>): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(await headersOf(holder, task, url.origin + url.pathname, init?.method ?? 'GET'))) headers.set(name, value);
    return fetch(input, { ...init, headers });
  };
}
