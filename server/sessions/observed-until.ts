import { endOfDay } from '../documents/durations.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';

/**
 * The last day, `YYYY-MM-DD`, on which a session is observed; null when it is not. Authority only narrows down a tree, so it
 * is observed while the use cases of the session and of all it draws on are (`line`: itself and its ancestors).
 */
export function observedUntil(snapshot: Pick<TenantSnapshot, 'useCases'>, line: readonly Pick<SessionRow, 'useCase'>[], at: number): string | null {
  let first: string | null = null;
  for (const { useCase } of line) {
    const day = snapshot.useCases.get(useCase)?.document.observe_until;
    if (day === undefined) return null;
    if (first === null || day < first) first = day;
  }
  return first !== null && at < endOfDay(first) ? first : null;
}

/** The same of a session whose ancestors have not been read yet. */
export async function readObservedUntil(
  ports: Pick<Ports, 'store'>,
  snapshot: TenantSnapshot,
  session: Pick<SessionRow, 'useCase' | 'parent'>,
  at: number,
): Promise<string | null> {
  const parent = session.parent === null ? null : await ports.store.readSession(snapshot.tenant, session.parent);
  return observedUntil(snapshot, [session, ...(parent ? [parent.session, ...parent.ancestors] : [])], at);
}
