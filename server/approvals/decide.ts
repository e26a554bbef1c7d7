import { covers, parseRequirement, type Requirement } from '../../policies/index.ts';
import type { SignedVote } from '../audit/record.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, NewVote, Vote } from '../store/store.ts';
import { sameHuman } from './excluded.ts';
import { issueVoteChallenge, type ProvenVote, proveVote, type VoteChallenge } from './passkeys/sign-vote.ts';
import type { Assertion } from './passkeys/verify-assertion.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import { type Seen, seeApproval } from './see.ts';
import { askedNow, waitsBehind } from './stages.ts';
import { type ApprovalSummary, summaryOf } from './view.ts';

export interface DecisionRequest {
  readonly approval: string;
  /** What the person was shown, as its digest: only that is decided. */
  readonly digest: string;
  readonly decision: 'approve' | 'deny';
  /** At least three characters when denying, which the agent reads as data, and when approving what is destructive. */
  readonly reason: string | null;
  /** The literal the vote is for, when the person could give more than one. */
  readonly requirement?: string | undefined;
  /** What the person's own key signed, for a challenge made for this very vote. */
  readonly assertion?: Assertion | undefined;
}
export type DecisionAnswer = { readonly ok: true; readonly approval: ApprovalSummary } | ApprovalRefusal;

export const longestReason = 500;
const shortestReason = 3;
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
  const why = proof.ok ? whyAnother(proof.signed, request) : proof.why;
  if (proof.ok && why === null) return cast(ports, person, { ...request, requirement: proof.signed.requirement }, proof);
  await ports.access.known({ tenant: person.tenant, actor: person.id, door: 'v1', code: 'passkey.refused', detail: why ?? '', approval: request.approval });
  return refuseApproval('passkey.refused');
}

/** What was signed is not what is asked for: a signature is good for its own vote alone. */
function whyAnother({ approval, proposal, decision, requirement }: SignedVote, asked: DecisionRequest): string | null {
  if (approval !== asked.approval || proposal !== asked.digest) return 'it signs a vote on another proposal';
  if (decision !== asked.decision) return 'it signs the opposite decision';
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
  const chosen = chooseRequirement(seen, request);
  if (typeof chosen !== 'string') return chosen;
  if (voteOf(seen)) return refuseApproval('approval.already_voted');
  const { approval, digest: proposal, decision } = request;
  const challenge = await issueVoteChallenge(
    ports,
    person,
    { approval, proposal, decision, requirement: chosen, edits: seen.row.editedFrom },
    seen.row.expiresAt,
  );
  return challenge ? { ok: true, challenge } : refuseApproval('passkey.none');
}

interface Admitted {
  readonly requirement: string;
  readonly reason: string | null;
}

/** Everything that can be said before the store is asked; who may decide comes before what state it is in. */
function admitVote(seen: Seen, request: DecisionRequest): Admitted | DecisionAnswer {
  const earlier = voteOf(seen);
  if (earlier && mineOf(seen).length > 0 && request.digest === seen.row.digest) return repeated(seen, seen.row, earlier.person, request);
  const requirement = chooseRequirement(seen, request);
  if (typeof requirement !== 'string') return requirement;
  const reason = request.reason?.trim() || null;
  const isOwed = request.decision === 'deny' || seen.row.terms.effect === 'destructive';
  if (isOwed && (reason === null || reason.length < shortestReason)) return refuseApproval('approval.reason_required');
  if (reason !== null && reason.length > longestReason) return refuseApproval('approval.reason_too_long');
  return { requirement, reason };
}

const mineOf = (seen: Seen): string[] => seen.row.requirements.filter((literal) => mayGive(seen, parseRequirement(literal)));

