import type { RecordBody } from '../audit/record.ts';
import { seconds } from '../documents/durations.ts';
import type { TenantDocument } from '../documents/kinds.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow, NewChange } from '../store/store.ts';
import { changeDigest, type PlannedChange } from './digest.ts';
import { contentOf, type Payload, sealPayload } from './payload.ts';

/** How long a change waits for a second admin where the tenant does not say. */
const usualMs = 7 * 86_400_000;

/** By the document that is in force, which a change of it does not touch while it waits. */
export const waitsMs = (document: Pick<TenantDocument, 'changes'> | null): number =>
  document?.changes === undefined ? usualMs : seconds(document.changes.wait) * 1000;

export interface Wish {
  readonly tenant: string;
  /** `<issuer>#<subject>`, or `operator`. */
  readonly author: string;
  readonly needs: ChangeRow['needs'];
  readonly reason: string | null;
  readonly payload: Payload;
  readonly planned: PlannedChange;
  /** Milliseconds it waits. */
  readonly waits: number;
}

/** A change as it will wait: whole, sealed, bound to its digest. */
export function newChange(ports: Pick<Ports, 'keys' | 'clock' | 'newId'>, wish: Wish): NewChange {
  const { tenant, author, needs, reason, payload, planned, waits } = wish;
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
    expiresAt: at + waits,
    record: {
      ...recordOf('change.requested', row, author, at),
      ...{ changes: recorded, revision: planned.revision, expires_at: at + waits },
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
