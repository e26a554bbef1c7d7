import { z } from 'zod';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { type DelegationRow, scanPages } from '../../store/index.ts';
import { type Standing, standingOf } from '../standing.ts';

const someone = z.strictObject({ person: z.string().describe('`<issuer>#<subject>`'), name: z.string() });

/** As it goes over the wire, times in epoch seconds. */
export const delegationSummary = z.strictObject({
  id: z.string(),
  status: z.enum(['active', 'over']),
  group: z.string(),
  lender: someone.describe('Whose place it is'),
  delegate: someone.describe('Who may vote in it'),
  reason: z.string(),
  created_at: z.int(),
  ends_at: z.int(),
  ended_at: z.int().nullable().describe('When it was taken back or handed back before its end'),
});
export type DelegationSummary = z.infer<typeof delegationSummary>;

const seconds = (ms: number): number => Math.floor(ms / 1000);

export const delegationSummaryOf = (row: DelegationRow, at: number): DelegationSummary => ({
  ...{ id: row.id, status: row.endedAt === null && row.endsAt > at ? 'active' : 'over', group: row.group },
  lender: { person: row.lender, name: row.lenderName },
  delegate: { person: row.delegate, name: row.delegateName },
  ...{ reason: row.reason, created_at: seconds(row.createdAt), ends_at: seconds(row.endsAt) },
  ended_at: row.endedAt === null ? null : seconds(row.endedAt),
});

/** One's own, in either direction; all of the tenant for admins and auditors. Newest first. */
export async function listDelegations(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  page: { readonly after: string | null; readonly limit: number },
): Promise<{ items: DelegationSummary[]; next: string | null }> {
  const snapshot = await ports.tenants.current(person.tenant);
  if (!snapshot) return { items: [], next: null };
  const all = seesAll(standingOf(snapshot, person));
  const at = ports.clock();
  return scanPages(
    (part) => ports.store.listDelegations(person.tenant, {}, part),
    page,
    (row) => (all || [row.lender, row.delegate].includes(person.id) ? delegationSummaryOf(row, at) : null),
  );
}

const seesAll = ({ roles }: Standing): boolean => roles.has('admin') || roles.has('auditor');
