import { z } from 'zod';
import type { BreakGlassRow } from '../store/index.ts';

/** What people see of break-glass: times in epoch seconds. */

const statuses = ['requested', 'lapsed', 'active', 'ended'] as const satisfies readonly BreakGlassRow['status'][];
export const breakGlassStatus = z.enum(statuses);

const involved = z.strictObject({ person: z.string().describe('`<issuer>#<subject>`'), name: z.string() });

export const breakGlassSummary = z.strictObject({
  id: z.string(),
  status: breakGlassStatus,
  session: z.string(),
  agent: z.string(),
  tools: z.array(z.string()),
  incident: z.string(),
  reason: z.string(),
  initiator: involved,
  confirmer: involved.nullable(),
  requested_at: z.int(),
  confirm_by: z.int(),
  activated_at: z.int().nullable(),
  not_after: z.int().nullable().describe('It is not honoured from then on, whether or not a broker runs'),
  first_used_at: z.int().nullable(),
  ended_at: z.int().nullable(),
  end_reason: z.string().nullable(),
  lifetime: z.int().describe('Seconds it is open from its confirmation on'),
  calls: z.strictObject({ used: z.int(), limit: z.int() }),
  amount: z.strictObject({ used: z.number(), limit: z.number() }),
  review_due: z.int().nullable(),
  reviewed_at: z.int().nullable(),
  review: involved.extend({ finding: z.string() }).nullable(),
  overdue: z.boolean().describe('Not reviewed in time: there is no other break-glass in this tenant until it is'),
});
export type BreakGlassSummary = z.infer<typeof breakGlassSummary>;

export const breakGlassDetail = breakGlassSummary.extend({
  to_rotate: z.array(z.string()).describe('Credentials it may have touched and that have their old value: set anew before the review'),
});

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));

/** `at`: epoch milliseconds; what is past its end is over, though nobody has written that down yet. */
export function summaryOf(row: BreakGlassRow, at: number): BreakGlassSummary {
  const { terms } = row;
  const lapsed = row.status === 'requested' && row.confirmBy <= at;
  const over = row.status === 'active' && (row.notAfter ?? 0) <= at;
  return {
    id: row.id,
    status: lapsed ? 'lapsed' : over ? 'ended' : row.status,
    session: row.session,
    agent: row.agent,
    tools: [...terms.tools],
    incident: terms.incident,
    reason: terms.reason,
    initiator: { ...terms.initiator },
    confirmer: row.confirmer && { ...row.confirmer },
    requested_at: Math.floor(row.requestedAt / 1000),
    confirm_by: Math.floor(row.confirmBy / 1000),
    activated_at: seconds(row.activatedAt),
    not_after: seconds(row.notAfter),
    first_used_at: seconds(row.firstUsedAt),
    ended_at: seconds(over ? row.notAfter : row.endedAt),
    end_reason: over ? 'expired' : row.endReason,
    lifetime: Math.floor(terms.lifetime / 1000),
    calls: { used: row.used.calls, limit: terms.calls },
    amount: { used: row.used.amount / 10_000, limit: terms.amount / 10_000 },
    review_due: seconds(row.reviewDue),
    reviewed_at: seconds(row.reviewedAt),
    review: row.review && { ...row.review },
    overdue: row.activatedAt !== null && row.reviewedAt === null && (row.reviewDue ?? Number.POSITIVE_INFINITY) <= at,
  };
}
