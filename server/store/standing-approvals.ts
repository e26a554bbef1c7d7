import type { RecordBody } from '../audit/record.ts';
import type { Page } from './rows/state.ts';

/** `standing`: for the sessions of a use case, until its end. `remembered`: an answer within one session. */
export type StandingKind = 'standing' | 'remembered';
export type StandingStatus = 'pending' | 'active' | 'denied' | 'revoked' | 'expired';

export interface StandingVote {
  readonly person: string;
  readonly name: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
}

/** A pre-authorisation: calls within it need no answer of their own from those who gave it. */
export interface StandingRow {
  readonly id: string;
  readonly tenant: string;
  readonly kind: StandingKind;
  /** The literal it stands for; as many people of that group gave it. */
  readonly requirement: string;
  readonly tool: string;
  readonly useCase: string;
  /** The one session of a remembered answer. */
  readonly session: string | null;
  /** SHA-256 of the canonical form of what stands in `sealed`, hex. */
  readonly digest: string;
  /** Constraints, caps and labels, sealed; empty once it has ended. */
  readonly sealed: Uint8Array;
  readonly status: StandingStatus;
  readonly author: string;
  readonly votes: readonly StandingVote[];
  readonly createdAt: number;
  /** While it is pending, until when it can be voted on; then, when it ends. */
  readonly expiresAt: number;
  readonly endsAt: number;
  readonly decidedAt: number | null;
}
export type NewStanding = Omit<StandingRow, 'status' | 'votes' | 'decidedAt'>;

export interface NewStandingVote extends StandingVote {
  readonly tenant: string;
  readonly standing: string;
  readonly digest: string;
  /** Configuration in which the person's role and group were read. */
  readonly revision: number;
}
export type StandingAnswer =
  | { readonly done: true; readonly standing: StandingRow }
  | { readonly done: false; readonly why: 'not_found' | 'not_pending' | 'digest' | 'revision' | 'already_voted' | 'too_many' | 'session_not_live' };

export interface StandingVerbs {
  /** With the first vote of its author when it is a remembered answer; an equal one of the same session is voted on instead. */
  proposeStanding(standing: NewStanding, revision: number, first: StandingVote | null): Promise<StandingAnswer>;
  voteStanding(vote: NewStandingVote): Promise<StandingAnswer>;
  /** False when it was neither pending nor active. */
  revokeStanding(tenant: string, id: string, at: number, record: RecordBody): Promise<boolean>;
  readStanding(tenant: string, id: string): Promise<StandingRow | null>;
  listStanding(tenant: string, filter: { status?: StandingStatus; kind?: StandingKind }, page: Page): Promise<readonly StandingRow[]>;
  /** Those that may cover a call of the tool in this session at `at`, with what was drawn from them, by scope and name. */
  standingFor(tenant: string, tool: string, session: string, at: number): Promise<readonly { row: StandingRow; used: Readonly<Record<string, number>> }[]>;
}
