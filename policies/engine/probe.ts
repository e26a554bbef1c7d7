import type { CallFacts, PolicyTool } from '../facts.ts';
import { bottom } from '../labels.ts';
import { ask } from './cedar.ts';
import { type Law, sets, toolLaw } from './law.ts';
import { parsePolicies } from './parse-policies.ts';
import { buildRequest } from './request.ts';
import { actionType, allCalls, upstreamGroup } from './schema.ts';

/**
 * Proves that for every tool a forbid over `call`, one over its upstream and one over itself bite. A scope that is read wrongly, or
 * a condition on the action's groups that the request does not tell of, would skip them and say nothing. Answers the tools for which
 * one does not.
 */
export function unguardedTools(law: Law): readonly string[] {
  return [...law.tools.values()].filter(({ tool }) => !isGuarded(law, tool)).map(({ tool }) => tool.name);
}

function isGuarded(law: Law, tool: PolicyTool): boolean {
  const groups = [allCalls, upstreamGroup(tool.upstream), tool.name].map((id) => `${actionType}::${JSON.stringify(id)}`);
  const forbids = groups.flatMap((group, index) => [
    `@id("scope-${index}") forbid (principal, action in ${group}, resource);`,
    `@id("condition-${index}") forbid (principal, action, resource) when { action in ${group} };`,
  ]);
  const { policies } = parsePolicies('(probe)', `@id("all") permit (principal, action, resource);\n${forbids.join('\n')}`);
  // Without the conditions first: they make the request tell of every entity.
  return [policies.filter(({ id }) => !id.startsWith('condition')), policies].every((some) => {
    const probe = toolLaw(law, some, tool, 'probe');
    const request = buildRequest(law.tenant, anyCall(law.tenant, tool), { args: probe.sample, inputs: {}, satisfied: [] }, probe.slice);
    const { allowed, reasons, errors } = ask(probe.prepared, sets.call, request);
    return !allowed && errors.length === 0 && reasons.length === some.length - 1;
  });
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
