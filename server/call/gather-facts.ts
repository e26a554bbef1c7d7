import { type CallFacts, rank } from '../../policies/index.ts';
import { type BrokeredTool, toPolicyTool } from '../../tools/index.ts';
import { sponsorStanding } from '../sessions/index.ts';
import type { Session } from './enter-session.ts';

/** The one place where a decision's facts are put together; `args` and `satisfied` are the call's own. */
export function gatherFacts(session: Session, tool: BrokeredTool, granted: boolean): Omit<CallFacts, 'args' | 'satisfied'> {
  const { row, view, tenant, agent, useCase, caller, at } = session;
  const { inputSchema: _, ...described } = toPolicyTool(tool);
  const sponsor = sponsorStanding(tenant, useCase, row.sponsor, row.sponsorGroups);
  return {
    tenant: tenant.tenant,
    agent: {
      name: agent.name,
      tenant: agent.tenant,
      owner: agent.owner,
      workflow: agent.workflow,
      clearance: agent.clearance,
      status: view.agentStatus === 'active' && agent.status === 'active' ? 'active' : 'suspended',
    },
    sponsor: { person: row.sponsor, groups: sponsor.groups, standing: sponsor.stands ? 'active' : 'none' },
    tool: { ...described, tenant: tenant.tenant, pinned: row.grants.some((grant) => grant.tool === tool.name && grant.digest === tool.digest) },
    session: {
      id: row.id,
      tenant: row.tenant,
      useCase: row.useCase,
      mode: row.mode,
      attestedBy: row.attestedBy,
      live: true,
      granted,
      // What the use case has been narrowed to since holds at once.
      ceiling: rank(useCase.ceiling) < rank(row.ceiling) ? useCase.ceiling : row.ceiling,
      age: Math.max(0, Math.floor((at - row.openedAt) / 1000)),
      calls: view.calls,
      label: view.label,
    },
    inputs: row.inputs,
    token: { bound: caller.bound },
    now: Math.floor(at / 1000),
  };
}
