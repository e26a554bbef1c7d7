import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { longestReason } from './decide.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import { mayReview, seeApproval } from './see.ts';
import { type ApprovalSummary, summaryOf } from './view.ts';

/**
 * Takes an approval back before its call runs: cancelled while it is pending, revoked once it was given. For a reviewer
 * of one of its groups (excluded or not: this only narrows) and for admins. Said again, it answers the same.
 */
export async function revokeApproval(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  request: { readonly approval: string; readonly reason: string | null },
): Promise<{ readonly ok: true; readonly approval: ApprovalSummary } | ApprovalRefusal> {
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  const { row, standing, at } = seen;
  if (!standing.roles.has('admin') && !mayReview(row, standing)) {
    return refuseApproval(standing.roles.has('reviewer') ? 'approval.not_in_group' : 'approval.not_reviewer');
  }
  const reason = request.reason?.trim() || null;
  if (reason !== null && reason.length > longestReason) return refuseApproval('approval.reason_too_long');
  if (row.status === 'pending' || row.status === 'approved') {
    const status = row.status === 'pending' ? 'cancelled' : 'revoked';
    const about = { at, tenant: row.tenant, session: row.session, agent: row.agent, tool: row.tool, approval: row.id, proposal_sha256: row.digest };
    await ports.store.closeApproval(row.tenant, row.id, status, at, {
      type: row.status === 'pending' ? 'approval.cancelled' : 'approval.revoked',
      actor: person.id,
      ...about,
      ...(reason === null ? {} : { reason }),
    });
  }
  const after = await ports.store.readApproval(row.tenant, row.id);
  if (!after) return refuseApproval('approval.not_found');
  return after.status === 'cancelled' || after.status === 'revoked' ? { ok: true, approval: summaryOf(after, at) } : refuseApproval('approval.not_open');
}
