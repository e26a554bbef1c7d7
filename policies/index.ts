export { type CaseOutcome, type CaseResult, findUntested, runCases } from './cases/run.ts';
export { type StatedFacts, statedFacts, withStated } from './cases/stated-facts.ts';
export { describeCases, describePolicies, type PolicyStatement } from './describe.ts';
export { secondsOf } from './durations.ts';
export { type TrapNotice, watchTraps } from './engine/cedar.ts';
export { compilePolicy } from './engine/compile.ts';
export { EngineTrap } from './engine/instance.ts';
export { decideObserved, listableObserved, type Observed } from './engine/observe.ts';
export type { TenantPolicy } from './engine/tenant-policy.ts';
export { explainDecision, explainInWords } from './explain.ts';
export type { CallFacts, PolicyProblem, PolicySource, PolicyTool, ToolFacts } from './facts.ts';
export { bottom, dominates, join, rank } from './labels.ts';
export { platformRules, referenceTenant } from './platform-rules.ts';
export { printSchema } from './print-schema.ts';
export { asksPasskey, covers, parseRequirement, satisfiedBy, withPasskey } from './requirements.ts';
export { didYouMean } from './suggest.ts';
export type { Findings } from './vet/question.ts';
export { vetDigest } from './vet/vet-digest.ts';
export { explainCall, testPolicy, vetPolicy } from './vet/vet-policy.ts';
export {
  type AttestedBy,
  attesters,
  builtInCategories,
  type Decision,
  type DeterminingPolicy,
  type Effect,
  effects,
  type Integrity,
  integrities,
  type Label,
  type Origin,
  origins,
  type Reaches,
  type Requirement,
  reaches,
  type Sensitivity,
  sensitivities,
  type TargetType,
  targetTypes,
} from './vocabulary.ts';
export type { Explanation } from './what-if/explanation.ts';
