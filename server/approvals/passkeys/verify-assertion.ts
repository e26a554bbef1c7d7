import { z } from 'zod';
import { longestBinary } from '../../audit/signed-vote.ts';

/** Base64url without padding, as a browser's `toJSON()` writes it. */
const binary = z
  .string()
  .min(1)
  .max(longestBinary)
  .regex(/^[A-Za-z0-9_-]+$/);

/** What `PublicKeyCredential.toJSON()` of an authentication gives (WebAuthn §5.1); more than this is not read. */
export const assertion = z.object({
  id: binary,
  rawId: binary,
  type: z.literal('public-key'),
  response: z.object({ clientDataJSON: binary, authenticatorData: binary, signature: binary }),
});
export type Assertion = z.infer<typeof assertion>;

export interface SigningKey {
  readonly credential: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly rpId: string;
}

export type VerifiedAssertion = { readonly ok: true; readonly counter: number } | { readonly ok: false; readonly why: string };

/** The key, and a person it knows, signed exactly this challenge at this origin. Why not is for the record, not for whoever asks. */
export async function verifyAssertion(given: Assertion, key: SigningKey, challenge: string, origin: string): Promise<VerifiedAssertion> {
  if (given.id !== key.credential) return { ok: false, why: 'another key signed it' };
  if (readClientData(given.response.clientDataJSON)?.isFramed !== false) return { ok: false, why: 'it was signed inside a page of somebody else' };
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...given, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: key.rpId,
      expectedType: 'webauthn.get',
      requireUserVerification: true,
      credential: { id: key.credential, publicKey: new Uint8Array(Buffer.from(key.publicKey, 'base64url')), counter: key.counter },
    });
    return verified ? { ok: true, counter: authenticationInfo.newCounter } : { ok: false, why: 'the signature does not verify' };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message.slice(0, 300) : 'it cannot be verified' };
  }
}

const clientData = z.looseObject({ challenge: z.string(), origin: z.string(), crossOrigin: z.boolean().default(false) });

/** What the browser says was signed, and where (WebAuthn §5.8.1); null when it is not client data. Nothing is proven by it yet. */
export function readClientData(base64url: string): { readonly challenge: string; readonly origin: string; readonly isFramed: boolean } | null {
  try {
    const { challenge, origin, crossOrigin, topOrigin } = clientData.parse(JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8')));
    return { challenge, origin, isFramed: crossOrigin || topOrigin !== undefined };
  } catch {
    return null;
  }
}