/** Which requirement the vote is for: the one it names, or the first of this person's that is still open. */
function chooseRequirement(seen: Seen, request: Pick<DecisionRequest, 'digest' | 'requirement' | 'decision'>): string | ApprovalRefusal {
  const { row } = seen;
  const mine = mineOf(seen);
  const [first] = mine;
  if (first === undefined) return whyNone(seen);
  if (request.digest !== row.digest) return refuseApproval('approval.digest_mismatch');
  if (row.status !== 'pending' || row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  if (request.requirement !== undefined && !row.requirements.includes(request.requirement)) return refuseApproval('approval.no_such_requirement');
  if (request.requirement !== undefined && !mine.includes(request.requirement)) return whyNone(seen);
  const requirement = request.requirement ?? firstOpen(row, mine) ?? first;
  return request.decision === 'approve' && waitsBehind(row, requirement).length > 0 ? refuseApproval('approval.not_yet') : requirement;
}

/** Who could approve some of it may narrow it instead; the sponsor, who may only confirm, and whoever is in the chain may not. */
export async function whoMayEdit(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  request: { readonly approval: string; readonly digest: string; readonly reason: string },
): Promise<Seen | ApprovalRefusal> {
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  const { row } = seen;
  const asked = row.requirements.map(parseRequirement).filter((one) => one?.kind === 'approval');
  if (!asked.some((one) => mayGive(seen, one))) return whyNone(seen);
  if (request.digest !== row.digest) return refuseApproval('approval.digest_mismatch');
  if (row.status !== 'pending' || row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  const { length } = request.reason.trim();
  if (length < shortestReason) return refuseApproval('approval.reason_required');
  return length > longestReason ? refuseApproval('approval.reason_too_long') : seen;
}

/** One that covers another of the same group comes before it: its votes count for both. */
function firstOpen(row: ApprovalRow, mine: readonly string[]): string | undefined {
  const asked = askedNow(row);
  const open = mine.filter((literal) => asked.includes(literal)).map(parseRequirement);
  const strongest = open.find((one) => one && !open.some((other) => other && other !== one && covers(other, one)));
  return strongest?.literal;
}

/** It waits for this person: theirs to give, still short of people, and not voted on by them. */
export function waitsFor(seen: Seen): boolean {
  const { row, at } = seen;
  if (row.status !== 'pending' || row.expiresAt <= at || voteOf(seen)) return false;
  return askedNow(row).some((literal) => mayGive(seen, parseRequirement(literal)));
}

/** Which requirements a vote of this person would count toward now, or why none would. */
export function ballotOf(seen: Seen): { readonly ok: true; readonly requirements: readonly string[] } | ApprovalRefusal {
  const mine = seen.row.requirements.filter((literal) => mayGive(seen, parseRequirement(literal)));
  if (mine.length === 0) return whyNone(seen);
  if (voteOf(seen)) return refuseApproval('approval.already_voted');
  if (seen.row.status !== 'pending' || seen.row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  return { ok: true, requirements: mine };
}

/** A person has one vote, under whatever account or name. */
const voteOf = ({ row, standing }: Seen): Vote | undefined => row.votes.find((vote) => sameHuman(vote.person, standing.person) || vote.name === standing.name);

/** A vote of this person would count toward this requirement, signed where it asks for that. */
function mayGive(seen: Seen, requirement: Requirement | null): boolean {
  if (!requirement || requirement.kind === 'redact') return false;
  if (requirement.kind === 'confirm') return seen.isSponsor;
  return !seen.excluded && !seen.tooRecent && seen.standing.roles.has('reviewer') && seen.standing.groups.has(requirement.group);
}

function whyNone({ excluded, tooRecent, standing }: Seen): ApprovalRefusal {
  if (excluded) return refuseApproval('approval.excluded');
  if (tooRecent) return refuseApproval('approval.too_recent');
  return refuseApproval(standing.roles.has('reviewer') ? 'approval.not_in_group' : 'approval.not_reviewer');
}

/** A vote is final: said again it is confirmed, its opposite is refused. */
function repeated({ at }: Seen, row: ApprovalRow, voter: string, request: DecisionRequest): DecisionAnswer {
  const earlier: Vote | undefined = row.votes.find((vote) => vote.person === voter);
  if (earlier?.decision !== request.decision) return refuseApproval('approval.already_voted');
  if (request.requirement !== undefined && earlier.requirement !== request.requirement) return refuseApproval('approval.already_voted');
  return { ok: true, approval: summaryOf(row, at) };
}

function castable(seen: Seen, request: DecisionRequest, { requirement, reason }: Admitted, proven: ProvenVote | null): NewVote {
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
      ...(proven === null ? {} : { signature: proven.signature }),
    },
  };
}
