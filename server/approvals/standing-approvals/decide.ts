import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { aboutStanding } from '../../store/index.ts';
import { longestReason } from '../decide.ts';
import { sameHuman } from '../excluded.ts';
import { type ApprovalRefusal, refuseApproval } from '../refusals.ts';
import type { StandingGiven } from './propose.ts';
import { inGroup, seeStanding } from './see.ts';

export interface StandingDecision {
  readonly standing: string;
  readonly digest: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string;
}

/** One person's vote on a standing approval: it gives more than one call, so a reason is always owed. */
export async function decideStanding(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>,
  person: Person,
  request: StandingDecision,
): Promise<StandingGiven> {
  const seen = await seeStanding(ports, person, request.standing);
  if (!seen) return refuseApproval('standing.not_found');
  const { row, snapshot, standing, at } = seen;
  if (row.kind !== 'standing') return refuseApproval('standing.not_found');
  if (!seen.mayGive) {
    if (inGroup(standing, row.requirement)) return refuseApproval('approval.excluded');
    return refuseApproval(standing.roles.has('reviewer') ? 'approval.not_in_group' : 'approval.not_reviewer');
  }
  if (seen.tooRecent) return refuseApproval('approval.too_recent');
  const reason = request.reason.trim();
  if (reason.length < 3) return refuseApproval('approval.reason_required');
  if (reason.length > longestReason) return refuseApproval('approval.reason_too_long');
  const earlier = row.votes.find((vote) => sameHuman(vote.person, person.id));
  if (earlier)
    return earlier.decision === request.decision && request.digest === row.digest ? { ok: true, standing: row } : refuseApproval('approval.already_voted');
  const answer = await ports.store.voteStanding({
    ...{ tenant: row.tenant, standing: row.id, digest: request.digest, revision: snapshot.revision },
    ...{ person: person.id, name: standing.name ?? person.id, decision: request.decision, reason, at },
  });
  if (answer.done) return { ok: true, standing: answer.standing };
  switch (answer.why) {
    case 'digest':
      return refuseApproval('approval.digest_mismatch');
    case 'already_voted':
      return refuseApproval('approval.already_voted');
    case 'revision':
      return refuseApproval('stale');
    default:
      return refuseApproval('approval.not_pending');
  }
}

/** Takes it back at once, for every session: a reviewer of its group or an admin, for this only narrows. */
export async function revokeStanding(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>,
  person: Person,
  request: { readonly standing: string; readonly reason: string | null },
): Promise<StandingGiven> {
  const seen = await seeStanding(ports, person, request.standing);
  if (!seen) return refuseApproval('standing.not_found');
  const { row, standing, at } = seen;
  if (!standing.roles.has('admin') && !inGroup(standing, row.requirement)) {
    return refuseApproval(standing.roles.has('reviewer') ? 'approval.not_in_group' : 'approval.not_reviewer');
  }
  const reason = request.reason?.trim() || null;
  if (reason !== null && reason.length > longestReason) return refuseApproval('approval.reason_too_long');
  await ports.store.revokeStanding(
    row.tenant,
    row.id,
    at,
    aboutStanding('standing.revoked', row, at, { actor: person.id, ...(reason === null ? {} : { reason }) }),
  );
  const after = await ports.store.readStanding(row.tenant, row.id);
  return after?.status === 'revoked' ? { ok: true, standing: after } : (refuseApproval('approval.not_open') satisfies ApprovalRefusal);
}
