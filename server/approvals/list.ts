import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { type ApprovalRow, type ApprovalStatus, scanPages } from '../store/index.ts';
import { waitsFor } from './ballot.ts';
import { mayRead, readAround, type Seen, stand } from './see.ts';
import { type ApprovalSummary, summaryOf } from './view.ts';

export interface ListRequest {
  /** Null lists what waits for this person's decision. */
  readonly status: ApprovalStatus | null;
  readonly after: string | null;
  readonly limit: number;
}

/** Approvals this person may see, newest as the store orders them; summaries only. */
export async function listApprovals(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  { status, after, limit }: ListRequest,
): Promise<{ items: ApprovalSummary[]; next: string | null }> {
  const snapshot = await ports.tenants.current(person.tenant);
  if (!snapshot) return { items: [], next: null };
  const around = await readAround(ports, person);
  const sessions = new Map<string, ReturnType<typeof ports.store.readSession>>();
  const sessionOf = (row: ApprovalRow): ReturnType<typeof ports.store.readSession> => {
    const known = sessions.get(row.session) ?? ports.store.readSession(person.tenant, row.session);
    sessions.set(row.session, known);
    return known;
  };
  const wanted = (seen: Seen): boolean => (status === null ? waitsFor(seen) : mayRead(seen));
  return scanPages(
    (page) => ports.store.listApprovals(person.tenant, { status: status ?? 'pending' }, page),
    { after, limit },
    async (row) => {
      const seen = stand(ports, person, row, snapshot, await sessionOf(row), around);
      return seen && wanted(seen) ? summaryOf(row, seen.at) : null;
    },
  );
}
