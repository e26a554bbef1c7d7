import { sameHuman } from '../approvals/excluded.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';
import { type Recent, recentChanges } from './recent.ts';
import type { ChangeRefusalCode } from './refusals.ts';

const admin = 'role:admin';

/** All that decides who may approve a change, besides the role. */
export interface Bars {
  readonly recent: readonly Recent[];
  readonly operators: readonly string[];
}

export async function readBars(ports: Pick<Ports, 'store' | 'clock'>, tenant: string): Promise<Bars> {
  const [recent, platform] = await Promise.all([recentChanges(ports, tenant), ports.store.readPlatform()]);
  return { recent, operators: platform?.body.kind === 'Platform' ? platform.body.operators : [] };
}

/** Why this admin may not approve the change; null when they may. */
export function whyBarred({ recent, operators }: Bars, change: Pick<ChangeRow, 'author' | 'needs' | 'adds'>, person: string): ChangeRefusalCode | null {
  if (sameHuman(change.author, person)) return 'change.own';
  if (change.needs === 'operator' && !operators.includes(person)) return 'change.not_operator';
  if (makesAdmin(change, person)) return 'change.made_admin';
  // Nor does it help to make somebody an admin first and let them ask.
  const knotted = recent.some((one) => makesAdmin(one, person) || (sameHuman(one.author, person) && makesAdmin(one, change.author)));
  return knotted ? 'change.recent' : null;
}

const makesAdmin = ({ adds }: Pick<ChangeRow, 'adds'>, person: string): boolean =>
  Object.entries(adds).some(([added, to]) => to.includes(admin) && sameHuman(added, person));

/** Names, in the tenant document, of those who may approve it now. */
export function approversOf(snapshot: Pick<TenantSnapshot, 'document'>, bars: Bars, change: Pick<ChangeRow, 'author' | 'needs' | 'adds'>): string[] {
  const admins = Object.entries(snapshot.document.people).filter(([, { roles }]) => roles.includes('admin'));
  return admins.filter(([, { subject }]) => whyBarred(bars, change, subject) === null).map(([name]) => name);
}

/** What to do when a change has nobody who could approve it. */
export const nobodyElse = (tenant: string): string =>
  `Nobody else of ${tenant} may approve it now. Name a second admin in the Tenant document and have the operator start the broker with it: ` +
  'then you approve that change, and after 24 hours they approve yours. A tenant of one person says `personal: true`, best when it is founded.';
