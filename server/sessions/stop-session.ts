import { mayReview, type Standing } from '../approvals/index.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';
import { endSession } from './end-session.ts';

/** Anyone with a role sees the tenant's sessions; a sponsor sees their own. */
export const maySeeSession = (standing: Standing, row: SessionRow): boolean => standing.roles.size > 0 || row.sponsor === standing.person;

const mostLookedAt = 100;

/** Stopping only narrows, so its sponsor may, an admin, and a reviewer of a group that a call in it was put to. */
export async function mayStopSession(ports: Pick<Ports, 'store'>, standing: Standing, row: SessionRow): Promise<boolean> {
  if (standing.roles.has('admin') || row.sponsor === standing.person) return true;
  if (!standing.roles.has('reviewer')) return false;
  const asked = await ports.store.listApprovals(row.tenant, { session: row.id }, { after: null, limit: mostLookedAt });
  return asked.some((one) => mayReview(one, standing));
}

/** Ends or suspends a session and every one below it, for a person. Said again it changes nothing and answers the same. */
export async function stopSession(
  ports: Pick<Ports, 'store' | 'clock'>,
  { tenant, standing }: { readonly tenant: string; readonly standing: Standing },
  id: string,
  how: { readonly status: 'ended' | 'suspended'; readonly reason: string },
): Promise<{ readonly session: SessionRow } | { readonly why: 'not_found' | 'role' }> {
  const before = await ports.store.readSession(tenant, id);
  if (!before || !maySeeSession(standing, before.session)) return { why: 'not_found' };
  if (!(await mayStopSession(ports, standing, before.session))) return { why: 'role' };
  await endSession(ports, tenant, id, how, standing.person);
  const after = await ports.store.readSession(tenant, id);
  return after ? { session: after.session } : { why: 'not_found' };
}
