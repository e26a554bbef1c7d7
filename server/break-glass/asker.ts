import { type Standing, sameHuman } from '../approvals/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { BreakGlassRow, Involved } from '../store/index.ts';
import { type BreakGlassRefusal, refuseBreakGlass } from './refusals.ts';

/** Who takes a step, as the tenant's document has them at one revision. */
export interface Asker {
  readonly person: Person;
  readonly standing: Standing;
  readonly snapshot: TenantSnapshot;
}
export type Needs = Pick<Ports, 'store' | 'clock' | 'newId' | 'config' | 'access'>;

export const involvedAs = ({ standing }: Asker): Involved => ({ person: standing.person, name: standing.name ?? standing.person });

/** One human, whatever the account: by subject at any issuer, or by name in the document. */
export const isSame = (asker: Asker, other: Involved): boolean => sameHuman(asker.standing.person, other.person) || asker.standing.name === other.name;

/** Why this person may take no part in activating; null when they may, if they are there. */
export function whyNotActivate({ snapshot, standing }: Asker): BreakGlassRefusal | null {
  const group = snapshot.document.break_glass?.group;
  if (group === undefined) return refuseBreakGlass('break_glass.not_offered');
  return standing.groups.has(group) ? null : refuseBreakGlass('break_glass.not_in_group');
}

/** Whoever may activate it, and everybody with a role in the tenant. */
export function maySee({ standing, snapshot }: Asker): boolean {
  const group = snapshot.document.break_glass?.group;
  return standing.roles.size > 0 || (group !== undefined && standing.groups.has(group));
}

export const isInChain = (asker: Asker, excluded: readonly string[]): boolean => excluded.some((one) => sameHuman(one, asker.standing.person));

export const tookPart = (asker: Asker, { terms, confirmer }: BreakGlassRow): boolean =>
  isSame(asker, terms.initiator) || (confirmer !== null && isSame(asker, confirmer)) || isInChain(asker, terms.excluded);
