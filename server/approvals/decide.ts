import type { SignedVote } from '../audit/record.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, NewVote, Vote } from '../store/store.ts';
import { type Choice, castBy, choose, isRepeatable, voteOf, type Wish } from './ballot.ts';
import { issueVoteChallenge, type ProvenVote, proveVote, type VoteChallenge } from './passkeys/sign-vote.ts';
import type { Assertion } from './passkeys/verify-assertion.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import { type Seen, seeApproval } from './see.ts';
import { type ApprovalSummary, summaryOf } from './view.ts';

/** What is decided is what the person was shown, as its digest: only that. */
export interface DecisionRequest extends Wish {
  readonly approval: string;
  /** At least three characters when denying, which the agent reads as data, and when approving what is destructive. */
  readonly reason: string | null;
  /** SHA-256 that names what is decided together with it; for the record. */
  readonly batch?: string | undefined;
  /** What the person's own key signed, for a challenge made for this very vote. */
  readonly assertion?: Assertion | undefined;
}
export type DecisionAnswer = { readonly ok: true; readonly approval: ApprovalSummary } | ApprovalRefusal;

export const longestReason = 500;
export const shortestReason = 3;
/** How often a vote is judged again because the configuration moved under it. */
const attempts = 3;

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'config' | 'access'>;

/**
 * One person's decision about one proposal. Role and group are read at the revision the vote is cast under; the store
 * refuses the vote if that has moved on. The same decision given again answers as it did the first time.
 */
export async function decideApproval(ports: Needs, person: Person, request: DecisionRequest): Promise<DecisionAnswer> {
  if (!request.assertion) return cast(ports, person, request, null);
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  // Whoever has no vote here uses no challenge up.
  const vote = admitVote(seen, request);
  if ('ok' in vote) return vote;
  const proof = await proveVote(ports, person, request.assertion);
  const why = proof.ok ? whyAnother(proof.signed, request, vote) : proof.why;
  if (proof.ok && why === null) return cast(ports, person, { ...request, requirement: proof.signed.requirement }, proof);
  await ports.access.known({ tenant: person.tenant, actor: person.id, door: 'v1', code: 'passkey.refused', detail: why ?? '', approval: request.approval });
  return refuseApproval('passkey.refused');
}

/** What was signed is not what is asked for: a signature is good for its own vote alone. */
function whyAnother({ approval, proposal, decision, requirement, on_behalf_of }: SignedVote, asked: DecisionRequest, vote: Admitted): string | null {
  if (approval !== asked.approval || proposal !== asked.digest) return 'it signs a vote on another proposal';
  if (decision !== asked.decision) return 'it signs the opposite decision';
  if (on_behalf_of !== vote.behalf?.person) return 'it signs a vote in the place of somebody else';
  return asked.requirement === undefined || asked.requirement === requirement ? null : 'it signs a vote for another requirement';
}

async function cast(ports: Needs, person: Person, request: DecisionRequest, proven: ProvenVote | null): Promise<DecisionAnswer> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const seen = await seeApproval(ports, person, request.approval);
    if (!seen) return refuseApproval('approval.not_found');
    const vote = admitVote(seen, request);
    if ('ok' in vote) return vote;

    const answer = await ports.store.castVote(castable(seen, request, vote, proven));
    if (answer.voted) return { ok: true, approval: summaryOf(answer.approval, seen.at) };
    switch (answer.why) {
      case 'not_found':
        return refuseApproval('approval.not_found');
      case 'not_pending':
        return refuseApproval('approval.not_pending');
      case 'excluded':
        return refuseApproval('approval.excluded');
      case 'digest':
        return refuseApproval('approval.digest_mismatch');
      case 'passkey':
        return refuseApproval(proven ? 'passkey.refused' : 'passkey.required');
      case 'delegation':
        return refuseApproval('delegation.not_in_force');
      case 'already_voted':
        return answer.approval ? repeated(seen, answer.approval, person.id, request) : refuseApproval('approval.already_voted');
      case 'revision':
        continue;
    }
  }
  return refuseApproval('stale');
}

