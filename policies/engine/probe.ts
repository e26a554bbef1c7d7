import type { CallFacts, PolicyTool } from '../facts.ts';
import { bottom } from '../labels.ts';
import { ask } from './cedar.ts';
import { canConcern, type Law, sets, toolLaw } from './law.ts';
import { parsePolicies } from './parse-policies.ts';
import { buildRequest } from './request.ts';
import { actionType, allCalls, upstreamGroup } from './schema.ts';

/**
 * Proves that for every tool a forbid over `call`, one over its upstream and one over itself bite. A scope that is read wrongly, or
 * a condition on the action's groups that the request does not tell of, would skip them and say nothing. Answers the tools for which
 * one does not.
 */
export function unguardedTools(law: Law): readonly string[] {
  const tools = [...law.tools.values()].map(({ tool }) => tool);
  const groups = [...new Set(tools.flatMap(groupsOf))];
  const idOf = new Map(groups.map((group, index) => [group, `scope-${index}`]));
  const policies = groups.flatMap((group, index) => parsePolicies('(probe)', scope(group, index)).policies);
  // Scopes are read here, tool by tool; what is picked the engine is given in one form for all, so one tool of each upstream is put to it.
  const isPicked = (tool: PolicyTool): boolean => {
    const picked = policies.filter((policy) => canConcern(policy, tool)).map(({ id }) => id);
    const own = groupsOf(tool).map((group) => idOf.get(group));
    return picked.length === own.length && own.every((id) => id !== undefined && picked.includes(id));
  };
  const put = new Set<string>();
  const isGuarded = (tool: PolicyTool): boolean => {
    if (put.has(tool.upstream)) return isPicked(tool);
    put.add(tool.upstream);
    const scopes = groupsOf(tool).map(scope);
    // Without the conditions first: they make the request tell of every entity.
    return isPicked(tool) && bites(law, tool, scopes) && bites(law, tool, [...scopes, ...groupsOf(tool).map(condition)]);
  };
  return tools.filter((tool) => !isGuarded(tool)).map(({ name }) => name);
}

const groupsOf = ({ name, upstream }: PolicyTool): string[] => [allCalls, upstreamGroup(upstream), name];
const entity = (group: string): string => `${actionType}::${JSON.stringify(group)}`;
const scope = (group: string, index: number): string => `@id("scope-${index}") forbid (principal, action in ${entity(group)}, resource);`;
const condition = (group: string, index: number): string =>
  `@id("condition-${index}") forbid (principal, action, resource) when { action in ${entity(group)} };`;

/** Every one of the forbids determines the answer to a call of the tool. */
function bites(law: Law, tool: PolicyTool, forbids: readonly string[]): boolean {
  const { policies } = parsePolicies('(probe)', ['@id("all") permit (principal, action, resource);', ...forbids].join('\n'));
  const probe = toolLaw(law, policies, tool, 'probe');
  const request = buildRequest(law.tenant, anyCall(law.tenant, tool), { args: probe.sample, inputs: {}, satisfied: [] }, probe.slice);
  const { allowed, reasons, errors } = ask(probe.prepared, sets.call, request);
  return !allowed && errors.length === 0 && reasons.length === forbids.length;
}

function anyCall(tenant: string, { name, upstream }: PolicyTool): Omit<CallFacts, 'args' | 'satisfied'> {
  return {
    tenant,
    agent: { name: 'probe', tenant, owner: 'probe', workflow: 'probe', clearance: 'public', status: 'active' },
    sponsor: { person: 'probe', groups: [], standing: 'active' },
    tool: { name, upstream, tenant, effect: 'read', reaches: 'tenant', accepts: 'restricted', returns: bottom, pinned: true },
    session: {
      id: 'probe',
      tenant,
      useCase: 'probe',
      mode: 'autonomous',
      attestedBy: 'agent',
      live: true,
      granted: true,
      ceiling: 'restricted',
      age: 0,
      calls: 0,
      label: bottom,
    },
    inputs: {},
    token: { bound: false },
    now: 0,
  };
}
