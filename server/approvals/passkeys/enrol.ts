import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { RecordBody } from '../../audit/record.ts';
import { challengeOf } from '../../audit/signed-vote.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { isFreshLogin, type Person } from '../../identity/caller.ts';
import type { Ports } from '../../ports.ts';
import type { NewPasskey } from '../../store/store.ts';
import { type PasskeyRefusal, refusePasskey } from './refusals.ts';
import { relyingParty } from './relying-party.ts';
import { readClientData } from './verify-assertion.ts';
import { keyAlgorithms, type Registration, verifyRegistration } from './verify-registration.ts';
import { type PasskeyView, viewPasskey } from './view.ts';

const challengeMs = 5 * 60_000;
const purpose = 'enrol';
const mostEach = 10;
/** Time for whoever would notice that a key is not theirs to say so. */
export const effectiveAfterMs = 24 * 3_600_000;

const descriptor = z.strictObject({ id: z.string(), type: z.literal('public-key'), transports: z.array(z.string()) });
/** `PublicKeyCredentialCreationOptionsJSON` (WebAuthn §5.4), as `parseCreationOptionsFromJSON` reads it. */
export const creationOptions = z.strictObject({
  challenge: z.string(),
  rp: z.strictObject({ id: z.string(), name: z.string() }),
  user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.strictObject({ type: z.literal('public-key'), alg: z.int() })),
  excludeCredentials: z.array(descriptor),
  authenticatorSelection: z.strictObject({
    residentKey: z.literal('preferred'),
    requireResidentKey: z.literal(false),
    userVerification: z.literal('required'),
  }),
  attestation: z.literal('none'),
  timeout: z.int().describe('Milliseconds'),
});

type Needs = Pick<Ports, 'store' | 'clock' | 'config' | 'newId' | 'access'>;
/** Whose key it becomes, as the tenant's document has them. */
export interface Enroller {
  readonly person: Person;
  readonly snapshot: Pick<TenantSnapshot, 'tenant' | 'document'>;
}

/** What a browser makes a key by, once, within five minutes. */
export async function offerEnrolment(ports: Needs, { person }: Enroller): Promise<{ ok: true; options: z.infer<typeof creationOptions> } | PasskeyRefusal> {
  const now = ports.clock();
  const party = relyingParty(ports.config);
  if (person.name === null) return refusePasskey('person.not_named');
  if (!party) return refusePasskey('passkey.unavailable');
  if (!isFreshLogin(person, now)) return refusePasskey('login.not_fresh');
  const { tenant, id } = person;
  const held = (await ports.store.listPasskeys(tenant, id)).filter(({ removedAt }) => removedAt === null);
  if (held.length >= mostEach) return refusePasskey('passkey.too_many');
  const about = { purpose, tenant, person: id, nonce: randomBytes(16).toString('base64url'), expiry: now + challengeMs };
  const challenge = challengeOf(about);
  await ports.store.putChallenge({ tenant, challenge, person: id, purpose, about: JSON.stringify(about), expiresAt: about.expiry }, now);
  return {
    ok: true,
    options: {
      challenge,
      rp: { id: party.id, name: 'Taskgate' },
      // Says nothing of the person to whoever finds the authenticator.
      user: { id: createHash('sha256').update(`${tenant}/${id}`).digest('base64url'), name: `${person.name} (${tenant})`, displayName: person.name },
      pubKeyCredParams: keyAlgorithms.map((alg) => ({ type: 'public-key', alg })),
      excludeCredentials: held.map(({ credential, transports }) => ({ id: credential, type: 'public-key', transports: [...transports] })),
      authenticatorSelection: { residentKey: 'preferred', requireResidentKey: false, userVerification: 'required' },
      attestation: 'none',
      timeout: challengeMs,
    },
  };
}

/** Enrols the key; it signs nothing until a second admin has confirmed it and a day has passed. Sent again it answers as it did. */
export async function enrolPasskey(
  ports: Needs,
  { person, snapshot }: Enroller,
  { name, credential }: { readonly name: string; readonly credential: Registration },
): Promise<{ ok: true; passkey: PasskeyView } | PasskeyRefusal> {
  const at = ports.clock();
  const party = relyingParty(ports.config);
  if (person.name === null) return refusePasskey('person.not_named');
  if (!party) return refusePasskey('passkey.unavailable');
  if (!isFreshLogin(person, at)) return refusePasskey('login.not_fresh');
  const { tenant, id: owner } = person;
  const before = (await ports.store.listPasskeys(tenant, owner)).find((one) => one.credential === credential.id && one.removedAt === null);
  if (before) return { ok: true, passkey: viewPasskey(before, at) };

  const said = readClientData(credential.response.clientDataJSON);
  const asked = said && (await ports.store.takeChallenge(tenant, said.challenge, owner, at));
  const made =
    asked?.purpose === purpose ? await verifyRegistration(credential, asked.challenge, party) : ({ ok: false, why: 'the challenge is not open' } as const);
  if (!made.ok) {
    await ports.access.known({ tenant, actor: owner, door: 'v1', code: 'passkey.not_enrolled', detail: made.why });
    return refusePasskey('passkey.not_enrolled');
  }
  // One person has nobody else to ask; the record says so.
  const { personal } = snapshot.document;
  const confirmed = personal ? { confirmedBy: owner, effectiveAt: at + effectiveAfterMs } : { confirmedBy: null, effectiveAt: null };
  const { transports } = credential.response;
  const passkey: NewPasskey = { ...made.key, id: ports.newId('pky'), tenant, person: owner, name, transports, rpId: party.id, enrolledAt: at, ...confirmed };
  const enrolled = await ports.store.enrolPasskey(passkey, mostEach, recordOf(passkey, personal));
  return 'refused' in enrolled ? refusePasskey(`passkey.${enrolled.refused}`) : { ok: true, passkey: viewPasskey(enrolled, at) };
}

const recordOf = (
  { id, tenant, person, name, credential, publicKey, algorithm, rpId, enrolledAt, effectiveAt }: NewPasskey,
  personal: boolean,
): RecordBody => ({
  type: 'passkey.enrolled',
  at: enrolledAt,
  tenant,
  actor: person,
  passkey: { id, name, credential, public_key: publicKey, algorithm, rp_id: rpId },
  ...(personal ? { personal } : {}),
  ...(effectiveAt === null ? {} : { effective_at: effectiveAt }),
});
