export { type Applied, type ApplyAnswer, type ApplyOptions, applyDocuments, inTurn, readStored } from './apply.ts';
export type { ChannelDocument } from './channel.ts';
export { type ComparedTool, compareTools } from './compare-tools.ts';
export { changeOf } from './configuration-change.ts';
export { digestOfListed } from './drift.ts';
export type { HeldDocuments } from './held.ts';
export { documentsJsonSchema } from './json-schema.ts';
export {
  type AgentDocument,
  type ArgumentConstraint,
  agentDocument,
  documentKinds,
  type GrantDocument,
  type Kind,
  type OperatorCommand,
  type PlatformDocument,
  platformDocument,
  spiffeId,
  type TaskgateDocument,
  type TenantDocument,
  type TrustRoot,
  tenantDocument,
  type UseCaseDocument,
  useCaseDocument,
} from './kinds.ts';
export { listTarget } from './list-upstream.ts';
export { loadPaths, loadTexts } from './load.ts';
export { noticeDrift, watchDrift } from './notice-drift.ts';
export { type ObservedUseCase, readObserved } from './observed-use-cases.ts';
export type { Plan, PlanItem } from './plan.ts';
export { planAccepted, planHeld } from './plan-held.ts';
export { policySource } from './policy-source.ts';
export type { DocumentProblem, Loaded, LoadedDocument, LoadedPolicy } from './problems.ts';
export { noticesOf, renderPlan, waitingSentence } from './render-plan.ts';
export type { TenantSnapshot, Tenants } from './snapshot.ts';
export { type Suggestion, suggestPolicy } from './suggestion/index.ts';
export { BrokenConfiguration, createTenants } from './tenants.ts';
export { connectionKey, reservedHeader, type UpstreamParts, upstreamTarget } from './upstream-target.ts';
