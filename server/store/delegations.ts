import type { RecordBody } from '../audit/record.ts';
import type { Page } from './rows/state.ts';

/** A reviewer's place in one group, lent to a colleague for a while: their vote, and nobody's beside it. */
export interface DelegationRow {
  readonly id: string;
  readonly tenant: string;
  readonly group: string;
  /** Whose place it is: `<issuer>#<subject>`, and the name in the tenant document when it was given. */
  readonly lender: string;
  readonly lenderName: string;
  /** Who may vote in it. */
  readonly delegate: string;
  readonly delegateName: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly endsAt: number;
  /** When it was taken back; null when it was not. */
  readonly endedAt: number | null;
}
export type NewDelegation = Omit<DelegationRow, 'endedAt'>;

export type DelegationAnswer =
  | { readonly done: true; readonly delegation: DelegationRow }
  | { readonly done: false; readonly why: 'revision' | 'already_there' | 'too_many' };

export interface DelegationVerbs {
  /** One at a time for a place; `revision` is where role, group and term were read. */
  giveDelegation(delegation: NewDelegation, revision: number, record: RecordBody): Promise<DelegationAnswer>;
  /** At once. False when it was over already. */
  endDelegation(tenant: string, id: string, at: number, record: RecordBody): Promise<boolean>;
  readDelegation(tenant: string, id: string): Promise<DelegationRow | null>;
  /** Newest first; with `inForceAt` those alone that hold then. */
  listDelegations(tenant: string, filter: { delegate?: string; inForceAt?: number }, page: Page): Promise<readonly DelegationRow[]>;
}
