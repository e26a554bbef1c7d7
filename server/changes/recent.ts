import { sameHuman } from '../approvals/excluded.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, ChangeRow } from '../store/store.ts';

/** A change that took effect lately, as far as it keeps people from deciding. */
export type Recent = Pick<ChangeRow, 'author' | 'touches' | 'adds'>;

/** For this long nobody decides what rests on a change of their own, or on one that added them. */
export const coolingMs = 24 * 3_600_000;

/** What widened the tenant within the last 24 hours. Founding is none, and a tenant of one person has none. */
export const recentChanges = (ports: Pick<Ports, 'store' | 'clock'>, tenant: string): Promise<readonly Recent[]> =>
  ports.store.recentChanges(tenant, ports.clock() - coolingMs);

/** What the outcome of one approval rests on, in the words of `touches`. */
export function restsOn(row: Pick<ApprovalRow, 'agent' | 'tool' | 'requirements'>, useCase: string, snapshot: Pick<TenantSnapshot, 'upstreams'>): Set<string> {
  const upstream = row.tool.slice(0, row.tool.indexOf('__'));
  const credential = snapshot.upstreams.get(upstream)?.document.credential;
  const groups = row.requirements.flatMap((literal) => /^approval:([a-z0-9-]+)/.exec(literal)?.[1] ?? []).map((group) => `group:${group}`);
  return new Set([
    ...['everything', 'policy', 'role:reviewer', `upstream:${upstream}`, `agent:${row.agent}`, `use-case:${useCase}`],
    ...(credential === undefined ? [] : [`credential:${credential}`]),
    ...groups,
  ]);
}

/** This person asked for, or was added by, something that the outcome rests on. Under whatever account. */
export function isTooRecent(recent: readonly Recent[], rests: ReadonlySet<string>, person: string): boolean {
  return recent.some(({ author, touches, adds }) => {
    if (sameHuman(author, person) && touches.some((one) => rests.has(one))) return true;
    return Object.entries(adds).some(([added, to]) => sameHuman(added, person) && to.some((one) => rests.has(one)));
  });
}
