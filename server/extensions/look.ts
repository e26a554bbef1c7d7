import { type Refusal, refuse } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import { checkTemplate, sponsorStanding } from '../sessions/index.ts';
import type { SessionView } from '../store/store.ts';
import type { Bounds } from './within.ts';

export interface Looked {
  readonly view: SessionView;
  readonly snapshot: TenantSnapshot;
  readonly bounds: Bounds;
  readonly owner: string;
  readonly purpose: string;
  /** As the use case has them now; none where it lets nobody extend its tasks. */
  readonly requires: readonly string[];
}

/** The live session with what bounds it now: agent, use case and whoever answers for it are looked at again, as at a renewal. */
export async function lookAt(ports: Pick<Ports, 'store' | 'tenants' | 'clock'>, tenant: string, session: string): Promise<Looked | Refusal> {
  const view = await ports.store.readSession(tenant, session);
  if (!view) return refuse('session.not_found', 'This task session does not exist.');
  const at = ports.clock();
  const over = [view.session, ...view.ancestors].find((one) => one.status !== 'active' || one.expiresAt <= at);
  if (over) return refuse('session.ended', 'This task has ended.');
  const snapshot = await ports.tenants.at(tenant, view.revision);
  if (!snapshot) return refuse('stale', 'The configuration is changing; try again.');
  const template = await checkTemplate(ports, snapshot, view.session, at);
  if ('refused' in template) return template;
  const { agent, useCase, grants } = template;
  if (!sponsorStanding(snapshot, useCase, view.session.sponsor, view.session.sponsorGroups).stands)
    return refuse('session.refused', 'Whoever answers for this task may not any more.');
  const bounds = { agent, useCase, grants, parent: view.ancestors[0] ?? null };
  return { view, snapshot, bounds, owner: agent.owner, purpose: useCase.purpose, requires: useCase.extensions?.requires ?? [] };
}
