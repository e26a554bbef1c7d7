import type { Effect } from '../../../policies/index.ts';
import type { RecordBody } from '../../audit/record.ts';

/** What people are asked, and what they say. */

/** Most approvals that wait for a human at the same time. */
export interface PendingLimits {
  readonly session: number;
  readonly agent: number;
  readonly tenant: number;
}

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'superseded' | 'revoked' | 'used';

/** How a client waits for a human: as a task, by rounds of `requestState`, in a held request, or by itself with a handle (DESIGN §5). */
export const rungs = ['task', 'rounds', 'hold', 'handle'] as const;
export type Rung = (typeof rungs)[number];

export interface Vote {
  readonly person: string;
  /** The person's name in the tenant document when the vote was cast. */
  readonly name: string;
  readonly requirement: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
  /** The key that signed it; null for a plain vote. */
  readonly passkey: string | null;
  /** In whose place it was cast, by which delegation; null for a vote of the person's own. */
  readonly behalf: Behalf | null;
}

export interface Behalf {
  readonly person: string;
  readonly name: string;
  readonly delegation: string;
}

/** Under which rules of its tenant it is decided: as they were when it was asked for. */
export interface ApprovalTerms {
  readonly effect: Effect;
  /** Groups, or `sponsor`, in the order in which they are asked; whoever is not among them is asked from the start. */
  readonly stages: readonly string[];
  /** By group: how many denials deny, where it takes more than one. */
  readonly vetoes: Readonly<Record<string, number>>;
  /** Groups that are told as well once three quarters of its life are over; when there are none, the admins are. */
  readonly escalateTo: readonly string[];
}

export interface ApprovalRow {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly agent: string;
  readonly tool: string;
  readonly callKey: string;
  /** What makes the call another than an equal one, as the client sent it; null when it sent nothing. */
  readonly nonce: string | null;
  /** SHA-256 of the proposal's canonical form, hex. */
  readonly digest: string;
  /** The proposal's canonical bytes, sealed; what runs is what stands here. */
  readonly proposal: Uint8Array;
  readonly requirements: readonly string[];
  /** Persons (`<issuer>#<subject>`) who cannot give it. */
  readonly excluded: readonly string[];
  readonly terms: ApprovalTerms;
  /** The approval this one is an edit of; null when the agent asked for exactly this. */
  readonly editedFrom: string | null;
  /** The edit that took its place; null otherwise. */
  readonly supersededBy: string | null;
  readonly status: ApprovalStatus;
  readonly votes: readonly Vote[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly dispatch: string | null;
  /** How the call that took it had waited; null until then, and when an earlier version took it. */
  readonly rung: Rung | null;
  /** How the dispatch ended; null while it runs or when there is none. */
  readonly outcome: 'completed' | 'failed' | 'unknown' | null;
  readonly sealedOutcome: Uint8Array | null;
}

export type NewApproval = Omit<
  ApprovalRow,
  'status' | 'votes' | 'decidedAt' | 'dispatch' | 'outcome' | 'rung' | 'sealedOutcome' | 'editedFrom' | 'supersededBy'
>;

export interface NewVote extends Vote {
  readonly tenant: string;
  readonly approval: string;
  /** The digest the voter was shown; another one is refused. */
  readonly digest: string;
  /** Configuration in which the person's role and group were read. */
  readonly revision: number;
  /** What the authenticator counted when it signed; null for a plain vote. */
  readonly counter: number | null;
  readonly record: RecordBody;
}

export type VoteAnswer =
  | { readonly voted: true; readonly approval: ApprovalRow }
  | {
      readonly voted: false;
      readonly why: 'not_found' | 'not_pending' | 'already_voted' | 'digest' | 'revision' | 'excluded' | 'passkey' | 'delegation';
      readonly approval: ApprovalRow | null;
    };

/** One proposal in the place of another: the original must still be the pending one that was edited. */
export interface Edit {
  readonly original: Pick<ApprovalRow, 'tenant' | 'id' | 'digest'>;
  readonly edited: NewApproval;
  /** Configuration under which the edit was judged and the person's group was read. */
  readonly revision: number;
  /** `<issuer>#<subject>` of the reviewer. */
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}

export type EditAnswer =
  | { readonly edited: true; readonly approval: ApprovalRow }
  | { readonly edited: false; readonly why: 'not_pending' | 'session_not_live' | 'revision' };

/** One vote with what it was about. */
export interface DecisionRow {
  readonly approval: string;
  readonly person: string;
  readonly name: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
  readonly tool: string;
  readonly agent: string;
  readonly session: string;
  readonly askedAt: number;
  /** How the call that took the approval had waited; null when none has. */
  readonly rung: Rung | null;
  /** When the console first showed it to this person; null when they decided elsewhere. */
  readonly shownAt: number | null;
}
