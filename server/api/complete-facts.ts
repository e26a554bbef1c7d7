import { bottom, type CallFacts, type StatedFacts, withStated } from '../../policies/index.ts';
import { toPolicyTool } from '../../tools/index.ts';
import type { TenantSnapshot } from '../documents/index.ts';

/**
 * The facts of a call that is only asked about: what is stated, over a valid session of the tenant's own documents. Null
 * when the tenant has no such tool, use case or agent, or no agent at all to ask about. `now` in epoch seconds.
 */
export function completeFacts(snapshot: TenantSnapshot, name: string, stated: StatedFacts, now: number): CallFacts | null {
  const { tenant } = snapshot;
  const tool = snapshot.tools.get(name);
  const useCases = [...snapshot.useCases.values()];
  const wanted = stated.session?.use_case;
  const useCase = wanted === undefined ? useCases.find(({ grants }) => grants.some((grant) => grant.tool === name)) : snapshot.useCases.get(wanted);
  const agents = [...snapshot.agents.values()];
  const called = stated.agent?.name;
  const agent = called !== undefined ? snapshot.agents.get(called) : (agents.find(({ workflow }) => workflow === useCase?.document.workflow) ?? agents[0]);
  if (!tool || !agent || (wanted !== undefined && !useCase)) return null;

  const { inputSchema: _, ...described } = toPolicyTool(tool);
  const { owner, workflow, clearance, status } = agent;
  const valid: CallFacts = {
    tenant,
    agent: { name: agent.name, tenant, owner, workflow, clearance, status },
    sponsor: { person: 'the sponsor', groups: useCase?.document.sponsors?.groups ?? [], standing: 'active' },
    tool: { ...described, tenant, pinned: true },
    session: {
      id: 'the session',
      tenant,
      useCase: useCase?.document.name ?? 'none',
      mode: useCase?.document.accountable === undefined ? 'delegated' : 'autonomous',
      attestedBy: 'sponsor',
      live: true,
      granted: useCase?.grants.some((grant) => grant.tool === name) ?? false,
      ceiling: useCase?.document.ceiling ?? clearance,
      age: 60,
      calls: 0,
      label: bottom,
    },
    inputs: {},
    args: {},
    token: { bound: true },
    now,
    satisfied: [],
  };
  return withStated(valid, stated);
}
