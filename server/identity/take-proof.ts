import { type Refusal, refuse } from '../call/refusals.ts';
import type { Ports } from '../ports.ts';
import type { Proof } from './proof.ts';

/** Uses a proof up, for every replica (RFC 9449 §11.1): whoever comes with it second is refused. Null also when there is none to take. */
export async function takeProof({ store }: Pick<Ports, 'store'>, proof: Proof | null, at: number): Promise<Refusal | null> {
  if (proof === null) return null;
  const { scope, key, expiresAt, issuedAt } = proof.once;
  if (await store.useOnce(scope, key, expiresAt, at, issuedAt)) return null;
  return refuse('token.unproven', 'This DPoP proof has been used before; make a new one for every request.', { detail: 'a proof used before' });
}
