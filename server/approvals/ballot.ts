import { covers, parseRequirement, type Requirement } from '../../policies/index.ts';
import type { ApprovalRow, Behalf, Vote } from '../store/store.ts';
import { type LentPlace, takes } from './delegation/index.ts';
import { sameHuman } from './excluded.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import type { Seen } from './see.ts';
import { askedNow, waitsBehind } from './stages.ts';

/** What one vote counts toward, and in whose place it is cast when that is not the voter's own. */
export interface Choice {
  readonly requirement: string;
  readonly behalf: Behalf | null;
}

export interface Wish {
  readonly digest: string;
  readonly decision: 'approve' | 'deny';
  /** The literal the vote is for, when the person could give more than one. */
  readonly requirement?: string | undefined;
  /** Name of whoever lent the place to vote in; when left out one's own, and else the place that was lent last. */
  readonly behalf?: string | undefined;
}

/** Which requirement the vote is for: the one it names, or the first of this person's that is still open. */
export function choose(seen: Seen, wish: Wish): Choice | ApprovalRefusal {
  const { row } = seen;
  const mine = requirementsOf(seen, wish.behalf);
  const [first] = mine;
  if (first === undefined) return whyNone(seen);
  if (wish.digest !== row.digest) return refuseApproval('approval.digest_mismatch');
  if (row.status !== 'pending' || row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  if (wish.requirement !== undefined && !row.requirements.includes(wish.requirement)) return refuseApproval('approval.no_such_requirement');
  if (wish.requirement !== undefined && !mine.includes(wish.requirement)) return whyNone(seen);
  const requirement = wish.requirement ?? firstOpen(row, mine) ?? first;
  if (wish.decision === 'approve' && waitsBehind(row, requirement).length > 0) return refuseApproval('approval.not_yet');
  return { requirement, behalf: placeOf(seen, requirement, wish.behalf) };
}

/** The requirements a vote of this person would count toward, in their own place or in one that was lent. */
export const requirementsOf = (seen: Seen, behalf?: string): string[] =>
  seen.row.requirements.filter((literal) => mayGive(seen, parseRequirement(literal), behalf));

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

export interface Ballot {
  readonly ok: true;
  readonly requirements: readonly string[];
  /** Names of those in whose place the vote would be, when it is not one's own. */
  readonly behalves: readonly string[];
}

/** Which requirements a vote of this person would count toward now, or why none would. */
export function ballotOf(seen: Seen): Ballot | ApprovalRefusal {
  const mine = requirementsOf(seen);
  const earlier = voteOf(seen);
  if (mine.length === 0 && !(earlier && isRepeatable(seen, earlier))) return whyNone(seen);
  if (earlier) return refuseApproval(castBy(seen, earlier) ? 'approval.already_voted' : 'delegation.spent');
  if (seen.row.status !== 'pending' || seen.row.expiresAt <= seen.at) return refuseApproval('approval.not_pending');
  const isOwn = mine.some((literal) => givesSelf(seen, parseRequirement(literal)));
  const lent = mine.flatMap((literal) => openPlaces(seen, parseRequirement(literal)).map(({ name }) => name));
  return { ok: true, requirements: mine, behalves: isOwn ? [] : [...new Set(lent)] };
}

/** A person has one vote, under whatever account or name, and whoever votes in their place has cast it. */
export const voteOf = ({ row, standing }: Seen): Vote | undefined => row.votes.find((vote) => takes(vote, standing.person, standing.name));

export const castBy = ({ standing }: Seen, { person, name }: Vote): boolean => sameHuman(person, standing.person) || name === standing.name;

/** The vote can be told again to who cast it: they could still give what it counts toward, their own vote in the lent place aside. */
export const isRepeatable = (seen: Seen, vote: Vote): boolean =>
  requirementsOf(seen).length > 0 || (castBy(seen, vote) && seen.lent.some(({ delegation }) => delegation === vote.behalf?.delegation));

/** Who could approve some of it themselves may narrow it instead. A place that was lent is lent to say yes or no in, and to nothing else. */
export const mayNarrow = (seen: Seen): boolean => seen.row.requirements.map(parseRequirement).some((one) => one?.kind === 'approval' && givesSelf(seen, one));

function mayGive(seen: Seen, requirement: Requirement | null, behalf?: string): boolean {
  if (behalf === undefined && givesSelf(seen, requirement)) return true;
  return openPlaces(seen, requirement).some(({ name }) => behalf === undefined || name === behalf);
}

/** A vote of this person would count toward this requirement, signed where it asks for that. */
function givesSelf(seen: Seen, requirement: Requirement | null): boolean {
  if (!requirement || requirement.kind === 'redact') return false;
  if (requirement.kind === 'confirm') return seen.isSponsor;
  return !seen.excluded && !seen.tooRecent && seen.standing.roles.has('reviewer') && seen.standing.groups.has(requirement.group);
}

/** INVARIANT: what keeps a person from voting themselves keeps them from voting for somebody else, save the group, which is the lender's. */
function openPlaces(seen: Seen, requirement: Requirement | null): LentPlace[] {
  if (requirement?.kind !== 'approval' || seen.excluded || seen.tooRecent || !seen.standing.roles.has('reviewer')) return [];
  return seen.lent.filter(({ group, closed }) => closed === null && group === requirement.group);
}

function placeOf(seen: Seen, literal: string, behalf?: string): Behalf | null {
  const requirement = parseRequirement(literal);
  if (behalf === undefined && givesSelf(seen, requirement)) return null;
  const place = openPlaces(seen, requirement).find(({ name }) => behalf === undefined || name === behalf);
  return place ? { person: place.person, name: place.name, delegation: place.delegation } : null;
}

export function whyNone({ excluded, tooRecent, standing, lent, row }: Seen): ApprovalRefusal {
  if (excluded) return refuseApproval('approval.excluded');
  if (tooRecent) return refuseApproval('approval.too_recent');
  if (!standing.roles.has('reviewer')) return refuseApproval('approval.not_reviewer');
  const closed = lent.filter(({ group }) => row.requirements.some((literal) => inRequirement(literal, group))).map((place) => place.closed);
  if (closed.includes('taken')) return refuseApproval('delegation.spent');
  return refuseApproval(closed.includes('barred') ? 'delegation.barred' : 'approval.not_in_group');
}

function inRequirement(literal: string, group: string): boolean {
  const asked = parseRequirement(literal);
  return asked?.kind === 'approval' && asked.group === group;
}
