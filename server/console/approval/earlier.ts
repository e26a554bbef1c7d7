import { mayRead, openProposal, type Proposal, readAround, type Seen, stand } from '../../approvals/index.ts';
import type { Ports } from '../../ports.ts';

const lookedAt = 20;

export type Earlier =
  | { readonly proposal: Proposal; readonly at: number }
  /** There was one; what it held is deleted with its expiry, as everything that is kept of a call is. */
  | { readonly proposal: null; readonly at: number };

/** The last approved call of the same tool that this person may read; one whose content is still there before one whose is not. */
export async function lastApproved(ports: Ports, seen: Seen): Promise<Earlier | null> {
  const { row, snapshot, standing } = seen;
  const person = { tenant: row.tenant, id: standing.person, name: standing.name };
  const earlier = await ports.store.listApprovals(row.tenant, { status: 'used', tool: row.tool }, { after: null, limit: lookedAt });
  const around = await readAround(ports, person);
  let forgotten: Earlier | null = null;
  for (const one of earlier) {
    if (one.id === row.id) continue;
    const other = stand(ports, person, one, snapshot, await ports.store.readSession(row.tenant, one.session), around);
    if (!other || !mayRead(other)) continue;
    const at = Math.floor((one.decidedAt ?? one.createdAt) / 1000);
    if (one.proposal.length > 0) return { proposal: openProposal(ports, one), at };
    forgotten ??= { proposal: null, at };
  }
  return forgotten;
}
