import { type Refusal, refuse } from '../call/refusals.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';
import type { Template } from './check-standing.ts';
import { tenantOfSession } from './session-id.ts';

/** How deep a tree of sessions may grow, its root counted. */
const deepest = 4;

/**
 * The session a child draws on: live, with all its ancestors, of this agent and this use case. Another agent's, another
 * tenant's, an ended one and none at all are one answer.
 */
export async function findParent(
  ports: Pick<Ports, 'store'>,
  tenant: string,
  id: string,
  { agent, useCase }: Pick<Template, 'agent' | 'useCase'>,
  at: number,
): Promise<SessionRow | Refusal> {
  const gone = refuse('session.refused', 'There is no such parent task.');
  if (tenantOfSession(id) !== tenant) return gone;
  const view = await ports.store.readSession(tenant, id);
  if (!view || view.session.agent !== agent.name) return gone;
  if ([view.session, ...view.ancestors].some((one) => one.status !== 'active' || one.expiresAt <= at)) return gone;
  // The day windows belong to a use case: a child of another one would not draw on its parent's.
  if (view.session.useCase !== useCase.name) return refuse('session.refused', 'A child task is of the use case of its parent.');
  if (view.ancestors.length + 2 > deepest) return refuse('session.refused', `Tasks nest at most ${deepest} deep.`);
  return view.session;
}
