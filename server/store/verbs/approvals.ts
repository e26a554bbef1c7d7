import { reminderDue } from '../../approvals/reminder-due.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { ApprovalRow, ApprovalStatus, NewApproval, Page, PendingLimits, SessionRow } from '../store.ts';
import { all, one, run, signal, together, type Verb } from '../verb.ts';
import { type ApprovalColumns, approvalColumns, approvalOf, readApproval } from './approval-rows.ts';
import { tellOfApproval } from './notifications.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';

/** What a retry of the call may come back to: the youngest that is still open, was refused, or has run, until it expires. */
export function* findApproval(tenant: string, callKey: string, at: number): Verb<ApprovalRow | null> {
  const found = yield* one<ApprovalColumns>(
    `SELECT ${approvalColumns} FROM approvals
     WHERE tenant = ? AND call_key = ? AND status IN ('pending', 'approved', 'denied', 'used') AND expires_at > ?
     ORDER BY created_at DESC, id DESC LIMIT 1`,
    tenant,
    callKey,
    at,
  );
  return found ? yield* approvalOf(found) : null;
}

export function* listApprovals(
  tenant: string,
  filter: { status?: ApprovalStatus; session?: string; tool?: string },
  page: Page,
  now: number,
): Verb<ApprovalRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['status = ?', filter.status],
    // Past its expiry it can no longer be given, though the sweep has not been there yet.
    ['expires_at > ?', filter.status === 'pending' || filter.status === 'approved' ? now : undefined],
    ['session = ?', filter.session],
    ['tool = ?', filter.tool],
  ]);
  const [after, from] =
    page.after === null ? ['', []] : ['AND (created_at, id) < (SELECT created_at, id FROM approvals WHERE tenant = ? AND id = ?)', [tenant, page.after]];
  const found = yield* all<ApprovalColumns>(
    `SELECT ${approvalColumns} FROM approvals WHERE ${text} ${after} ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return yield* together(...found.map(approvalOf));
}

type Opened = { approval: ApprovalRow; created: boolean } | { refused: 'too_many_pending' | 'session_not_live' };

export function* openApproval(approval: NewApproval, limits: PendingLimits, record: RecordBody): Verb<Opened> {
  const { tenant, createdAt } = approval;
  const line = yield* lineOf(tenant, approval.session);
  if (!isLineLive(line, createdAt)) return { refused: 'session_not_live' };
  const standing = yield* findApproval(tenant, approval.callKey, createdAt);
  if (standing) return { approval: standing, created: false };
  const waiting = yield* together(countWaiting(approval, 'session'), countWaiting(approval, 'agent'), countWaiting(approval, 'tenant'));
  const [inSession, ofAgent, ofTenant] = waiting;
  if (inSession >= limits.session || ofAgent >= limits.agent || ofTenant >= limits.tenant) return { refused: 'too_many_pending' };

  yield* insertApproval(approval, null);
  yield* signal('approval', tenant, approval.id);
  yield* appendRecord(tenant, record);
  yield* tellOfApproval('approval.requested', approval, createdAt);
  const opened = yield* readApproval(tenant, approval.id);
  if (!opened) throw new Error('the approval that was just opened is not there');
  return { approval: opened, created: true };
}

function* countWaiting(approval: NewApproval, column: keyof PendingLimits): Verb<number> {
  const counted = yield* one<{ waiting: number }>(
    `SELECT count(*) AS waiting FROM approvals WHERE tenant = ? AND ${column} = ? AND status = 'pending' AND expires_at > ?`,
    approval.tenant,
    approval[column],
    approval.createdAt,
  );
  return counted?.waiting ?? 0;
}

export function* insertApproval(approval: NewApproval, editedFrom: string | null): Verb<void> {
  yield* run(
    `INSERT INTO approvals
       (tenant, id, session, agent, tool, call_key, nonce, digest, proposal, requirements, excluded, terms, edited_from, status, created_at, expires_at, remind_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)`,
    approval.tenant,
    approval.id,
    approval.session,
    approval.agent,
    approval.tool,
    approval.callKey,
    approval.nonce,
    approval.digest,
    approval.proposal,
    JSON.stringify(approval.requirements),
    JSON.stringify(approval.excluded),
    JSON.stringify(approval.terms),
    editedFrom,
    approval.createdAt,
    approval.expiresAt,
    reminderDue(approval, 0),
  );
}

/** False when it was neither pending nor approved any more: something else had settled it, and that stands. */
export function* closeApproval(tenant: string, id: string, status: 'cancelled' | 'superseded' | 'revoked', at: number, record: RecordBody): Verb<boolean> {
  const closed = yield* run(
    `UPDATE approvals SET status = ?, decided_at = coalesce(decided_at, ?) WHERE tenant = ? AND id = ? AND status IN ('pending', 'approved')`,
    status,
    at,
    tenant,
    id,
  );
  if (closed === 0) return false;
  yield* signal('approval', tenant, id);
  yield* appendRecord(tenant, record);
  return true;
}

/** Cancels what still waits in a session that has come to its end. */
export function* closeApprovalsOf(session: Pick<SessionRow, 'tenant' | 'id'>, at: number): Verb<void> {
  const open = yield* all<ApprovalColumns>(
    `SELECT ${approvalColumns} FROM approvals WHERE tenant = ? AND session = ? AND status IN ('pending', 'approved') ORDER BY created_at, id`,
    session.tenant,
    session.id,
  );
  for (const one of open) yield* closeApproval(one.tenant, one.id, 'cancelled', at, { ...aboutApproval('approval.cancelled', one, at), code: 'session_ended' });
}

/** The record of an approval that Taskgate itself settles. */
export function aboutApproval(
  type: RecordBody['type'],
  one: Pick<ApprovalColumns, 'tenant' | 'session' | 'agent' | 'tool' | 'id' | 'digest'>,
  at: number,
): RecordBody {
  return {
    type,
    at,
    tenant: one.tenant,
    session: one.session,
    agent: one.agent,
    actor: 'taskgate',
    tool: one.tool,
    approval: one.id,
    proposal_sha256: one.digest,
  };
}
