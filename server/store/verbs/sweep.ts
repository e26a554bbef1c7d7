import type { RecordBody } from '../../audit/record.ts';
import { all, run, signal, together, type Verb } from '../verb.ts';
import { type ApprovalColumns, approvalColumns } from './approval-rows.ts';
import { aboutApproval } from './approvals.ts';
import { aboutChange, type ChangeColumns, changeColumns } from './changes.ts';
import { recordOf } from './end-session.ts';
import { tellOfApproval } from './notifications.ts';
import { appendRecord } from './records.ts';
import { type SessionColumns, sessionColumns, sessionOf } from './session-rows.ts';

/** How many rows of a kind one transaction takes, so that a long absence does not hold the store for long. */
export const sweepAtOnce = 50;

/** Rows one transaction has been through, and how many of them are counted. */
export interface Swept {
  readonly counted: number;
  readonly touched: number;
}

/** Whose rows a sweep at `at` has something to do with. */
export function* tenantsWithDue(at: number): Verb<string[]> {
  const due = yield* all<{ tenant: string }>(
    `SELECT tenant FROM sessions WHERE status IN ('active', 'suspended') AND expires_at <= ?
     UNION SELECT tenant FROM approvals WHERE wiped = 0 AND expires_at <= ?
     UNION SELECT tenant FROM approvals WHERE status = 'pending' AND remind_at <= ?
     UNION SELECT tenant FROM break_glass
       WHERE status = 'active' OR (status = 'requested' AND confirm_by <= ?) OR (status = 'ended' AND reviewed_at IS NULL AND overdue_told = 0 AND review_due <= ?)
     UNION SELECT tenant FROM standing_approvals WHERE status IN ('pending', 'active') AND expires_at <= ?
     UNION SELECT tenant FROM dispatches WHERE status = 'dispatched' AND lease_until <= ?
     UNION SELECT tenant FROM dispatches WHERE kept_until <= ?
     UNION SELECT tenant FROM changes WHERE status = 'pending' AND expires_at <= ?`,
    ...Array.from({ length: 9 }, () => at),
  );
  return due.map(({ tenant }) => tenant);
}

/** Ends what has come to its end, with a record: a clock set back brings nothing back. */
export function* sweepSessions(tenant: string, at: number): Verb<Swept> {
  const past = yield* all<SessionColumns>(
    `SELECT ${sessionColumns} FROM sessions WHERE tenant = ? AND status IN ('active', 'suspended') AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    tenant,
    at,
    sweepAtOnce,
  );
  for (const one of past.map(sessionOf)) {
    yield* together(
      run(`UPDATE sessions SET status = 'ended', end_reason = 'expired', ended_at = expires_at WHERE tenant = ? AND id = ?`, one.tenant, one.id),
      signal('session', one.tenant, one.id),
      appendRecord(one.tenant, recordOf(one, { status: 'ended', reason: 'expired' }, at, 'taskgate')),
    );
  }
  return { counted: past.length, touched: past.length };
}

/** Expires what was still open, and deletes what was sealed in any approval past its expiry. Answers how many had been open. */
export function* sweepApprovals(tenant: string, at: number): Verb<Swept> {
  const past = yield* all<ApprovalColumns>(
    `SELECT ${approvalColumns} FROM approvals WHERE tenant = ? AND wiped = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    tenant,
    at,
    sweepAtOnce,
  );
  let expired = 0;
  for (const one of past) {
    const open = one.status === 'pending' || one.status === 'approved';
    yield* run(
      'UPDATE approvals SET status = ?, decided_at = coalesce(decided_at, ?), proposal = ?, sealed_outcome = NULL, wiped = 1 WHERE tenant = ? AND id = ?',
      open ? 'expired' : one.status,
      at,
      new Uint8Array(),
      one.tenant,
      one.id,
    );
    if (!open) continue;
    yield* together(signal('approval', one.tenant, one.id), appendRecord(one.tenant, aboutApproval('approval.expired', one, at)));
    yield* tellOfApproval('approval.expired', { ...one, requirements: JSON.parse(one.requirements) as string[], expiresAt: one.expires_at }, at);
    expired += 1;
  }
  return { counted: expired, touched: past.length };
}

