import { asksPasskey, covers, parseRequirement, satisfiedBy } from '../../policies/index.ts';
import type { ApprovalRow } from '../store/store.ts';
import { sameHuman } from './excluded.ts';
import { tally } from './tally.ts';

export interface SatisfiedLiteral {
  readonly literal: string;
  readonly source: 'votes';
  /** `<issuer>#<subject>` of those whose votes it rests on. */
  readonly persons: readonly string[];
}

/**
 * What the votes of one approval satisfy, for `context.satisfied` of exactly its call. What is denied satisfies nothing, however
 * many agreed. A vote signed by a passkey satisfies the plain form too, a plain vote never the other; with `signed`, plain
 * votes satisfy nothing at all.
 */
export function satisfiedLiterals(row: Pick<ApprovalRow, 'votes' | 'requirements' | 'terms'>, only: 'any' | 'signed' = 'any'): SatisfiedLiteral[] {
  if (tally(row.requirements, row.votes, row.terms.vetoes).status === 'denied') return [];
  return row.requirements.flatMap((asked): SatisfiedLiteral[] => {
    const requirement = parseRequirement(asked);
    const all = votersOf(row, asked);
    const signed = all.filter((person) => row.votes.some((vote) => vote.person === person && vote.passkey !== null));
    const persons = only === 'signed' ? signed : all;
    if (!requirement || persons.length === 0 || requirement.kind === 'redact') return [];
    const literals =
      requirement.kind === 'confirm'
        ? ['confirm:sponsor', ...(signed.length > 0 ? ['confirm:sponsor:passkey'] : [])]
        : satisfiedBy(requirement.group, persons.length, signed.length);
    return literals.map((literal) => ({ literal, source: 'votes', persons: asksPasskey(literal) ? signed : persons }));
  });
}

/** Distinct people whose votes approve this requirement: as they are counted, and one human once, whatever the account. */
export function votersOf(row: Pick<ApprovalRow, 'votes' | 'requirements'>, requirement: string): string[] {
  const counted: { readonly person: string; readonly places: readonly string[] }[] = [];
  for (const person of tally(row.requirements, row.votes).voters[requirement] ?? []) {
    const behalf = row.votes.find((vote) => vote.person === person)?.behalf;
    const places = behalf ? [person, behalf.person] : [person];
    if (!counted.some((other) => other.places.some((one) => places.some((place) => sameHuman(one, place))))) counted.push({ person, places });
  }
  return counted.map(({ person }) => person);
}

/** Short of people, and not met by another requirement of the approval that covers it. */
export function isOpen(row: Pick<ApprovalRow, 'votes' | 'requirements'>, requirement: string): boolean {
  const asked = parseRequirement(requirement);
  const met = row.requirements.filter((literal) => votersOf(row, literal).length >= neededFor(literal)).map(parseRequirement);
  return asked === null || !met.some((had) => had !== null && covers(had, asked));
}

/** People a requirement needs. */
export function neededFor(literal: string): number {
  const requirement = parseRequirement(literal);
  return requirement?.kind === 'approval' ? requirement.count : 1;
}
