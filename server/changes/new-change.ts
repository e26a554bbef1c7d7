import type { RecordBody } from '../audit/record.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow, NewChange } from '../store/store.ts';
import { changeDigest, type PlannedChange } from './digest.ts';
import { contentOf, type Payload, sealPayload } from './payload.ts';

/** How long a change waits for a second admin. */
export const waitsMs = 7 * 86_400_000;

export interface Wish {
  readonly tenant: string;
  /** `<issuer>#<subject>`, or `operator`. */
  readonly author: string;
  readonly needs: ChangeRow['needs'];
  readonly reason: string | null;
  readonly payload: Payload;
  readonly planned: PlannedChange;
}

/** A change as it will wait: whole, sealed, bound to its digest. */
export function newChange(ports: Pick<Ports, 'keys' | 'clock' | 'newId'>, wish: Wish): NewChange {
  const { tenant, author, needs, reason, payload, planned } = wish;
  const id = ports.newId('chg');
  const at = ports.clock();
  const digest = changeDigest({ tenant, id, author, needs }, planned);
  const { recorded, ...plan } = planned;
  const row = { tenant, id, author, digest };
  return {
    ...{ ...row, needs, reason, ...plan },
    content: contentOf(payload),
    payload: sealPayload(ports, tenant, id, payload),
    createdAt: at,
    expiresAt: at + waitsMs,
    record: {
      ...recordOf('change.requested', row, author, at),
      ...{ changes: recorded, revision: planned.revision, expires_at: at + waitsMs },
      ...(reason === null ? {} : { reason }),
    },
  };
}

export const recordOf = (
  type: RecordBody['type'],
  { tenant, id, author, digest }: Pick<ChangeRow, 'tenant' | 'id' | 'author' | 'digest'>,
  actor: string,
  at: number,
): RecordBody => ({ type, at, tenant, actor, author, change: id, change_sha256: digest });