/** What nobody approved in time is forgotten. */
export function* sweepChanges(tenant: string, at: number): Verb<Swept> {
  const past = yield* all<ChangeColumns>(
    `SELECT ${changeColumns} FROM changes WHERE tenant = ? AND status = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    tenant,
    at,
    sweepAtOnce,
  );
  for (const one of past) {
    yield* run(`UPDATE changes SET status = 'expired', decided_at = ?, payload = ? WHERE tenant = ? AND id = ?`, at, new Uint8Array(), tenant, one.id);
    yield* appendRecord(tenant, aboutChange('change.expired', one, at));
  }
  return { counted: past.length, touched: past.length };
}

/** Calls dispatches unknown whose outcome nobody can tell any more. */
export function* loseDispatches(lost: readonly Lost[], at: number, code: string): Verb<void> {
  for (const one of lost) {
    yield* run(`UPDATE dispatches SET status = 'unknown', settled_at = ? WHERE tenant = ? AND id = ? AND status = 'dispatched'`, at, one.tenant, one.id);
    if (one.approval !== null) {
      yield* run(`UPDATE approvals SET outcome = 'unknown' WHERE tenant = ? AND id = ? AND dispatch = ?`, one.tenant, one.approval, one.id);
      yield* signal('approval', one.tenant, one.approval);
    }
    yield* appendRecord(one.tenant, recordOfLost(one, at, code));
  }
}

export interface Lost {
  readonly tenant: string;
  readonly id: string;
  readonly session: string;
  readonly agent: string;
  readonly tool: string;
  readonly fence: number;
  readonly approval: string | null;
}

/** The dispatches of a tenant that have no outcome yet. */
export const inFlight = `SELECT d.tenant, d.id, d.session, s.agent, d.tool, d.fence, d.approval
  FROM dispatches d JOIN sessions s ON s.tenant = d.tenant AND s.id = d.session WHERE d.tenant = ? AND d.status = 'dispatched'`;

/** A dispatch past its lease: whoever ran it is gone or too late, and nobody can tell what it did. */
export function* sweepDispatches(tenant: string, at: number): Verb<Swept> {
  const lost = yield* all<Lost>(`${inFlight} AND d.lease_until <= ? ORDER BY d.lease_until LIMIT ?`, tenant, at, sweepAtOnce);
  yield* loseDispatches(lost, at, 'lease_expired');
  return { counted: lost.length, touched: lost.length };
}

function recordOfLost(one: Lost, at: number, code: string): RecordBody {
  const { tenant, session, agent, tool, id: dispatch, fence, approval } = one;
  const about = { tenant, session, agent, actor: 'taskgate', tool, dispatch, fence, code };
  return { type: 'call.unknown', at, ...about, ...(approval === null ? {} : { approval }) };
}

/** A day's counters are drawn from on that day alone; this many days on, no clock that is still trusted is back there. */
const daysKept = 7;
const dayMs = 86_400_000;
/** As long as an ended session may still be part of somebody's context; nothing draws on it once it has ended. */
const sessionKeptMs = dayMs;

/**
 * Deletes counters nobody can draw from any more: of days past, and of sessions that ended, which ends all that draws on them too.
 * How many calls a session made stays as long as its row, which shows it.
 */
export function* sweepCounters(tenant: string, at: number): Verb<Swept> {
  const firstKept = new Date(at - daysKept * dayMs).toISOString().slice(0, 10);
  const past = yield* all<{ scope: string; name: string }>(
    `SELECT scope, name FROM counters WHERE tenant = ? AND (scope LIKE 'use-case/%' OR scope LIKE 'standing-day/%') AND substr(scope, length(scope) - 9) < ?
     UNION ALL
     SELECT c.scope, c.name FROM counters c JOIN sessions s ON s.tenant = c.tenant AND s.id = substr(c.scope, 9)
     WHERE c.tenant = ? AND c.scope LIKE 'session/%' AND c.name <> 'calls' AND s.status IN ('ended', 'revoked') AND s.ended_at <= ?
     LIMIT ?`,
    tenant,
    firstKept,
    tenant,
    at - sessionKeptMs,
    sweepAtOnce,
  );
  for (const { scope, name } of past) yield* run('DELETE FROM counters WHERE tenant = ? AND scope = ? AND name = ?', tenant, scope, name);
  return { counted: past.length, touched: past.length };
}

export function* sweepUsedOnce(at: number): Verb<void> {
  yield* run('DELETE FROM used_once WHERE expires_at <= ?', at);
}
