import type { Store } from '../store/index.ts';
import { type Finding, finding } from './finding.ts';

const looked = 100;
const day = (ms: number): string => new Date(ms).toISOString();

/** What waits for people of a tenant and holds others up meanwhile: widenings, overdue reviews, channels that reach nobody. */
export async function examineWaiting(store: Store, now = Date.now()): Promise<Finding[]> {
  const tenants = await store.listTenants();
  const found = await Promise.all(tenants.map(({ tenant }) => ofTenant(store, tenant, now)));
  return found.flat();
}

async function ofTenant(store: Store, tenant: string, now: number): Promise<Finding[]> {
  const page = { after: null, limit: looked };
  const [changes, opened, disabled] = await Promise.all([
    store.listChanges(tenant, { status: 'pending' }, page),
    store.listBreakGlass(tenant, { status: 'ended' }, page),
    store.disabledChannels(tenant),
  ]);
  return [
    ...changes
      .filter(({ expiresAt }) => expiresAt > now)
      .map(({ id, items, expiresAt }) =>
        finding(
          'changes',
          'note',
          `${tenant} ${id} waits for a second admin until ${day(expiresAt)}: ${items.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`,
          `another admin of ${tenant} looks with \`npx taskgate change show ${id}\``,
        ),
      ),
    ...opened
      .filter(({ activatedAt, reviewedAt, reviewDue }) => activatedAt !== null && reviewedAt === null && reviewDue !== null && reviewDue <= now)
      .map(({ id, terms, reviewDue }) =>
        finding(
          'break-glass',
          'bad',
          `${tenant} ${id} (${terms.incident}) was to be reviewed by ${day(reviewDue ?? 0)}; until it is there is no other`,
          `an uninvolved admin or auditor of ${tenant}: \`npx taskgate break-glass review ${id}\``,
        ),
      ),
    ...disabled.map((name) =>
      finding(
        'channels',
        'bad',
        `${tenant} ${name}: its receiver says that it is gone, so nobody is told there`,
        `name another receiver in its document, or \`npx taskgate notification test ${name}\` once it is back`,
      ),
    ),
  ];
}
