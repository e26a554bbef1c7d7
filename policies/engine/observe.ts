import type { CallFacts } from '../facts.ts';
import { platform } from '../platform-rules.ts';
import type { Decision } from '../vocabulary.ts';
import { lawOf } from './compile.ts';
import { decide, listable } from './decide.ts';
import { type Law, toolLaws } from './law.ts';
import { createMemo } from './memo.ts';
import { parsePolicies } from './parse-policies.ts';
import type { TenantPolicy } from './tenant-policy.ts';

/** What becomes of a call while the tenant's policy is only observed, and what enforcing it would have answered. */
export interface Observed {
  /** By the platform's rules, which are always enforced. */
  readonly decision: Decision;
  /** The tenant's policy's answer that was not enforced; null when enforcing it would have changed nothing. */
  readonly wouldBe: Exclude<Decision, { decision: 'allow' }> | null;
}

/**
 * Judges one call whose use case is observed: permits, requirements and denials of the tenant are answered for the record,
 * the platform's rules for the call. What cannot be judged is denied as ever, for nobody can say what would have been.
 */
export const decideObserved = (policy: TenantPolicy, facts: CallFacts): Observed => observe(lawOf(policy), facts);

export function observe(law: Law, facts: CallFacts): Observed {
  const enforced = decide(law, facts);
  if (enforced.decision === 'allow') return { decision: enforced, wouldBe: null };
  if (enforced.decision === 'deny' && (enforced.cause === 'error' || enforced.cause === 'unrepresentable')) return { decision: enforced, wouldBe: null };
  const decision = decide(platformLaw(law), facts);
  // A denial without policies is a missing permit, which is the tenant's to give.
  const tenants = enforced.policies.length === 0 || enforced.policies.some(({ id }) => isTenants(id));
  return { decision, wouldBe: decision.decision !== 'deny' && tenants ? enforced : null };
}

/** Like `listable`, for a use case that is observed: what may be called is listed. */
export function listableObserved(policy: TenantPolicy, facts: Omit<CallFacts, 'args' | 'satisfied'>): boolean {
  return policy.listable(facts) || listable(platformLaw(lawOf(policy)), facts);
}

const isTenants = (id: string): boolean => !id.startsWith(`${platform}/`);

/** Stands in for the tenant's permits. INVARIANT: no tenant is called `platform`, so no policy of a tenant can have this id. */
const stand = `@id("${platform}/observed")
@reason("The use case is observed: the policy of the tenant is recorded and not enforced")
permit (principal, action, resource);`;

const laws = new WeakMap<Law, Law>();

/** The platform's part of a law with everything permitted beside it. */
function platformLaw(law: Law): Law {
  const known = laws.get(law);
  if (known) return known;
  const permit = parsePolicies(`${platform}/observed`, stand).policies[0];
  if (!permit) throw new Error('The permit of observed use cases does not parse');
  const policies = [...[...law.policies.values()].filter(({ id }) => !isTenants(id)), permit];
  const made: Law = {
    ...law,
    // Of its own: an answer for an observed session must never be found for one that is not.
    memo: createMemo(),
    policies: new Map(policies.map((policy) => [policy.id, policy])),
    tools: toolLaws(
      law,
      policies,
      [...law.tools.values()].map(({ tool }) => tool),
      '/observed',
    ),
  };
  laws.set(law, made);
  return made;
}
