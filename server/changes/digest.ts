import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { RecordBody } from '../audit/record.ts';
import type { ChangeRow } from '../store/store.ts';

/** A difference laid over the configuration as it is now. */
export interface PlannedChange extends Pick<ChangeRow, 'revision' | 'items' | 'touches' | 'adds'> {
  /** The same as a record tells it, with every definition that would be pinned, in full. */
  readonly recorded: NonNullable<RecordBody['changes']>;
}

/**
 * What an approver approves: SHA-256 of the canonical form (RFC 8785) of the difference, where it would be laid, and whose it is.
 * INVARIANT: whatever may take effect by this change is in it, by value or by hash; the id makes it good for this change alone.
 */
export function changeDigest({ tenant, id, author, needs }: Pick<ChangeRow, 'tenant' | 'id' | 'author' | 'needs'>, planned: PlannedChange): string {
  const { revision, items, recorded } = planned;
  return sha256Hex(canonicalForm({ tenant, change: id, author, needs, revision, items, recorded }));
}