/**
 * A challenge for this person's key that stands for exactly this vote, for five minutes. Refused as the vote itself would be, but for
 * its reason, which is not signed.
 */
export async function challengeVote(
  ports: Omit<Needs, 'access'>,
  person: Person,
  request: Omit<DecisionRequest, 'reason' | 'assertion'>,
): Promise<{ readonly ok: true; readonly challenge: VoteChallenge } | ApprovalRefusal> {
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  const chosen = choose(seen, request);
  if ('ok' in chosen) return chosen;
  if (voteOf(seen)) return refuseApproval('approval.already_voted');
  const { approval, digest: proposal, decision } = request;
  const challenge = await issueVoteChallenge(
    ports,
    person,
    {
      approval,
      proposal,
      decision,
      requirement: chosen.requirement,
      edits: seen.row.editedFrom,
      ...(chosen.behalf ? { on_behalf_of: chosen.behalf.person } : {}),
    },
    seen.row.expiresAt,
  );
  return challenge ? { ok: true, challenge } : refuseApproval('passkey.none');
}

interface Admitted extends Choice {
  readonly reason: string | null;
}

/** Everything that can be said before the store is asked; who may decide comes before what state it is in. */
function admitVote(seen: Seen, request: DecisionRequest): Admitted | DecisionAnswer {
  const earlier = voteOf(seen);
  if (earlier && request.digest === seen.row.digest && isRepeatable(seen, earlier)) {
    return castBy(seen, earlier) ? repeated(seen, seen.row, earlier.person, request) : refuseApproval('delegation.spent');
  }
  const choice = choose(seen, request);
  if ('ok' in choice) return choice;
  const reason = request.reason?.trim() || null;
  const isOwed = request.decision === 'deny' || seen.row.terms.effect === 'destructive';
  if (isOwed && (reason === null || reason.length < shortestReason)) return refuseApproval('approval.reason_required');
  if (reason !== null && reason.length > longestReason) return refuseApproval('approval.reason_too_long');
  return { ...choice, reason };
}

/** A vote is final: said again it is confirmed, its opposite is refused. */
function repeated({ at }: Seen, row: ApprovalRow, voter: string, request: DecisionRequest): DecisionAnswer {
  const earlier: Vote | undefined = row.votes.find((vote) => vote.person === voter);
  if (earlier?.decision !== request.decision) return refuseApproval('approval.already_voted');
  if (request.requirement !== undefined && earlier.requirement !== request.requirement) return refuseApproval('approval.already_voted');
  return { ok: true, approval: summaryOf(row, at) };
}

function castable(seen: Seen, request: DecisionRequest, { requirement, reason, behalf }: Admitted, proven: ProvenVote | null): NewVote {
  const { row, standing, snapshot, at } = seen;
  return {
    tenant: row.tenant,
    approval: row.id,
    digest: request.digest,
    revision: snapshot.revision,
    person: standing.person,
    name: standing.name ?? standing.person,
    requirement,
    decision: request.decision,
    reason,
    at,
    passkey: proven?.passkey ?? null,
    counter: proven?.counter ?? null,
    behalf,
    record: {
      type: 'approval.voted',
      at,
      tenant: row.tenant,
      session: row.session,
      agent: row.agent,
      actor: standing.person,
      tool: row.tool,
      approval: row.id,
      proposal_sha256: row.digest,
      vote: request.decision,
      requirements: [requirement],
      revision: snapshot.revision,
      ...(reason === null ? {} : { reason }),
      ...(behalf === null ? {} : { on_behalf_of: behalf.person, delegation: behalf.delegation }),
      ...(request.batch === undefined ? {} : { batch_sha256: request.batch }),
      ...(proven === null ? {} : { signature: proven.signature }),
    },
  };
}
