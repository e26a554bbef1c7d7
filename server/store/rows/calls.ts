import type { Label } from '../../../policies/index.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { Rung } from './approvals.ts';

/** What a call takes and how it ends. */

/** One counter to draw from; refused when `used + amount > limit`. A draw is never given back. */
export interface Draw {
  /** `session/<id>`, `use-case/<name>/<YYYY-MM-DD>`, `standing/<id>` or `standing-day/<id>/<YYYY-MM-DD>`. */
  readonly scope: string;
  /** `calls`, `amount` or `tool:<brokered name>`. */
  readonly key: string;
  readonly amount: number;
  readonly limit: number;
}

/** What a claim takes of a standing approval: it must still be active, and its counters are drawn with the rest. */
export interface StandingTaken {
  readonly id: string;
  readonly digest: string;
}

export interface ClaimRequest {
  readonly tenant: string;
  readonly session: string;
  readonly tool: string;
  readonly revision: number;
  readonly labelVersion: number;
  readonly draws: readonly Draw[];
  readonly approval: { readonly id: string; readonly digest: string } | null;
  /** Id of the break-glass it runs under. */
  readonly breakGlass?: string | null;
  /** Standing approvals and remembered answers it rests on, beside or in place of one of its own. */
  readonly standing?: readonly StandingTaken[];
  readonly dispatch: string;
  /** How the call that takes the approval had waited for it. */
  readonly rung?: Rung | null;
  /** After this the dispatch counts as `unknown`. */
  readonly leaseUntil: number;
  readonly at: number;
  readonly record: RecordBody;
}

export type ClaimAnswer =
  | { readonly claimed: true; readonly fence: number; readonly recordIndex: number }
  | { readonly claimed: false; readonly why: 'session' | 'revision' | 'labels' | 'approval' | 'break_glass' | 'standing' }
  | { readonly claimed: false; readonly why: 'budget'; readonly draw: Draw };

export interface Settlement {
  readonly tenant: string;
  readonly session: string;
  readonly dispatch: string;
  readonly fence: number;
  readonly outcome: 'completed' | 'failed' | 'unknown';
  /** What the result adds to the lineage's label; null when nothing of upstream origin came back. */
  readonly label: Label | null;
  /** The outcome to hold for a replay, sealed; null when the call needed no approval. */
  readonly approvalOutcome: { readonly approval: string; readonly sealed: Uint8Array } | null;
  /** The outcome for whoever asks for it as a task's, sealed; kept only when `keepDispatch` asked for it. */
  readonly taskOutcome?: Uint8Array | null;
  readonly at: number;
  readonly record: RecordBody;
}

/** `over_ceiling` has suspended the session in the same transaction; `fenced` means another attempt or the sweep settled it. */
export interface SettlementAnswer {
  readonly release: 'yes' | 'session_ended' | 'over_ceiling' | 'fenced';
  readonly label: Label;
  readonly recordIndex: number;
}

export interface DispatchRow {
  readonly id: string;
  readonly tool: string;
  readonly status: 'dispatched' | 'completed' | 'failed' | 'unknown';
  readonly approval: string | null;
  readonly dispatchedAt: number;
  readonly settledAt: number | null;
}

/** A dispatch as a task may be asked for it. */
export interface TaskRow extends DispatchRow {
  readonly session: string;
  /** Until when it answers as a task, epoch milliseconds; null when nobody asked for that. */
  readonly keptUntil: number | null;
  /** When its client no longer wanted it. */
  readonly cancelledAt: number | null;
  readonly sealedOutcome: Uint8Array | null;
}
