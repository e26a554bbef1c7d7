import { type CallFacts, rank } from '../../policies/index.ts';
import { type BrokeredTool, toPolicyTool } from '../../tools/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { sponsorStanding } from '../sessions/index.ts';
import type { SessionRow } from '../store/store.ts';
import type { Session } from './enter-session.ts';

/** The one place where a decision's facts are put together; `args` and `satisfied` are the call's own. */
export function gatherFacts(session: Session, tool: BrokeredTool, granted: boolean): Omit<CallFacts, 'args' | 'satisfied'> {
  const { row, view, tenant, useCase, caller, at } = session;
  const { agent, sponsor, tools } = lastingOf(session);
  return {
    tenant: tenant.tenant,
    agent,
    sponsor,
    tool: toolFacts(session, tool, tools),
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

/** Facts that follow from the configuration, the session row and whether its agent is suspended: as long as these are the same, so are they. */
interface Lasting extends Pick<CallFacts, 'agent' | 'sponsor'> {
  readonly tenant: TenantSnapshot;
  readonly tools: WeakMap<BrokeredTool, CallFacts['tool']>;
}
const lasting = new WeakMap<SessionRow, Lasting>();

function lastingOf({ row, view, tenant, agent, useCase }: Session): Lasting {
  const status = view.agentStatus === 'active' && agent.status === 'active' ? 'active' : 'suspended';
  const known = lasting.get(row);
  if (known?.tenant === tenant && known.agent.status === status) return known;
  const { name, owner, workflow, clearance } = agent;
  const { groups, stands } = sponsorStanding(tenant, useCase, row.sponsor, row.sponsorGroups);
  const made: Lasting = {
    tenant,
    agent: { name, tenant: agent.tenant, owner, workflow, clearance, status },
    sponsor: { person: row.sponsor, groups, standing: stands ? 'active' : 'none' },
    tools: new WeakMap(),
  };
  lasting.set(row, made);
  return made;
}

function toolFacts({ row, tenant }: Session, tool: BrokeredTool, known: Lasting['tools']): CallFacts['tool'] {
  const before = known.get(tool);
  if (before) return before;
  const { inputSchema: _, ...described } = toPolicyTool(tool);
  const pinned = row.grants.some((grant) => grant.tool === tool.name && grant.digest === tool.digest);
  const made = { ...described, tenant: tenant.tenant, pinned };
  known.set(tool, made);
  return made;
}
