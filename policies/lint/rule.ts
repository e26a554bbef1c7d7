import type { ParsedPolicy } from '../engine/parse-policies.ts';
import type { RecordType } from '../engine/value-types.ts';
import type { PolicyTool } from '../facts.ts';

/** What the rules need to know beside the policy. */
export interface LintScope {
  /** What ids start with: the tenant's name, or `platform`. */
  readonly prefix: string;
  readonly effects: 'any' | 'forbids';
  readonly tools: readonly PolicyTool[];
  readonly inputs: RecordType;
  /** Names of the tenant's agents, and the workflows of its agents and use cases. */
  readonly agents: readonly string[];
  readonly workflows: readonly string[];
}

export interface Finding {
  readonly cause: string;
  readonly remedy: string;
}

/** One thing no policy may do; pure, looks at one policy. */
export type LintRule = (policy: ParsedPolicy, scope: LintScope) => readonly Finding[];
