import type { PolicyTool } from '../facts.ts';
import type { CedarPolicies, Health, Prepared } from './cedar.ts';
import type { Read } from './expression.ts';
import { createMemo, type Memo } from './memo.ts';
import type { ParsedPolicy } from './parse-policies.ts';
import { narrow, type ReadTree, treeOf } from './project.ts';
import type { Projected } from './request.ts';
import { actionType, allCalls, anyTool, sliceSchema, toolType, upstreamGroup } from './schema.ts';
import { type Slice, sliceOf } from './slice.ts';
import { type RecordType, sampleOf } from './value-types.ts';

/** A tenant's whole law, ready to be judged by. */
export interface Law {
  readonly tenant: string;
  /** What `context.inputs` can hold. */
  readonly inputs: RecordType;
  /** The platform's rules and the tenant's own. */
  readonly policies: ReadonlyMap<string, ParsedPolicy>;
  readonly tools: ReadonlyMap<string, ToolLaw>;
  /** Every requirement literal of the set. */
  readonly literals: readonly string[];
  readonly memo: Memo;
  readonly health: Health;
}

/** The part of the law that can concern one tool. */
export interface ToolLaw {
  readonly tool: PolicyTool;
  readonly policies: readonly ParsedPolicy[];
  readonly slice: Slice;
  readonly args: { readonly type: RecordType; readonly reads: ReadTree };
  readonly inputs: { readonly type: RecordType; readonly reads: ReadTree };
  readonly prepared: Prepared;
  /** Arguments of the prepared type, for requests in which nothing reads them. */
  readonly sample: Projected['args'];
}

/** The sets prepared for each tool. */
export const sets = { call: 'call', list: 'list' } as const;

/** Of a whole law, but for its policies. */
type Subject = Pick<Law, 'tenant' | 'inputs' | 'health'>;

export function makeLaw(tenant: string, policies: readonly ParsedPolicy[], tools: readonly PolicyTool[], inputs: RecordType): Law {
  const health: Health = { tenant, traps: 0 };
  return {
    tenant,
    inputs,
    health,
    policies: new Map(policies.map((policy) => [policy.id, policy])),
    tools: toolLaws({ tenant, inputs, health }, policies, tools),
    literals: [...new Set(policies.flatMap(({ requirement }) => requirement?.literal ?? []))],
    memo: createMemo(),
  };
}

/**
 * The law of each tool. Tools of which the same is read by the same policies share one preparation, kept in the slot of the first of
 * them; `part` tells the slots of two laws of one tenant apart.
 */
export function toolLaws(subject: Subject, policies: readonly ParsedPolicy[], tools: readonly PolicyTool[], part = ''): ReadonlyMap<string, ToolLaw> {
  const shared = new Map<string, Prepared>();
  return new Map(tools.map((tool) => [tool.name, toolLaw(subject, policies, tool, `${subject.tenant}/${tool.name}${part}`, shared)]));
}

/** `slot` is where the engine keeps it, unless `shared` has the same already. */
export function toolLaw(
  { inputs, health }: Omit<Subject, 'tenant'>,
  all: readonly ParsedPolicy[],
  tool: PolicyTool,
  slot: string,
  shared = new Map<string, Prepared>(),
): ToolLaw {
  const policies = all.filter((policy) => canConcern(policy, tool));
  const slice = sliceOf(policies);
  const reads: readonly Read[] = policies.flatMap((policy) => policy.reads);
  const type = toolType(tool);
  const argReads = treeOf(reads, 'context', 'args');
  const inputReads = treeOf(reads, 'context', 'inputs');
  const sent = narrow(type.args, argReads);
  const schema = sliceSchema([{ ...(slice.entities ? type : anyTool), args: sent }], narrow(inputs, inputReads), slice);
  const key = JSON.stringify([policies.map(({ id }) => id), schema]);
  const prepared = shared.get(key) ?? {
    slot,
    health,
    schema,
    sets: {
      [sets.call]: byId(policies, ({ json }) => ({ ...json, action: everyAction })),
      [sets.list]: byId(policies, ({ relaxed }) => ({ ...relaxed, action: everyAction })),
    },
  };
  shared.set(key, prepared);
  return {
    tool,
    policies,
    slice,
    args: { type: type.args, reads: argReads },
    inputs: { type: inputs, reads: inputReads },
    prepared,
    sample: sampleOf(sent) as Projected['args'],
  };
}

/** The slice holds exactly the policies whose scope covers the tool's action: asked again, the engine would need all its groups. */
const everyAction = { op: 'All' } as const;

function byId(policies: readonly ParsedPolicy[], form: (policy: ParsedPolicy) => CedarPolicies[string]): CedarPolicies {
  return Object.fromEntries(policies.map((policy) => [policy.id, form(policy)]));
}

/** True when the scope of a policy's action matches a tool's action, itself or by its groups. */
export function canConcern({ json: { action } }: ParsedPolicy, tool: Pick<PolicyTool, 'name' | 'upstream'>): boolean {
  if (action.op === 'All') return true;
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  const own = new Set(action.op === 'in' ? [tool.name, upstreamGroup(tool.upstream), allCalls] : [tool.name]);
  return named.some((entity) => {
    const { type, id } = '__entity' in entity ? entity.__entity : entity;
    return type === actionType && own.has(id);
  });
}
