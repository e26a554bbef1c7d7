import { type Decision, decideObserved, type Observed } from '../../policies/index.ts';
import { gatherFacts } from './gather-facts.ts';
import { type Refusal, refuse } from './refusals.ts';
import type { ResolvedTool } from './resolve-tool.ts';

declare const judged: unique symbol;

/** Evidence that the law was asked about exactly this call, now, and did not say no. */
export interface Judgement {
  readonly [judged]: true;
  readonly tool: ResolvedTool;
  readonly decision: Exclude<Decision, { decision: 'deny' }>;
  /** What the tenant's policy would have answered, where the use case is observed and it is not enforced; null otherwise. */
  readonly wouldBe: Observed['wouldBe'];
  /** Literals that were satisfied when it was asked. */
  readonly satisfied: readonly string[];
}

/** Allow, deny or require, with reasons, now. A denial is a refusal that says why in the policy author's words. */
export function judge(tool: ResolvedTool, satisfied: readonly string[] = []): Judgement | Refusal {
  const { policy } = tool.session.tenant;
  const facts = { ...gatherFacts(tool.session, tool.tool, true), args: tool.arguments, satisfied };
  const observed = tool.session.observedUntil !== null;
  const { decision, wouldBe } = observed ? decideObserved(policy, facts) : { decision: policy.decide(facts), wouldBe: null };
  if (decision.decision !== 'deny') return { tool, decision, wouldBe, satisfied } as Omit<Judgement, typeof judged> as Judgement;
  const policies = decision.policies.map(({ id }) => id);
  const more = { policies, detail: decision.detail };
  switch (decision.cause) {
    case 'forbidden': {
      const reasons = decision.policies.map(({ reason }) => reason).filter((reason) => reason !== null);
      return refuse('policy.forbidden', `Policy forbids this call. ${reasons.join('. ')}.`, more);
    }
    case 'no_permit':
      return refuse('policy.forbidden', 'No policy permits this call.', { ...more, detail: 'no permit' });
    case 'unrepresentable':
      return refuse('arguments.unrepresentable', 'An argument that policy reads cannot be represented exactly; give numbers with at most 4 decimals.', more);
    case 'error':
      return refuse('policy.error', 'Policy could not be evaluated, so the call is denied.', more);
  }
}
