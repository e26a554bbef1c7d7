import type { CallFacts } from '../facts.ts';
import type { Decision } from '../vocabulary.ts';

/** A tenant's law, compiled: the platform's rules and the tenant's own, sliced per tool. Every error denies. */
export interface TenantPolicy {
  readonly tenant: string;
  /** Judges one call: once with the true facts; if denied only by forbids that name requirements, once more with those added. */
  decide(facts: CallFacts): Decision;
  /**
   * False only when no arguments whatever could make this call run or wait: the set with conditions on arguments taken
   * out in the direction of allow, every requirement taken as satisfied. Callable implies listable.
   */
  listable(facts: Omit<CallFacts, 'args' | 'satisfied'>): boolean;
}
