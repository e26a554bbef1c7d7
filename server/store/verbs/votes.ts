import { asksPasskey, parseRequirement } from '../../../policies/index.ts';
import { type Tally, tally } from '../../approvals/tally.ts';
import type { ApprovalRow, NewVote, VoteAnswer } from '../store.ts';
import { all, run, signal, type Verb } from '../verb.ts';
import { readApproval } from './approval-rows.ts';
import { aboutApproval } from './approvals.ts';
import { readRevision } from './configuration.ts';
import { isLent } from './delegations.ts';
import { tellOfApproval } from './notifications.ts';
import { signWithPasskey } from './passkeys.ts';
import { appendRecord } from './records.ts';

/** Casts one person's vote, and decides when that was the last one needed; the vote and the decision are one transaction. */
export function* castVote(vote: NewVote): Verb<VoteAnswer> {
  const before = yield* readApproval(vote.tenant, vote.approval);
  const why = yield* whyNot(vote, before);
  if (why !== null || before === null) return { voted: false, why: why ?? 'not_found', approval: before };

  yield* run(
    `INSERT INTO votes (tenant, approval, person, name, requirement, decision, reason, at, position, passkey, delegation, lender, lender_name)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    vote.tenant,
    vote.approval,
    vote.person,
    vote.name,
    vote.requirement,
    vote.decision,
    vote.reason,
    vote.at,
    before.votes.length,
    vote.passkey,
    vote.behalf?.delegation ?? null,
    vote.behalf?.person ?? null,
    vote.behalf?.name ?? null,
  );
  yield* signal('approval', vote.tenant, vote.approval);
  const repeated = yield* sameReason(vote);
  yield* appendRecord(vote.tenant, repeated < notedFrom ? vote.record : { ...vote.record, same_reason: repeated });
  const after = yield* readApproval(vote.tenant, vote.approval);
  if (!after) throw new Error('the approval that was just voted on is not there');
  const counted = tally(after.requirements, after.votes, after.terms.vetoes);
  if (counted.status === 'pending') return { voted: true, approval: after };
  return { voted: true, approval: yield* decide(after, counted, counted.status, vote.at) };
}

/** Whoever gives the same reason this often in a row may not be reading what they decide. */
const notedFrom = 3;
const lookedAt = 20;

/** How many votes of this person, this one included, end in the same reason. */
function* sameReason({ tenant, person, reason }: NewVote): Verb<number> {
  if (reason === null) return 0;
  const latest = yield* all<{ reason: string | null }>(
    'SELECT reason FROM votes WHERE tenant = ? AND person = ? ORDER BY at DESC, approval LIMIT ?',
    tenant,
    person,
    lookedAt,
  );
  const plain = (text: string | null): string | undefined =>
    text
      ?.replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
      .toLowerCase();
  const other = latest.findIndex((one) => plain(one.reason) !== plain(reason));
  return other === -1 ? latest.length : other;
}

function* whyNot(vote: NewVote, approval: ApprovalRow | null): Verb<Extract<VoteAnswer, { voted: false }>['why'] | null> {
  if (!approval) return 'not_found';
  if (approval.digest !== vote.digest) return 'digest';
  if (approval.votes.some((cast) => placesOf(cast).some((place) => placesOf(vote).includes(place)))) return 'already_voted';
  if (approval.status !== 'pending' || approval.expiresAt <= vote.at) return 'not_pending';
  if ((yield* readRevision(vote.tenant)) !== vote.revision) return 'revision';
  // The sponsor may confirm, and is excluded from what others must approve.
  if (parseRequirement(vote.requirement)?.kind !== 'confirm' && placesOf(vote).some((place) => approval.excluded.includes(place))) return 'excluded';
  if (!(yield* isLent(vote))) return 'delegation';
  if (!approval.requirements.includes(vote.requirement)) throw new Error('a vote for a requirement that the approval does not have');
  return (yield* isSigned(vote)) ? null : 'passkey';
}

/** Whose place a vote takes: that of who cast it, and of who lent theirs. */
const placesOf = ({ person, behalf }: Pick<NewVote, 'person' | 'behalf'>): string[] => (behalf === null ? [person] : [person, behalf.person]);

/** Last of all, because it is the first thing written: a key that signed has counted on. */
function* isSigned({ tenant, passkey, person, counter, at, decision, requirement }: NewVote): Verb<boolean> {
  if (passkey !== null) return yield* signWithPasskey(tenant, passkey, person, counter ?? 0, at);
  return decision === 'deny' || !asksPasskey(requirement);
}

function* decide(approval: ApprovalRow, counted: Tally, status: 'approved' | 'denied', at: number): Verb<ApprovalRow> {
  yield* run(`UPDATE approvals SET status = ?, decided_at = ? WHERE tenant = ? AND id = ? AND status = 'pending'`, status, at, approval.tenant, approval.id);
  const satisfied = Object.entries(counted.voters).map(([literal, persons]) => ({ literal, source: 'votes', persons }));
  yield* appendRecord(approval.tenant, { ...aboutApproval(`approval.${status}`, approval, at), ...(status === 'approved' ? { satisfied } : {}) });
  yield* tellOfApproval(`approval.${status}`, approval, at);
  return { ...approval, status, decidedAt: at };
}
