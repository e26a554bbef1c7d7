import type { RecordBody } from '../../audit/record.ts';
import type { NewPasskey, PasskeyChallenge, PasskeyRow } from '../passkey-store.ts';
import { all, one, run, type Verb } from '../verb.ts';
import { notify } from './notifications.ts';
import { appendRecord } from './records.ts';

interface Columns {
  readonly id: string;
  readonly tenant: string;
  readonly person: string;
  readonly name: string;
  readonly credential: string;
  readonly public_key: string;
  readonly algorithm: number;
  readonly counter: number;
  readonly transports: string;
  readonly rp_id: string;
  readonly enrolled_at: number;
  readonly record: number;
  readonly confirmed_by: string | null;
  readonly effective_at: number | null;
  readonly removed_at: number | null;
}
const columns =
  'id, tenant, person, name, credential, public_key, algorithm, counter, transports, rp_id, enrolled_at, record, confirmed_by, effective_at, removed_at';

const passkeyOf = (found: Columns): PasskeyRow => ({
  id: found.id,
  tenant: found.tenant,
  person: found.person,
  name: found.name,
  credential: found.credential,
  publicKey: found.public_key,
  algorithm: found.algorithm,
  counter: found.counter,
  transports: JSON.parse(found.transports) as string[],
  rpId: found.rp_id,
  enrolledAt: found.enrolled_at,
  record: found.record,
  confirmedBy: found.confirmed_by,
  effectiveAt: found.effective_at,
  removedAt: found.removed_at,
});

export function* enrolPasskey(passkey: NewPasskey, most: number, record: RecordBody): Verb<PasskeyRow | { refused: 'taken' | 'too_many' }> {
  const { tenant, person, credential } = passkey;
  const known = yield* one('SELECT id FROM passkeys WHERE tenant = ? AND credential = ?', tenant, credential);
  if (known) return { refused: 'taken' };
  const held = yield* one<{ held: number }>('SELECT count(*) AS held FROM passkeys WHERE tenant = ? AND person = ? AND removed_at IS NULL', tenant, person);
  if ((held?.held ?? 0) >= most) return { refused: 'too_many' };
  const index = yield* appendRecord(tenant, record);
  yield* run(
    `INSERT INTO passkeys (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
    passkey.id,
    tenant,
    person,
    passkey.name,
    credential,
    passkey.publicKey,
    passkey.algorithm,
    passkey.counter,
    JSON.stringify(passkey.transports),
    passkey.rpId,
    passkey.enrolledAt,
    index,
    passkey.confirmedBy,
    passkey.effectiveAt,
  );
  if (passkey.confirmedBy === null)
    yield* notify(tenant, { type: 'passkey.waiting', at: passkey.enrolledAt, about: passkey.id, facts: { passkey: passkey.id, to: ['role:admin'] } });
  return { ...passkey, record: index, removedAt: null };
}

export function* listPasskeys(tenant: string, person: string | null): Verb<PasskeyRow[]> {
  const [more, values] = person === null ? ['', []] : ['AND person = ?', [person]];
  const found = yield* all<Columns>(`SELECT ${columns} FROM passkeys WHERE tenant = ? ${more} ORDER BY enrolled_at, id`, tenant, ...values);
  return found.map(passkeyOf);
}

export function* confirmPasskey(tenant: string, id: string, how: { by: string; effectiveAt: number }, record: RecordBody): Verb<boolean> {
  const confirmed = yield* run(
    'UPDATE passkeys SET confirmed_by = ?, effective_at = ? WHERE tenant = ? AND id = ? AND confirmed_by IS NULL AND removed_at IS NULL',
    how.by,
    how.effectiveAt,
    tenant,
    id,
  );
  if (confirmed === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

export function* removePasskey(tenant: string, id: string, at: number, record: RecordBody): Verb<boolean> {
  const removed = yield* run('UPDATE passkeys SET removed_at = ? WHERE tenant = ? AND id = ? AND removed_at IS NULL', at, tenant, id);
  if (removed === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

/**
 * Takes note that a passkey signed; false when it may not, or when its counter did not grow, as that of a copy does not
 * (WebAuthn §6.1.1). An authenticator that does not count says 0 each time.
 */
export function* signWithPasskey(tenant: string, id: string, person: string, counter: number, at: number): Verb<boolean> {
  const signed = yield* run(
    `UPDATE passkeys SET counter = ? WHERE tenant = ? AND id = ? AND person = ? AND removed_at IS NULL AND effective_at <= ?
     AND ${counter === 0 ? 'counter = ?' : 'counter < ?'}`,
    counter,
    tenant,
    id,
    person,
    at,
    counter,
  );
  return signed > 0;
}

/** Whoever vouched for a key may have taken that back in what was cut off: each waits for an admin's word again. */
export function* unconfirmPasskeys(tenant: string, at: number, code: string): Verb<void> {
  yield* run('DELETE FROM passkey_challenges WHERE tenant = ?', tenant);
  const doubted = yield* all<{ id: string }>(
    'UPDATE passkeys SET confirmed_by = NULL, effective_at = NULL WHERE tenant = ? AND removed_at IS NULL AND confirmed_by IS NOT NULL RETURNING id',
    tenant,
  );
  for (const { id } of doubted) yield* appendRecord(tenant, { type: 'passkey.unconfirmed', at, tenant, actor: 'taskgate', code, passkey: { id } });
}

const challengesKept = 20;

export function* putChallenge({ tenant, challenge, person, purpose, about, expiresAt }: PasskeyChallenge, at: number): Verb<void> {
  yield* run('DELETE FROM passkey_challenges WHERE tenant = ? AND expires_at <= ?', tenant, at);
  yield* run(
    `DELETE FROM passkey_challenges WHERE tenant = ? AND person = ? AND challenge NOT IN (
       SELECT challenge FROM passkey_challenges WHERE tenant = ? AND person = ? ORDER BY expires_at DESC, challenge LIMIT ?)`,
    tenant,
    person,
    tenant,
    person,
    challengesKept - 1,
  );
  yield* run(
    'INSERT INTO passkey_challenges (tenant, challenge, person, purpose, about, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
    tenant,
    challenge,
    person,
    purpose,
    about,
    expiresAt,
  );
}

/** One statement, so that of two who come with the same one only one has it. */
/** What nobody signed in time. */
export function* sweepChallenges(tenant: string, at: number): Verb<void> {
  yield* run('DELETE FROM passkey_challenges WHERE tenant = ? AND expires_at <= ?', tenant, at);
}

export function* takeChallenge(tenant: string, challenge: string, person: string, at: number): Verb<PasskeyChallenge | null> {
  const taken = yield* one<Omit<PasskeyChallenge, 'expiresAt'> & { expires_at: number }>(
    'DELETE FROM passkey_challenges WHERE tenant = ? AND challenge = ? AND person = ? RETURNING tenant, challenge, person, purpose, about, expires_at',
    tenant,
    challenge,
    person,
  );
  if (!taken || taken.expires_at <= at) return null;
  const { expires_at: expiresAt, ...rest } = taken;
  return { ...rest, expiresAt };
}
