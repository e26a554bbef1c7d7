import type { RecordBody } from '../audit/record.ts';
import type { Page } from './rows/state.ts';

export type BreakGlassStatus = 'requested' | 'lapsed' | 'active' | 'ended';

/** A person as the tenant document had them when they acted. */
export interface Involved {
  /** `<issuer>#<subject>`. */
  readonly person: string;
  readonly name: string;
}

/** What was asked for and is confirmed or not, as it stands. */
export interface BreakGlassTerms {
  /** Brokered names. */
  readonly tools: readonly string[];
  readonly incident: string;
  readonly reason: string;
  /** Milliseconds from the confirmation on. */
  readonly lifetime: number;
  readonly calls: number;
  /** Whole ten-thousandths; 0 lets no call through that counts an amount. */
  readonly amount: number;
  readonly initiator: Involved;
  /** Persons who cannot confirm or review it, under any account the document knows: those in the session's chain. */
  readonly excluded: readonly string[];
  /** Credentials of the upstreams its tools belong to. */
  readonly credentials: readonly string[];
}

export interface BreakGlassReview extends Involved {
  readonly finding: string;
}

export interface BreakGlassRow {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly agent: string;
  readonly status: BreakGlassStatus;
  readonly terms: BreakGlassTerms;
  readonly requestedAt: number;
  readonly confirmBy: number;
  readonly confirmer: Involved | null;
  readonly activatedAt: number | null;
  readonly notAfter: number | null;
  readonly firstUsedAt: number | null;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly rotate: readonly { readonly name: string; readonly version: number }[];
  readonly reviewDue: number | null;
  readonly review: BreakGlassReview | null;
  readonly reviewedAt: number | null;
  /** Drawn so far; never given back. */
  readonly used: { readonly calls: number; readonly amount: number };
}

/** Guards that every step of it shares: the configuration its people were read in. */
interface Step {
  readonly tenant: string;
  readonly revision: number;
  readonly at: number;
  readonly record: RecordBody;
}
export interface NewBreakGlass extends Step {
  readonly id: string;
  readonly session: string;
  readonly agent: string;
  readonly terms: BreakGlassTerms;
  readonly confirmBy: number;
}
export interface BreakGlassConfirmation extends Step {
  readonly id: string;
  readonly confirmer: Involved;
  /** Of the time after its end in which it has to be reviewed. */
  readonly reviewMs: number;
}
export interface BreakGlassReviewing extends Step {
  readonly id: string;
  readonly review: BreakGlassReview;
}

export type BreakGlassRefused =
  | 'not_found'
  | 'revision'
  | 'session_not_live'
  | 'already_there'
  | 'review_overdue'
  | 'not_requested'
  | 'not_ended'
  | 'nobody_told';
export type BreakGlassAnswer = { readonly done: true; readonly row: BreakGlassRow } | { readonly done: false; readonly why: BreakGlassRefused };

export interface BreakGlassVerbs {
  requestBreakGlass(request: NewBreakGlass): Promise<BreakGlassAnswer>;
  /** Activates it and queues the message that says so, or neither. */
  confirmBreakGlass(confirmation: BreakGlassConfirmation): Promise<BreakGlassAnswer>;
  /** Ends it with its session, or takes it back before it was confirmed. False when there was nothing to end. */
  endBreakGlass(tenant: string, id: string, reason: string, at: number, record: RecordBody): Promise<boolean>;
  reviewBreakGlass(review: BreakGlassReviewing): Promise<BreakGlassAnswer>;
  readBreakGlass(tenant: string, id: string): Promise<BreakGlassRow | null>;
  /** The one that is active for a session at `at`. */
  activeBreakGlass(tenant: string, session: string, at: number): Promise<BreakGlassRow | null>;
  listBreakGlass(tenant: string, filter: { status?: BreakGlassStatus }, page: Page): Promise<readonly BreakGlassRow[]>;
}
