import { type Refusal, refuse } from '../call/refusals.ts';
import { endOfDay } from '../documents/durations.ts';
import type { AgentDocument, UseCaseDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { SessionGrant } from '../store/store.ts';

/** The agent and the use case of a task, both in force, belonging together. */
export interface Template {
  readonly agent: AgentDocument;
  readonly useCase: UseCaseDocument;
  readonly grants: readonly SessionGrant[];
}

/** What both an opening and a renewal ask of the documents, now. Unknown and another workflow's are one answer. */
export async function checkTemplate(
  ports: Pick<Ports, 'store'>,
  snapshot: TenantSnapshot,
  names: { readonly agent: string; readonly useCase: string },
  at: number,
): Promise<Template | Refusal> {
  const agent = snapshot.agents.get(names.agent);
  if (!agent) return refuse('session.refused', 'This agent is not registered.');
  if (agent.status !== 'active' || (await ports.store.readAgentStatus(snapshot.tenant, agent.name)) !== 'active') {
    return refuse('agent.suspended', 'This agent is suspended; it can open no task.');
  }
  if (endOfDay(agent.expires) <= at) return refuse('session.refused', 'This agent has expired; its owner must renew its registration.');
  const entry = snapshot.useCases.get(names.useCase);
  if (!entry || entry.document.workflow !== agent.workflow) return refuse('session.refused', 'There is no such use case for this agent.');
  if (endOfDay(entry.document.expires) <= at) return refuse('session.refused', 'This use case has expired; its owner must renew it.');
  return { agent, useCase: entry.document, grants: entry.grants };
}

export interface SponsorStanding {
  /** By the tenant's document now, and by what their issuer stated at the login where a trust root still goes by that. */
  readonly groups: readonly string[];
  /** They answer for tasks of the use case. */
  readonly stands: boolean;
}

/** Whether the person (`<issuer>#<subject>`) answers for tasks of the use case, as things stand now. Two names for one subject are nobody. */
export function sponsorStanding(
  snapshot: Pick<TenantSnapshot, 'document' | 'trust'>,
  useCase: UseCaseDocument,
  person: string,
  claimed: readonly string[],
): SponsorStanding {
  const entries = Object.entries(snapshot.document.people).filter(([, entry]) => entry.subject === person);
  if (entries.length > 1) return { groups: [], stands: false };
  const [name, entry] = entries[0] ?? [null, null];
  const groups = [...new Set([...(entry?.groups ?? []), ...(goesByClaims(snapshot, person) ? claimed : [])])].sort();
  const stands = useCase.accountable === undefined ? (useCase.sponsors?.groups.some((group) => groups.includes(group)) ?? false) : useCase.accountable === name;
  return { groups, stands };
}

function goesByClaims({ trust }: Pick<TenantSnapshot, 'trust'>, person: string): boolean {
  const issuer = person.slice(0, person.indexOf('#'));
  return trust.some((root) => 'oidc' in root && root.for === 'people' && root.oidc === issuer && root.groups_claim !== undefined);
}
