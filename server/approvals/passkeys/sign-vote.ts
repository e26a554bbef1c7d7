import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { SignedVote, VoteSignature } from '../../audit/record.ts';
import { challengeOf, signedVote } from '../../audit/signed-vote.ts';
import type { Person } from '../../identity/caller.ts';
import type { Ports } from '../../ports.ts';
import type { PasskeyRow } from '../../store/store.ts';
import { type RelyingParty, relyingParty } from './relying-party.ts';
import { type Assertion, readClientData, verifyAssertion } from './verify-assertion.ts';

export const challengeMs = 5 * 60_000;
const purpose = 'vote';

/** `PublicKeyCredentialRequestOptionsJSON` (WebAuthn §5.5), as `parseRequestOptionsFromJSON` reads it. */
export const requestOptions = z.strictObject({
  challenge: z.string(),
  rpId: z.string(),
  allowCredentials: z.array(z.strictObject({ id: z.string(), type: z.literal('public-key'), transports: z.array(z.string()) })),
  userVerification: z.literal('required'),
  timeout: z.int().describe('Milliseconds'),
});
export const voteChallenge = z.strictObject({
  options: requestOptions.describe('For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`'),
  signs: signedVote.describe('What the challenge is the SHA-256 of, in canonical form (RFC 8785)'),
});
export type VoteChallenge = z.infer<typeof voteChallenge>;

type Needs = Pick<Ports, 'store' | 'clock' | 'config'>;

/** Keys of this person that sign now: confirmed, past their wait, not removed, made for this host. */
export async function signingKeys(ports: Needs, { tenant, id }: Person, party: RelyingParty): Promise<PasskeyRow[]> {
  const now = ports.clock();
  const held = await ports.store.listPasskeys(tenant, id);
  return held.filter((key) => key.removedAt === null && key.effectiveAt !== null && key.effectiveAt <= now && key.rpId === party.id);
}

export async function hasSigningKey(ports: Needs, person: Person): Promise<boolean> {
  const party = relyingParty(ports.config);
  return party !== null && (await signingKeys(ports, person, party)).length > 0;
}

/** A challenge that stands for this very vote; null when the person has no key that could sign it. */
export async function issueVoteChallenge(
  ports: Needs,
  person: Person,
  vote: Omit<SignedVote, 'nonce' | 'expiry' | 'reviewer'>,
  until: number,
): Promise<VoteChallenge | null> {
  const party = relyingParty(ports.config);
  const keys = party ? await signingKeys(ports, person, party) : [];
  if (!party || keys.length === 0) return null;
  const now = ports.clock();
  const expiry = Math.min(now + challengeMs, until);
  const signs: SignedVote = { ...vote, reviewer: person.id, nonce: randomBytes(16).toString('base64url'), expiry };
  const challenge = challengeOf(signs);
  await ports.store.putChallenge({ tenant: person.tenant, challenge, person: person.id, purpose, about: JSON.stringify(signs), expiresAt: expiry }, now);
  return {
    signs,
    options: {
      challenge,
      rpId: party.id,
      allowCredentials: keys.map(({ credential, transports }) => ({ id: credential, type: 'public-key', transports: [...transports] })),
      userVerification: 'required',
      timeout: challengeMs,
    },
  };
}

export interface ProvenVote {
  readonly ok: true;
  readonly passkey: string;
  readonly counter: number;
  readonly signed: SignedVote;
  /** For the record. */
  readonly signature: VoteSignature;
}

/** Uses the challenge up, whatever comes of it, and proves that one of the person's keys signed what it stands for. `why` is for the record. */
export async function proveVote(ports: Needs, person: Person, given: Assertion): Promise<ProvenVote | { readonly ok: false; readonly why: string }> {
  const party = relyingParty(ports.config);
  const said = readClientData(given.response.clientDataJSON);
  if (!party || !said) return { ok: false, why: said ? 'passkeys cannot be used at the public URL' : 'the client data cannot be read' };
  const asked = await ports.store.takeChallenge(person.tenant, said.challenge, person.id, ports.clock());
  if (asked?.purpose !== purpose) return { ok: false, why: 'the challenge is not one of this person that is still open' };
  const signed = signedVote.parse(JSON.parse(asked.about));
  const key = (await signingKeys(ports, person, party)).find(({ credential }) => credential === given.id);
  if (!key) return { ok: false, why: 'the key is none of this person that is in effect' };
  const verified = await verifyAssertion(given, key, challengeOf(signed), party.origin);
  if (!verified.ok) return verified;
  const { clientDataJSON, authenticatorData, signature } = given.response;
  return {
    ok: true,
    passkey: key.id,
    counter: verified.counter,
    signed,
    signature: {
      passkey: key.id,
      enrolment: key.record,
      public_key: key.publicKey,
      signed,
      authenticator_data: authenticatorData,
      client_data_json: clientDataJSON,
      signature,
    },
  };
}
