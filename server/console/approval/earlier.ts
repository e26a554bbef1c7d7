import { mayRead, openProposal, type Proposal, readAround, type Seen, stand } from '../../approvals/index.ts';
import type { Ports } from '../../ports.ts';

const lookedAt = 20;

/** The last approved call of the same tool that this person may read and whose content is still there. */
export async function lastApproved(ports: Ports, seen: Seen): Promise<{ readonly proposal: Proposal; readonly at: number } | null> {
  const { row, snapshot, standing } = seen;
  const person = { tenant: row.tenant, id: standing.person, name: standing.name };
  const earlier = await ports.store.listApprovals(row.tenant, { status: 'used', tool: row.tool }, { after: null, limit: lookedAt });
  const around = await readAround(ports, person);
  for (const one of earlier) {
    if (one.id === row.id || one.proposal.length === 0) continue;
    const other = stand(ports, person, one, snapshot, await ports.store.readSession(row.tenant, one.session), around);
    if (other && mayRead(other)) return { proposal: openProposal(ports, one), at: Math.floor((one.decidedAt ?? one.createdAt) / 1000) };
  }
  return null;
}
