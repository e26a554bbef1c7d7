import type { RecordBody } from '../audit/record.ts';

/** A key of a person, which signs votes. It signs nothing before `effectiveAt`, nor once it is removed. */
export interface PasskeyRow {
  readonly id: string;
  readonly tenant: string;
  /** `<issuer>#<subject>`. */
  readonly person: string;
  /** What its owner calls it. */
  readonly name: string;
  /** The authenticator's id of it, base64url; never seen twice in a tenant. */
  readonly credential: string;
  /** COSE_Key (RFC 9052), base64url. */
  readonly publicKey: string;
  /** COSE algorithm. */
  readonly algorithm: number;
  /** As the authenticator last said; 0 when it does not count. */
  readonly counter: number;
  readonly transports: readonly string[];
  /** The host it was made for, and alone is good at. */
  readonly rpId: string;
  readonly enrolledAt: number;
  /** Index of the record of its enrolment. */
  readonly record: number;
  /** `<issuer>#<subject>` of the admin who vouched for it; null while nobody has. */
  readonly confirmedBy: string | null;
  readonly effectiveAt: number | null;
  readonly removedAt: number | null;
}
export type NewPasskey = Omit<PasskeyRow, 'record' | 'removedAt'>;

/** What an authenticator is asked to sign, once. */
export interface PasskeyChallenge {
  readonly tenant: string;
  /** Base64url. */
  readonly challenge: string;
  readonly person: string;
  /** What it was made for; good for nothing else. */
  readonly purpose: string;
  /** What it stands for, in canonical form (RFC 8785). */
  readonly about: string;
  readonly expiresAt: number;
}

export interface PasskeyStore {
  /** `taken`: the tenant has seen this credential before, be it removed; `too_many`: the person has as many as one may. */
  enrolPasskey(passkey: NewPasskey, most: number, record: RecordBody): Promise<PasskeyRow | { refused: 'taken' | 'too_many' }>;
  /** Oldest first, removed ones included; of one person or of the whole tenant. */
  listPasskeys(tenant: string, person: string | null): Promise<readonly PasskeyRow[]>;
  /** Guarded: only while it waits for somebody to vouch for it. */
  confirmPasskey(tenant: string, id: string, how: { by: string; effectiveAt: number }, record: RecordBody): Promise<boolean>;
  /** At once, and for good. False when it was removed before. */
  removePasskey(tenant: string, id: string, at: number, record: RecordBody): Promise<boolean>;

  /** Takes note that a key signed something other than a vote; false when it may not, or when its counter did not grow. */
  countPasskey(tenant: string, id: string, person: string, counter: number, at: number): Promise<boolean>;

  /** Keeps the newest few of a person, and forgets what has expired by `at`. */
  putChallenge(challenge: PasskeyChallenge, at: number): Promise<void>;
  /** The first to ask has it; nobody after. Null when it is not this person's, is gone or has expired. */
  takeChallenge(tenant: string, challenge: string, person: string, at: number): Promise<PasskeyChallenge | null>;
}
