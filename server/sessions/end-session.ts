import type { Ports } from '../ports.ts';
import type { SessionStatus } from '../store/store.ts';

const recordOf = { ended: 'session.ended', revoked: 'session.revoked', suspended: 'session.suspended' } as const;

/** Ends, revokes or suspends a session and everything below it, with its record. False when it was not live any more. */
export async function endSession(
  ports: Pick<Ports, 'store' | 'clock'>,
  tenant: string,
  id: string,
  how: { readonly status: Exclude<SessionStatus, 'active'>; readonly reason: string },
  by: string,
): Promise<boolean> {
  const at = ports.clock();
  return ports.store.endSession(tenant, id, how, at, { type: recordOf[how.status], at, tenant, session: id, actor: by, reason: how.reason });
}
