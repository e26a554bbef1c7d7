import { z } from 'zod';
import { longestBinary } from '../../audit/signed-vote.ts';
import type { RelyingParty } from './relying-party.ts';
import { readClientData } from './verify-assertion.ts';

const binary = z
  .string()
  .min(1)
  .max(longestBinary)
  .regex(/^[A-Za-z0-9_-]+$/);

/** What `PublicKeyCredential.toJSON()` of a registration gives (WebAuthn §5.1); more than this is not read. */
export const registration = z.object({
  id: binary,
  rawId: binary,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: binary,
    attestationObject: binary,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .default([]),
  }),
});
export type Registration = z.infer<typeof registration>;

/** COSE algorithms of keys that may sign votes: Ed25519, ECDSA with P-256, RSA PKCS #1 with SHA-256. */
export const keyAlgorithms = [-8, -7, -257];

export interface NewKey {
  readonly credential: string;
  readonly publicKey: string;
  readonly algorithm: number;
  readonly counter: number;
}

/** A key the person's authenticator made for this challenge, with the person verified. Why not is for the record. */
export async function verifyRegistration(
  given: Registration,
  challenge: string,
  party: RelyingParty,
): Promise<{ ok: true; key: NewKey } | { ok: false; why: string }> {
  if (readClientData(given.response.clientDataJSON)?.isFramed !== false) return { ok: false, why: 'it was made inside a page of somebody else' };
  const [{ verifyRegistrationResponse }, { cose, decodeAttestationObject, decodeCredentialPublicKey }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ]);
  try {
    // None is asked for. What comes with certificates all the same is not walked: that could ask other hosts.
    const attestation = decodeAttestationObject(new Uint8Array(Buffer.from(given.response.attestationObject, 'base64url')));
    const isPlain = attestation.get('fmt') === 'none' || (attestation.get('fmt') === 'packed' && !attestation.get('attStmt').get('x5c'));
    if (!isPlain) return { ok: false, why: 'it comes with an attestation, which was not asked for' };
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...given, clientExtensionResults: {}, response: { ...given.response, transports: [] } },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      expectedType: 'webauthn.create',
      requireUserPresence: true,
      requireUserVerification: true,
      supportedAlgorithmIDs: keyAlgorithms,
    });
    if (!verified) return { ok: false, why: 'the attestation does not verify' };
    const { id, publicKey, counter } = registrationInfo.credential;
    const algorithm = decodeCredentialPublicKey(publicKey).get(cose.COSEKEYS.alg);
    if (id !== given.id || typeof algorithm !== 'number') return { ok: false, why: 'the key is not the one it names' };
    return { ok: true, key: { credential: id, publicKey: Buffer.from(publicKey).toString('base64url'), algorithm, counter } };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message.slice(0, 300) : 'it cannot be verified' };
  }
}
