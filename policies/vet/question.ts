import type { CaseResult } from '../cases/run.ts';
import type { CallFacts, PolicyProblem, PolicySource } from '../facts.ts';
import type { Explanation } from '../what-if/explanation.ts';

/** What a throw-away process is asked about a tenant's texts. */
export type Question =
  | { readonly ask: 'compile' | 'test'; readonly source: PolicySource }
  | { readonly ask: 'explain'; readonly source: PolicySource; readonly facts: CallFacts }
  /** Goes through the texts one by one, saying which comes next: the last one said is the one the engine stopped at. */
  | { readonly ask: 'locate'; readonly source: PolicySource };

/** What it found. Whatever `problems` names comes before all else. */
export interface Findings {
  readonly problems: readonly PolicyProblem[];
  /** Of `test`. */
  readonly results: readonly CaseResult[];
  readonly untested: readonly string[];
  /** Of `explain`. */
  readonly explanation: Explanation | null;
}

/** What it says: which text it is at, then what it found or what ended it. */
export type Said<T> = { readonly at: string } | { readonly answer: T } | { readonly failed: string };
