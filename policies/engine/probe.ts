import type { CallFacts } from '../facts.ts';
import { bottom } from '../labels.ts';
import { ask } from './cedar.ts';
import type { Law } from './law.ts';
import { buildRequest } from './request.ts';
import { actionType, allCalls, upstreamGroup } from './schema.ts';

/**
 * Proves that for every tool a forbid over `call` and one over its upstream bite: a request without the action's
 * ancestors would skip both and say nothing. Answers the tools for which they do not.
 */
export function unguardedTools(law: Law): readonly string[] {
  return [...law.tools]
    .filter(([name, { upstream, prepared, sample }]) => {
      const probe = {
        slot: 'probe',
        schema: prepared.schema,
        sets: {
          groups: {
            all: 'permit (principal, action, resource);',
            calls: `forbid (principal, action in ${actionType}::${JSON.stringify(allCalls)}, resource);`,
            upstream: `forbid (principal, action in ${actionType}::${JSON.stringify(upstreamGroup(upstream))}, resource);`,
          },
        },
      };
      const request = buildRequest(law.tenant, anyCall(law.tenant, name, upstream), { args: sample, inputs: {}, satisfied: [] });
      const { allowed, reasons, errors } = ask(probe, 'groups', request);
      return allowed || errors.length > 0 || !reasons.includes('calls') || !reasons.includes('upstream');
    })
    .map(([name]) => name);
}

function anyCall(tenant: string, tool: string, upstream: string): Omit<CallFacts, 'args' | 'satisfied'> {
  return {
    tenant,
    agent: { name: 'probe', tenant, owner: 'probe', workflow: 'probe', clearance: 'public', status: 'active' },
    sponsor: { person: 'probe', groups: [], standing: 'active' },
    tool: { name: tool, upstream, tenant, effect: 'read', reaches: 'tenant', accepts: 'restricted', returns: bottom, pinned: true },
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
