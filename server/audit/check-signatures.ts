import { z } from 'zod';
import { asksPasskey } from '../../policies/index.ts';
import { readClientData, verifyAssertion } from '../approvals/passkeys/verify-assertion.ts';
import type { RecordBody, StoredRecord } from './record.ts';
import { challengeOf, voteSignature } from './signed-vote.ts';

/** Checks what reviewers signed, record by record from the first, by nothing but the log itself. */
export interface SignatureCheck {
  /** What is wrong with this record; null when nothing is. */
  check(record: StoredRecord): Promise<string | null>;
  /** Signatures that verified so far. */
  count(): number;
}

interface Enrolled {
  readonly index: number;
  readonly person: string;
  readonly credential: string;
  readonly publicKey: string;
  readonly rpId: string;
  readonly effectiveAt: number | null;
}

const enrolment = z.object({ id: z.string(), credential: z.string(), public_key: z.string(), rp_id: z.string() });

export function createSignatureCheck(): SignatureCheck {
  const keys = new Map<string, Enrolled>();
  /** By approval: whose signed vote for which requirement verified. Kept only until it is decided. */
  const signers = new Map<string, Set<string>>();
  let verified = 0;

  const checkVote = async (body: RecordBody, index: number): Promise<string | null> => {
    if (body.signature === undefined) return null;
    const parsed = voteSignature.safeParse(body.signature);
    if (!parsed.success) return 'its signature has not the shape of one';
    const { signed, passkey, public_key, enrolment: at, ...given } = parsed.data;
    const key = keys.get(passkey);
    if (!key || key.index !== at || key.publicKey !== public_key) return 'it is signed by a key that no record before it enrolled';
    if (key.person !== body.actor || signed.reviewer !== body.actor) return 'the key that signed it is somebody else’s';
    if (key.effectiveAt === null || key.effectiveAt > body.at) return 'the key that signed it was not in effect';
    const [requirement] = body.requirements ?? [];
    const isThisVote =
      signed.approval === body.approval &&
      signed.proposal === body.proposal_sha256 &&
      signed.decision === body.vote &&
      signed.requirement === requirement &&
      signed.on_behalf_of === body.on_behalf_of &&
      body.at < signed.expiry;
    if (!isThisVote) return 'what was signed is another vote than the one recorded';
    const origin = originAt(given.client_data_json, key.rpId);
    if (origin === null) return 'it was signed at another place than the key is for';
    const response = { clientDataJSON: given.client_data_json, authenticatorData: given.authenticator_data, signature: given.signature };
    const proof = await verifyAssertion(
      { id: key.credential, rawId: key.credential, type: 'public-key', response },
      { credential: key.credential, publicKey: key.publicKey, counter: 0, rpId: key.rpId },
      challengeOf(signed),
      origin,
    );
    if (!proof.ok) return `its signature does not hold at record ${index}: ${proof.why}`;
    verified += 1;
    const who = signers.get(signed.approval) ?? new Set();
    signers.set(signed.approval, who.add(`${body.actor} ${requirement}`));
    return null;
  };

  const checkDecided = (body: RecordBody): string | null => {
    const approval = body.approval ?? '';
    const claims = (body.satisfied ?? []).filter(({ literal, persons }) => asksPasskey(literal) && persons.length > 0);
    const signed = signers.get(approval);
    signers.delete(approval);
    return claims.every(({ literal, persons }) => persons.every((person) => signed?.has(`${person} ${literal}`)))
      ? null
      : 'it rests on votes that nobody signed';
  };

  return {
    count: () => verified,
    async check({ body, index }) {
      switch (body.type) {
        case 'passkey.enrolled': {
          const parsed = enrolment.safeParse(body.passkey);
          if (!parsed.success) return 'it enrols no key';
          const { id, credential, public_key: publicKey, rp_id: rpId } = parsed.data;
          keys.set(id, { index, person: body.person ?? body.actor ?? '', credential, publicKey, rpId, effectiveAt: body.effective_at ?? null });
          return null;
        }
        case 'passkey.confirmed':
        case 'passkey.unconfirmed': {
          const key = keys.get(body.passkey?.id ?? '');
          if (key) keys.set(body.passkey?.id ?? '', { ...key, effectiveAt: body.type === 'passkey.confirmed' ? (body.effective_at ?? null) : null });
          return null;
        }
        case 'passkey.removed':
          keys.delete(body.passkey?.id ?? '');
          return null;
        case 'approval.voted':
          return checkVote(body, index);
        case 'approval.approved':
          return checkDecided(body);
        case 'approval.denied':
        case 'approval.expired':
        case 'approval.cancelled':
          signers.delete(body.approval ?? '');
          return null;
        default:
          return null;
      }
    },
  };
}

/** The origin the browser signed, when it lies at the host the key is for. */
function originAt(clientDataJson: string, rpId: string): string | null {
  const origin = readClientData(clientDataJson)?.origin;
  const host = origin !== undefined && URL.canParse(origin) ? new URL(origin).hostname : null;
  return origin !== undefined && (host === rpId || host?.endsWith(`.${rpId}`)) ? origin : null;
}
