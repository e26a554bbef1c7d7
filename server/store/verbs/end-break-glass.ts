import type { RecordBody } from '../../audit/record.ts';
import type { BreakGlassRow } from '../break-glass.ts';
import { all, run, type Verb } from '../verb.ts';
import { tell } from './break-glass.ts';
import { type BreakGlassColumns, breakGlassColumns, breakGlassOf, readBreakGlass } from './break-glass-rows.ts';
import { endSession, recordOf } from './end-session.ts';
import { appendRecord } from './records.ts';
import { listSecrets } from './secrets.ts';
import { readSessionRow } from './sessions.ts';
import type { Swept } from './sweep.ts';

/** From its end on, so that an early end does not put the review off. */
const reviewMs = 72 * 3_600_000;

export function* endBreakGlass(tenant: string, id: string, reason: string, at: number, record: RecordBody): Verb<boolean> {
  const row = yield* readBreakGlass(tenant, id);
  if (row?.status === 'requested') return yield* lapse(row, reason, at, record);
  return row?.status === 'active' ? yield* end(row, reason, at, record) : false;
}

function* lapse({ tenant, id }: BreakGlassRow, reason: string, at: number, record: RecordBody): Verb<boolean> {
  yield* run(`UPDATE break_glass SET status = 'lapsed', ended_at = ?, end_reason = ? WHERE tenant = ? AND id = ?`, at, reason, tenant, id);
  yield* appendRecord(tenant, { ...record, type: 'break_glass.lapsed' });
  return true;
}

/** With it goes its session and all that draws on that; what it used is to be rotated before the review can be closed. */
function* end(row: BreakGlassRow, reason: string, at: number, record: RecordBody): Verb<boolean> {
  const { tenant, id, session, terms, firstUsedAt } = row;
  const endedAt = Math.min(at, row.notAfter ?? at);
  const touched = firstUsedAt === null ? [] : (yield* listSecrets(tenant)).filter(({ name }) => terms.credentials.includes(name));
  yield* run(
    `UPDATE break_glass SET status = 'ended', ended_at = ?, end_reason = ?, rotate = ?, review_due = ? WHERE tenant = ? AND id = ?`,
    endedAt,
    reason,
    JSON.stringify(touched.map(({ name, version }) => ({ name, version }))),
    endedAt + reviewMs,
    tenant,
    id,
  );
  yield* appendRecord(tenant, { ...record, type: 'break_glass.ended', count: row.used.calls });
  const found = yield* readSessionRow(tenant, session);
  const how = { status: 'revoked', reason: 'break_glass_ended' } as const;
  if (found) yield* endSession(tenant, session, how, at, { ...recordOf(found, how, at, record.actor ?? 'taskgate'), break_glass: id });
  yield* tell('break_glass.ended', row, at, { code: reason, expires_at: endedAt + reviewMs });
  return true;
}

/** Writes down what has come to its end by itself: it had stopped being honoured then already. Says once that a review is late. */
export function* sweepBreakGlass(tenant: string, at: number, most: number): Verb<Swept> {
  const due = yield* all<BreakGlassColumns>(
    `SELECT ${breakGlassColumns} FROM break_glass g WHERE tenant = ? AND (
       (status = 'requested' AND confirm_by <= ?)
       OR (status = 'active' AND (not_after <= ? OR EXISTS (
         SELECT 1 FROM sessions s WHERE s.tenant = g.tenant AND s.id = g.session AND (s.status IN ('ended', 'revoked') OR s.expires_at <= ?))))
       OR (status = 'ended' AND reviewed_at IS NULL AND overdue_told = 0 AND review_due <= ?))
     ORDER BY requested_at LIMIT ?`,
    tenant,
    at,
    at,
    at,
    at,
    most,
  );
  for (const columns of due) {
    const row = yield* breakGlassOf(columns);
    const record = { at, tenant, session: row.session, agent: row.agent, actor: 'taskgate', break_glass: row.id, incident: row.terms.incident };
    if (row.status === 'requested') yield* lapse(row, 'not_confirmed', at, { ...record, type: 'break_glass.lapsed', code: 'not_confirmed' });
    else if (row.status === 'active') {
      const code = (row.notAfter ?? 0) <= at ? 'expired' : 'session_ended';
      yield* end(row, code, at, { ...record, type: 'break_glass.ended', code });
    } else {
      yield* run('UPDATE break_glass SET overdue_told = 1 WHERE tenant = ? AND id = ?', tenant, row.id);
      yield* appendRecord(tenant, { ...record, type: 'break_glass.review_overdue' });
      yield* tell('break_glass.review_due', row, at);
    }
  }
  return { counted: due.length, touched: due.length };
}

/** For the store's epoch: whoever was in the middle of it starts anew; what was active stays to be reviewed. */
export function* cutOffBreakGlass(tenant: string, at: number, reason: string): Verb<void> {
  const open = yield* all<{ id: string; session: string; agent: string }>(
    `SELECT id, session, agent FROM break_glass WHERE tenant = ? AND status IN ('requested', 'active')`,
    tenant,
  );
  for (const { id, session, agent } of open)
    yield* endBreakGlass(tenant, id, reason, at, { type: 'break_glass.ended', at, tenant, session, agent, actor: 'taskgate', break_glass: id, code: reason });
}
