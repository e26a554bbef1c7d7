import { type Standing, sameHuman } from '../approvals/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { isFreshLogin, type Person } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { BreakGlassRow, Involved } from '../store/index.ts';
import { type BreakGlassRefusal, refuseBreakGlass } from './refusals.ts';

/** Who takes a step, as the tenant's document has them at one revision. */
export interface Asker {
  readonly person: Person;
  readonly standing: Standing;
  readonly snapshot: TenantSnapshot;
}
export type Needs = Pick<Ports, 'store' | 'clock' | 'newId'>;

export const involvedAs = ({ standing }: Asker): Involved => ({ person: standing.person, name: standing.name ?? standing.person });

/** One human, whatever the account: by subject at any issuer, or by name in the document. */
export const isSame = (asker: Asker, other: Involved): boolean => sameHuman(asker.standing.person, other.person) || asker.standing.name === other.name;

/** Why this person may take no part in activating: who they are and how lately they proved it; null when they may. */
export function whyNotActivate(asker: Asker, now: number): BreakGlassRefusal | null {
  const group = asker.snapshot.document.break_glass?.group;
  if (group === undefined) return refuseBreakGlass('break_glass.not_offered');
  if (!asker.standing.groups.has(group)) return refuseBreakGlass('break_glass.not_in_group');
  if (!provesPresence(asker.person, now)) return refuseBreakGlass('break_glass.login_not_fresh');
  return null;
}

/** The one place that says what a strong, fresh login is. */
const provesPresence = (person: Person, now: number): boolean => isFreshLogin(person, now);

/** Whoever may activate it, and everybody with a role in the tenant. */
export function maySee({ standing, snapshot }: Asker): boolean {
  const group = snapshot.document.break_glass?.group;
  return standing.roles.size > 0 || (group !== undefined && standing.groups.has(group));
}

export const isInChain = (asker: Asker, excluded: readonly string[]): boolean => excluded.some((one) => sameHuman(one, asker.standing.person));

export const tookPart = (asker: Asker, { terms, confirmer }: BreakGlassRow): boolean =>
  isSame(asker, terms.initiator) || (confirmer !== null && isSame(asker, confirmer)) || isInChain(asker, terms.excluded);
