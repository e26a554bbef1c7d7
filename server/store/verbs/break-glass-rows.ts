import type { BreakGlassReview, BreakGlassRow, BreakGlassTerms, Involved } from '../break-glass.ts';
import { one, together, type Verb } from '../verb.ts';
import { readUsed } from './counters.ts';

export interface BreakGlassColumns {
  readonly tenant: string;
  readonly id: string;
  readonly session: string;
  readonly agent: string;
  readonly status: BreakGlassRow['status'];
  readonly terms: string;
  readonly requested_at: number;
  readonly confirm_by: number;
  readonly confirmer: string | null;
  readonly activated_at: number | null;
  readonly not_after: number | null;
  readonly first_used_at: number | null;
  readonly ended_at: number | null;
  readonly end_reason: string | null;
  readonly rotate: string | null;
  readonly review_due: number | null;
  readonly review: string | null;
  readonly reviewed_at: number | null;
}

export const breakGlassColumns = [
  'tenant, id, session, agent, status, terms, requested_at, confirm_by, confirmer, activated_at, not_after, first_used_at, ended_at, end_reason',
  'rotate, review_due, review, reviewed_at',
].join(', ');

/** Where its calls and amounts are counted. */
export const scopeOf = (id: string): string => `break-glass/${id}`;

export function* breakGlassOf(columns: BreakGlassColumns): Verb<BreakGlassRow> {
  const { tenant, id } = columns;
  const [calls, amount] = yield* together(readUsed(tenant, scopeOf(id), 'calls'), readUsed(tenant, scopeOf(id), 'amount'));
  return {
    id,
    tenant,
    session: columns.session,
    agent: columns.agent,
    status: columns.status,
    terms: JSON.parse(columns.terms) as BreakGlassTerms,
    requestedAt: columns.requested_at,
    confirmBy: columns.confirm_by,
    confirmer: columns.confirmer === null ? null : (JSON.parse(columns.confirmer) as Involved),
    activatedAt: columns.activated_at,
    notAfter: columns.not_after,
    firstUsedAt: columns.first_used_at,
    endedAt: columns.ended_at,
    endReason: columns.end_reason,
    rotate: JSON.parse(columns.rotate ?? '[]') as BreakGlassRow['rotate'],
    reviewDue: columns.review_due,
    review: columns.review === null ? null : (JSON.parse(columns.review) as BreakGlassReview),
    reviewedAt: columns.reviewed_at,
    used: { calls, amount },
  };
}

export function* readBreakGlass(tenant: string, id: string): Verb<BreakGlassRow | null> {
  const found = yield* one<BreakGlassColumns>(`SELECT ${breakGlassColumns} FROM break_glass WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? yield* breakGlassOf(found) : null;
}

export function* activeBreakGlass(tenant: string, session: string, at: number): Verb<BreakGlassRow | null> {
  const found = yield* one<BreakGlassColumns>(
    `SELECT ${breakGlassColumns} FROM break_glass WHERE tenant = ? AND session = ? AND status = 'active' AND not_after > ?`,
    tenant,
    session,
    at,
  );
  return found ? yield* breakGlassOf(found) : null;
}
