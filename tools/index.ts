export { expand, type MatchedResource, matchResource } from './address.ts';
export { type CompiledSchema, compileSchema } from './arguments.ts';
export { acceptsOf, type BrokeredTool, brokeredName, type CatalogueProblem, makeCatalogue, manifestProblem, toPolicyTool } from './catalogue.ts';
export {
  addressOf,
  type Definition,
  keyOf,
  kindOf,
  type OperationKind,
  operationKinds,
  type PromptDefinition,
  type ResourceDefinition,
  type TemplateDefinition,
  type ToolDefinition,
} from './definition.ts';
export { Canonical, canonicalForm, definitionDigest, NotCanonical, sha256Hex } from './digest.ts';
export { soberHints } from './hints.ts';
export { BadJson, type JsonCaps, parseJsonStrict } from './json.ts';
export type { OtherTool } from './look-alikes.ts';
export {
  apiVersion,
  type CredentialDocument,
  credentialDocument,
  duration,
  slug,
  type ToolManifest,
  toolManifest,
  type UpstreamDocument,
  upstreamDocument,
  upstreamLists,
} from './manifest.ts';
export { type OperationManifest, operationsOf } from './operations.ts';
export type { ArgumentProblem } from './problems.ts';
export { type Proposed, proposeLabels } from './propose.ts';
export { type ProposedResource, proposeResource } from './propose-resource.ts';
export { type Finding, screenDefinition, visible } from './screen.ts';
export { amountOf, tenThousandths } from './targets.ts';
export { type BackgroundCommand, startBackground } from './upstream/background.ts';
export { reservedEnv } from './upstream/confine.ts';
export { type Egress, EgressRefused, egress } from './upstream/egress.ts';
export { createUpstreamPool, type PoolOptions } from './upstream/pool.ts';
export {
  type CallSignal,
  isToolResult,
  type PromptResult,
  type ResourceResult,
  type ToolResult,
  type UpstreamCall,
  type UpstreamConnection,
  type UpstreamOutcome,
  type UpstreamPool,
  type UpstreamResult,
  UpstreamsBusy,
  type UpstreamTarget,
  UpstreamUnavailable,
} from './upstream/upstream.ts';
