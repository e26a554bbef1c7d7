import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { canonicalForm, sha256Hex } from '../../../tools/index.ts';
import { challengeOf } from '../../audit/signed-vote.ts';
import type { Person } from '../../identity/caller.ts';
import type { Ports } from '../../ports.ts';
import { relyingParty } from './relying-party.ts';
import { challengeMs, type requestOptions, signingKeys } from './sign-vote.ts';
import { type Assertion, readClientData, verifyAssertion } from './verify-assertion.ts';

const purpose = 'presence';

/** A step that is taken by who is there now. `about` is all that makes it this step and no other. */
export interface Step {
  readonly step: string;
  readonly about: object;
}
type Needs = Pick<Ports, 'store' | 'clock' | 'config'>;
export type RequestOptions = z.infer<typeof requestOptions>;

const digestOf = ({ step, about }: Step): string => sha256Hex(canonicalForm({ step, about }));

/** What the person's key has to sign to take exactly this step, once, within five minutes; null when they have none in effect. */
export async function challengePresence(ports: Needs, person: Person, step: Step): Promise<RequestOptions | null> {
  const party = relyingParty(ports.config);
  const keys = party ? await signingKeys(ports, person, party) : [];
  if (!party || keys.length === 0) return null;
  const now = ports.clock();
  const { tenant, id } = person;
  const about = { purpose, tenant, person: id, step: digestOf(step), nonce: randomBytes(16).toString('base64url'), expiry: now + challengeMs };
  const challenge = challengeOf(about);
  await ports.store.putChallenge({ tenant, challenge, person: id, purpose, about: JSON.stringify(about), expiresAt: about.expiry }, now);
  return {
    challenge,
    rpId: party.id,
    allowCredentials: keys.map(({ credential, transports }) => ({ id: credential, type: 'public-key', transports: [...transports] })),
    userVerification: 'required',
    timeout: challengeMs,
  };
}

/** The id of the key that signed exactly this step, the challenge used up; or why it counts for nothing, for the record. */
export async function provePresence(
  ports: Needs,
  person: Person,
  step: Step,
  given: Assertion,
): Promise<{ readonly passkey: string } | { readonly why: string }> {
  const party = relyingParty(ports.config);
  const said = readClientData(given.response.clientDataJSON);
  if (!party || !said) return { why: said ? 'passkeys cannot be used at the public URL' : 'the client data cannot be read' };
  const asked = await ports.store.takeChallenge(person.tenant, said.challenge, person.id, ports.clock());
  if (asked?.purpose !== purpose) return { why: 'the challenge is not one of this person that is still open' };
  const about = JSON.parse(asked.about) as { readonly step: string };
  if (about.step !== digestOf(step)) return { why: 'it was signed for another step' };
  const key = (await signingKeys(ports, person, party)).find(({ credential }) => credential === given.id);
  if (!key) return { why: 'the key is none of this person that is in effect' };
  const verified = await verifyAssertion(given, key, challengeOf(about), party.origin);
  if (!verified.ok) return { why: verified.why };
  return (await ports.store.countPasskey(person.tenant, key.id, person.id, verified.counter, ports.clock()))
    ? { passkey: key.id }
    : { why: 'the key is not in effect any more, or counted backwards' };
}
