import { parseRequirement } from '../../../policies/index.ts';
import { isTooRecent, recentChanges, restsOn } from '../../changes/index.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { StandingRow } from '../../store/standing-approvals.ts';
import { sameHuman } from '../excluded.ts';
import { type Standing, standingOf } from '../standing.ts';
import { openStanding } from './content.ts';

/** One standing approval as one person stands to it, at one revision. */
export interface SeenStanding {
  readonly row: StandingRow;
  readonly snapshot: TenantSnapshot;
  readonly standing: Standing;
  /** Their vote would count: a reviewer of the group it stands for, and not who proposed it. */
  readonly mayGive: boolean;
  readonly inGroup: boolean;
  /** Within 24 hours they changed what it rests on, or were added to it. */
  readonly tooRecent: boolean;
  readonly at: number;
}

/** Null for whoever has no role in the tenant, exactly as for one that does not exist. */
export async function seeStanding(ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>, person: Person, id: string): Promise<SeenStanding | null> {
  const [row, snapshot] = await Promise.all([ports.store.readStanding(person.tenant, id), ports.tenants.current(person.tenant)]);
  if (!row || !snapshot) return null;
  const standing = standingOf(snapshot, person);
  if (standing.roles.size === 0) return null;
  // One person alone may be all there is; every record of such a tenant says so.
  const proposedIt = row.kind === 'standing' && sameHuman(row.author, person.id) && !snapshot.document.personal;
  const isOf = inGroup(standing, row.requirement);
  const recent = await recentChanges(ports, person.tenant);
  const rests = restsOn(
    { agent: row.sealed.length === 0 ? '' : (openStanding(ports, row).agent ?? ''), tool: row.tool, requirements: [row.requirement] },
    row.useCase,
    snapshot,
  );
  const tooRecent = isTooRecent(recent, rests, person.id);
  return { row, snapshot, standing, mayGive: isOf && !proposedIt, inGroup: isOf, tooRecent, at: ports.clock() };
}

export function inGroup(standing: Standing, literal: string): boolean {
  const asked = parseRequirement(literal);
  return asked?.kind === 'approval' && standing.roles.has('reviewer') && standing.groups.has(asked.group);
}

/** Those who gave it and, by the document as it is now, still could: distinct people. */
export function stillGiving(snapshot: Pick<TenantSnapshot, 'document'>, row: StandingRow): string[] {
  const asked = parseRequirement(row.requirement);
  const group = asked?.kind === 'approval' ? asked.group : null;
  const people = snapshot.document.people;
  const able = row.votes.filter(({ person, name, decision }) => {
    const entry = Object.hasOwn(people, name) ? people[name] : undefined;
    return decision === 'approve' && group !== null && entry?.subject === person && entry.roles.includes('reviewer') && entry.groups.includes(group);
  });
  const persons: string[] = [];
  for (const { person } of able) if (!persons.some((other) => sameHuman(other, person))) persons.push(person);
  return persons;
}
