import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { mayNarrow, whyNone } from './ballot.ts';
import { longestReason, shortestReason } from './decide.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import { type Seen, seeApproval } from './see.ts';

/** Who could approve some of it may narrow it instead; the sponsor, who may only confirm, and whoever is in the chain may not. */
export async function whoMayEdit(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  request: { readonly approval: string; readonly digest: string; readonly reason: string },
): Promise<Seen | ApprovalRefusal> {
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  const { row } = seen;
  if (!mayNarrow(seen)) return whyNone(seen);
  if (request.digest !== row.digest) return refuseApproval('approval.digest_mismatch');
  if (row.status !== 'pending' || row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  const { length } = request.reason.trim();
  if (length < shortestReason) return refuseApproval('approval.reason_required');
  return length > longestReason ? refuseApproval('approval.reason_too_long') : seen;
}
