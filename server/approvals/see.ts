import { parseRequirement } from '../../policies/index.ts';
import { isTooRecent, type Recent, recentChanges, restsOn } from '../changes/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, DelegationRow, SessionView } from '../store/index.ts';
import { type LentPlace, lentTo, placesFor } from './delegation/index.ts';
import { excludedFrom, sameHuman } from './excluded.ts';
import { type Standing, standingOf } from './standing.ts';

/** One approval as one person stands to it, at one revision. */
export interface Seen {
  readonly row: ApprovalRow;
  readonly snapshot: TenantSnapshot;
  readonly standing: Standing;
  /** The session's one sponsor (or accountable person) is this very account. */
  readonly isSponsor: boolean;
  /** Somewhere in the chain, under this or another account; as of when it was asked for or as of now. */
  readonly excluded: boolean;
  /** Within 24 hours they changed what its outcome rests on, or were added to it. */
  readonly tooRecent: boolean;
  /** Places in groups that others lent them, and whether each is good here. */
  readonly lent: readonly LentPlace[];
  /** Epoch milliseconds. */
  readonly at: number;
}

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock'>;

/** Null for whoever has no role in the tenant and is not the sponsor, exactly as for an approval that does not exist. */
export async function seeApproval(ports: Needs, person: Person, id: string): Promise<Seen | null> {
  const [row, snapshot] = await Promise.all([ports.store.readApproval(person.tenant, id), ports.tenants.current(person.tenant)]);
  if (!row || !snapshot) return null;
  const [view, around] = await Promise.all([ports.store.readSession(person.tenant, row.session), readAround(ports, person)]);
  return stand(ports, person, row, snapshot, view, around);
}

/** What decides with the document who may decide. */
export interface Around {
  readonly recent: readonly Recent[];
  readonly lent: readonly DelegationRow[];
}

/** Read no earlier than the snapshot: what changes the configuration after it moves the revision a vote is refused by, and a vote in a lent place is refused once it is not. */
export async function readAround(ports: Pick<Ports, 'store' | 'clock'>, person: Person): Promise<Around> {
  const [recent, lent] = await Promise.all([recentChanges(ports, person.tenant), lentTo(ports, person)]);
  return { recent, lent };
}

export function stand(
  ports: Pick<Ports, 'clock'>,
  person: Person,
  row: ApprovalRow,
  snapshot: TenantSnapshot,
  view: SessionView | null,
  { recent, lent }: Around,
): Seen | null {
  if (!view || row.tenant !== person.tenant || snapshot.tenant !== person.tenant) return null;
  const standing = standingOf(snapshot, person);
  const isSponsor = view.session.sponsor === person.id;
  if (!isSponsor && standing.roles.size === 0) return null;
  const chain = [...row.excluded, ...excludedFrom(snapshot, view.session, view.ancestors)];
  const rests = restsOn(row, view.session.useCase, snapshot);
  const tooRecent = isTooRecent(recent, rests, person.id);
  const places = placesFor(lent, snapshot, row, chain, recent, rests);
  return { row, snapshot, standing, isSponsor, excluded: chain.some((one) => sameHuman(one, person.id)), tooRecent, lent: places, at: ports.clock() };
}

/** Who may read what would be sent: a reviewer of one of its groups, or in the place of one, the sponsor, admins and auditors. */
export function mayRead({ row, standing, isSponsor, lent }: Seen): boolean {
  return isSponsor || standing.roles.has('admin') || standing.roles.has('auditor') || mayReview(row, standing) || isLentTo(row, standing, lent);
}

function isLentTo(row: Pick<ApprovalRow, 'requirements'>, { roles }: Standing, lent: readonly LentPlace[]): boolean {
  return roles.has('reviewer') && lent.some(({ group, closed }) => closed !== 'barred' && asksOf(row, (one) => one === group));
}

/** A reviewer of one of the groups the approval asks. */
export function mayReview(row: Pick<ApprovalRow, 'requirements'>, standing: Standing): boolean {
  if (!standing.roles.has('reviewer')) return false;
  return asksOf(row, (group) => standing.groups.has(group));
}

function asksOf(row: Pick<ApprovalRow, 'requirements'>, which: (group: string) => boolean): boolean {
  return row.requirements.some((literal) => {
    const requirement = parseRequirement(literal);
    return requirement?.kind === 'approval' && which(requirement.group);
  });
}
