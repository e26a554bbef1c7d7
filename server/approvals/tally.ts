import { covers, parseRequirement, type Requirement } from '../../policies/index.ts';
import type { Vote } from '../store/store.ts';

export interface Tally {
  readonly status: 'pending' | 'approved' | 'denied';
  /** By requirement literal: the distinct persons (`<issuer>#<subject>`) whose vote counts toward it, in the order they voted. */
  readonly voters: Readonly<Record<string, readonly string[]>>;
}

/**
 * Counts votes against requirements. One deny denies. A person's vote counts toward the one requirement it names, once, and so does
 * a name that votes from two accounts. A requirement is met by enough votes of its own or by another that is met and covers it; what
 * no vote can satisfy (redaction, a literal that does not parse), and an empty list, stay pending for ever.
 */
export function tally(requirements: readonly string[], votes: readonly Pick<Vote, 'person' | 'name' | 'requirement' | 'decision'>[]): Tally {
  const voters = countVoters(requirements, votes);
  if (votes.some(({ decision }) => decision === 'deny')) return { status: 'denied', voters };
  const parsed = requirements.map(parseRequirement);
  const met = parsed.filter((one): one is Requirement => one !== null && (voters[one.literal]?.length ?? 0) >= needed(one));
  const all = parsed.length > 0 && parsed.every((one) => one !== null && met.some((had) => covers(had, one)));
  return { status: all ? 'approved' : 'pending', voters };
}

function countVoters(requirements: readonly string[], votes: readonly Pick<Vote, 'person' | 'name' | 'requirement' | 'decision'>[]): Record<string, string[]> {
  const voters: Record<string, string[]> = Object.fromEntries(requirements.map((literal) => [literal, []]));
  const persons = new Set<string>();
  const names = new Set<string>();
  for (const { person, name, requirement, decision } of votes) {
    if (persons.has(person) || names.has(name)) continue;
    persons.add(person);
    names.add(name);
    if (decision === 'approve' && requirements.includes(requirement)) voters[requirement]?.push(person);
  }
  return voters;
}

function needed(requirement: Requirement): number {
  switch (requirement.kind) {
    case 'approval':
      return requirement.count;
    case 'confirm':
      return 1;
    case 'redact':
      return Number.POSITIVE_INFINITY;
  }
}
