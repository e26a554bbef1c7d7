import { asksPasskey, covers, parseRequirement, type Requirement } from '../../policies/index.ts';
import type { ApprovalTerms, Vote } from '../store/store.ts';

type Cast = Pick<Vote, 'person' | 'name' | 'requirement' | 'decision' | 'passkey' | 'behalf'>;

export interface Tally {
  readonly status: 'pending' | 'approved' | 'denied';
  /** By requirement literal: the distinct persons (`<issuer>#<subject>`) whose vote counts toward it, in the order they voted. */
  readonly voters: Readonly<Record<string, readonly string[]>>;
}

/**
 * Counts votes against requirements. One deny denies, or as many as `vetoes` says of its group. A person's vote counts
 * toward the one requirement it names, once, and so does a name that votes from two accounts, and whoever voted in a place that was lent
 * takes up their own with it; toward one that asks for a passkey a vote counts only if it was signed. A requirement is met by enough votes of its own or by another that is met and covers it; what no vote can satisfy
 * (redaction, a literal that does not parse), and an empty list, stay pending for ever.
 */
export function tally(requirements: readonly string[], votes: readonly Cast[], vetoes: ApprovalTerms['vetoes'] = {}): Tally {
  const voters = countVoters(requirements, votes, 'approve');
  if (isDenied(requirements, votes, vetoes)) return { status: 'denied', voters };
  const parsed = requirements.map(parseRequirement);
  const met = parsed.filter((one): one is Requirement => one !== null && (voters[one.literal]?.length ?? 0) >= needed(one));
  const all = parsed.length > 0 && parsed.every((one) => one !== null && met.some((had) => covers(had, one)));
  return { status: all ? 'approved' : 'pending', voters };
}

/** A denial of what is not asked, or of a group that says nothing of vetoes, denies alone. */
function isDenied(requirements: readonly string[], votes: readonly Cast[], vetoes: ApprovalTerms['vetoes']): boolean {
  const denials = votes.filter(({ decision }) => decision === 'deny');
  const against = countVoters(requirements, votes, 'deny');
  return denials.some(({ requirement }) => {
    const needed = vetoesOf({ vetoes }, requirement);
    return needed <= 1 || (against[requirement]?.length ?? needed) >= needed;
  });
}

/** Denials that deny this requirement, and with it the whole. */
export function vetoesOf({ vetoes }: Pick<ApprovalTerms, 'vetoes'>, literal: string): number {
  const asked = parseRequirement(literal);
  return asked?.kind === 'approval' && Object.hasOwn(vetoes, asked.group) ? (vetoes[asked.group] ?? 1) : 1;
}

function countVoters(requirements: readonly string[], votes: readonly Cast[], counted: Vote['decision']): Record<string, string[]> {
  const voters: Record<string, string[]> = Object.fromEntries(requirements.map((literal) => [literal, []]));
  const persons = new Set<string>();
  const names = new Set<string>();
  for (const { person, name, requirement, decision, passkey, behalf } of votes) {
    const places = behalf === null ? [{ person, name }] : [{ person, name }, behalf];
    if (places.some((place) => persons.has(place.person) || names.has(place.name))) continue;
    for (const place of places) {
      persons.add(place.person);
      names.add(place.name);
    }
    const counts = decision === counted && requirements.includes(requirement);
    // A denial only narrows, so it needs no signature.
    if (counts && (counted === 'deny' || passkey !== null || !asksPasskey(requirement))) voters[requirement]?.push(person);
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
