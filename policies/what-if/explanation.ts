import type { Decision } from '../vocabulary.ts';

/** One fact in another state. Values are written as JSON; null where there is none. */
export interface FactChange {
  /** As policy text names it, such as `context.args.amount`. */
  readonly fact: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Another outcome, and the facts that give it: each was tried by judging the call again. */
export interface Change {
  readonly facts: readonly FactChange[];
  readonly decision: Decision['decision'];
  readonly requirements: readonly string[];
}

/** A permit that did not hold, and which of its conditions did not. */
export interface NearPermit {
  readonly id: string;
  readonly reason: string | null;
  readonly fails: readonly string[];
}

/** A decision, what it rested on, and what would change it. Deterministic: the same law and facts give the same. */
export interface Explanation {
  readonly decision: Decision;
  /** What the determining policies looked at. */
  readonly facts: readonly { readonly fact: string; readonly value: string | null; readonly policies: readonly string[] }[];
  readonly nearest: readonly NearPermit[];
  readonly changes: readonly Change[];
  /** Decisions made to find them. */
  readonly tried: number;
}
