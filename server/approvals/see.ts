import { parseRequirement } from '../../policies/index.ts';
import { isTooRecent, type Recent, recentChanges, restsOn } from '../changes/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, SessionView } from '../store/store.ts';
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
  /** Epoch milliseconds. */
  readonly at: number;
}

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock'>;

/** Null for whoever has no role in the tenant and is not the sponsor, exactly as for an approval that does not exist. */
export async function seeApproval(ports: Needs, person: Person, id: string): Promise<Seen | null> {
  const [row, snapshot] = await Promise.all([ports.store.readApproval(person.tenant, id), ports.tenants.current(person.tenant)]);
  if (!row || !snapshot) return null;
  const [view, recent] = await Promise.all([ports.store.readSession(person.tenant, row.session), recentChanges(ports, person.tenant)]);
  return stand(ports, person, row, snapshot, view, recent);
}

/** `recent` is read no earlier than the snapshot: what changes the configuration after it moves the revision a vote is refused by. */
export function stand(
  ports: Pick<Ports, 'clock'>,
  person: Person,
  row: ApprovalRow,
  snapshot: TenantSnapshot,
  view: SessionView | null,
  recent: readonly Recent[],
): Seen | null {
  if (!view || row.tenant !== person.tenant || snapshot.tenant !== person.tenant) return null;
  const standing = standingOf(snapshot, person);
  const isSponsor = view.session.sponsor === person.id;
  if (!isSponsor && standing.roles.size === 0) return null;
  const chain = [...row.excluded, ...excludedFrom(snapshot, view.session, view.ancestors)];
  const tooRecent = isTooRecent(recent, restsOn(row, view.session.useCase, snapshot), person.id);
  return { row, snapshot, standing, isSponsor, excluded: chain.some((one) => sameHuman(one, person.id)), tooRecent, at: ports.clock() };
}

/** Who may read what would be sent: a reviewer of one of its groups, the sponsor, admins and auditors. */
export function mayRead({ row, standing, isSponsor }: Seen): boolean {
  return isSponsor || standing.roles.has('admin') || standing.roles.has('auditor') || mayReview(row, standing);
}

/** A reviewer of one of the groups the approval asks. */
export function mayReview(row: Pick<ApprovalRow, 'requirements'>, standing: Standing): boolean {
  if (!standing.roles.has('reviewer')) return false;
  return row.requirements.some((literal) => {
    const requirement = parseRequirement(literal);
    return requirement?.kind === 'approval' && standing.groups.has(requirement.group);
  });
}
