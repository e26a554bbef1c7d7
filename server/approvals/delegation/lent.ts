import { isTooRecent, type Recent } from '../../changes/recent.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Person } from '../../identity/caller.ts';
import type { Ports } from '../../ports.ts';
import type { ApprovalRow, DelegationRow } from '../../store/index.ts';
import { sameHuman } from '../excluded.ts';

/** A place that somebody lent the person who looks, for this approval. */
export interface LentPlace {
  readonly delegation: string;
  readonly group: string;
  readonly person: string;
  readonly name: string;
  /** Why a vote in it would not count, though it is lent: they are in the chain, changed what it rests on, or their place is taken. */
  readonly closed: 'barred' | 'taken' | null;
}

const most = 100;

/** Places that are lent to this person now; what each is good for is said per approval. */
export const lentTo = (ports: Pick<Ports, 'store' | 'clock'>, person: Person): Promise<readonly DelegationRow[]> =>
  ports.store.listDelegations(person.tenant, { delegate: person.id, inForceAt: ports.clock() }, { after: null, limit: most });

/** Whether who lent it could, by the document as it is now, still vote themselves: the group is read of them, the role of both. */
export function stillLends({ document }: Pick<TenantSnapshot, 'document'>, { lender, lenderName, group }: DelegationRow): boolean {
  const entry = Object.hasOwn(document.people, lenderName) ? document.people[lenderName] : undefined;
  const isOffered = Object.hasOwn(document.approvals?.delegable ?? {}, group);
  return isOffered && entry?.subject === lender && entry.roles.includes('reviewer') && entry.groups.includes(group);
}

/** INVARIANT: what keeps the lender from deciding keeps the delegate from it as well; `chain` and `recent` are as for anybody's own vote. */
export function placesFor(
  rows: readonly DelegationRow[],
  snapshot: Pick<TenantSnapshot, 'document'>,
  row: Pick<ApprovalRow, 'votes'>,
  chain: readonly string[],
  recent: readonly Recent[],
  rests: ReadonlySet<string>,
): LentPlace[] {
  return rows
    .filter((one) => stillLends(snapshot, one))
    .map(({ id, group, lender, lenderName }) => {
      const barred = chain.some((one) => sameHuman(one, lender)) || isTooRecent(recent, rests, lender);
      const taken = row.votes.some((vote) => takes(vote, lender, lenderName));
      return { delegation: id, group, person: lender, name: lenderName, closed: barred ? 'barred' : taken ? 'taken' : null };
    });
}

/** This vote was cast by that human, or in their place. */
export const takes = ({ person, name, behalf }: ApprovalRow['votes'][number], whose: string, called: string | null): boolean =>
  [{ person, name }, ...(behalf === null ? [] : [behalf])].some((place) => sameHuman(place.person, whose) || place.name === called);
