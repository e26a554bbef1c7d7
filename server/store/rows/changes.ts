import type { RecordBody } from '../../audit/record.ts';

/** What waits for a second admin. */

export type ChangeStatus = 'pending' | 'applied' | 'rejected' | 'withdrawn' | 'expired' | 'superseded';

/** One line of what a change would make different. */
export interface ChangeItem {
  /** `platform` for the operator's own document. */
  readonly tenant: string;
  /** A document's kind, `Policy`, or what else of an agent or a credential changes. */
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly effect: 'narrows' | 'widens' | 'neutral';
  /** One line each, what widens or narrows marked. */
  readonly differences: readonly string[];
  /** SHA-256 of what would be there, or of what would be removed, hex. */
  readonly sha256: string;
}

/** Something that gives more than there is, held back until another admin approves exactly it. */
export interface ChangeRow {
  readonly tenant: string;
  readonly id: string;
  /** `<issuer>#<subject>` of who asked for it, or `operator` at a start. */
  readonly author: string;
  readonly reason: string | null;
  /** Who may approve it: an admin of the tenant, or one who is named in the operator's document as well. */
  readonly needs: 'admin' | 'operator';
  /** SHA-256 of what it would put in force, whatever that is laid over, hex. */
  readonly content: string;
  /** SHA-256 of the difference it would make at `revision`, hex: only that is approved. */
  readonly digest: string;
  /** The tenant's configuration it was planned on. */
  readonly revision: number;
  readonly items: readonly ChangeItem[];
  /** What decisions may come to rest on: `group:finance`, `role:reviewer`, `policy`, `upstream:ledger` … */
  readonly touches: readonly string[];
  /** Of `touches`, what each person (`<issuer>#<subject>`) would be added to. */
  readonly adds: Readonly<Record<string, readonly string[]>>;
  /** What it would put in force, sealed; empty once it is settled. */
  readonly payload: Uint8Array;
  readonly status: ChangeStatus;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
  readonly decisionReason: string | null;
}

export type NewChange = Omit<ChangeRow, 'status' | 'decidedAt' | 'decidedBy' | 'decisionReason'> & { readonly record: RecordBody };

/** Most changes that wait in a tenant at the same time. */
export const mostChanges = 100;

export type RequestAnswer = { readonly change: ChangeRow; readonly created: boolean } | { readonly refused: 'too_many' | 'stale' };

/** Another admin's word on exactly this difference; taken in the transaction that puts it in force, or not at all. */
export interface ChangeApproval {
  readonly tenant: string;
  readonly id: string;
  readonly digest: string;
  /** Configuration in which the approver's role was read. */
  readonly revision: number;
  readonly by: string;
  readonly reason: string | null;
  readonly at: number;
  readonly record: RecordBody;
}
