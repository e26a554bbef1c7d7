import { type Proof, tokenUrl, verifyProof } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { type OAuthError, oauthError } from './answers.ts';

/** The key a token request proves (RFC 9449 §5): null when it proves none. Nothing is taken for it yet, for nobody has proven who they are. */
export async function readProof({ config, clock }: Pick<Ports, 'config' | 'clock'>, tenant: string, proof: string | null): Promise<Proof | OAuthError | null> {
  if (proof === null) return null;
  const read = await verifyProof({ proof, method: 'POST', url: tokenUrl(config, tenant), token: null, now: clock() });
  return 'problem' in read ? oauthError('invalid_dpop_proof', `The DPoP proof is not valid here: ${read.problem}.`, read.problem) : read;
}
