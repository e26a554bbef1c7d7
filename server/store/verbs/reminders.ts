import { parseRequirement } from '../../../policies/index.ts';
import { reminderDue } from '../../approvals/reminder-due.ts';
import { askedNow } from '../../approvals/stages.ts';
import type { ApprovalRow } from '../store.ts';
import { all, run, signal, type Verb } from '../verb.ts';
import { type ApprovalColumns, approvalColumns, approvalOf } from './approval-rows.ts';
import { aboutApproval } from './approvals.ts';
import { tellOfApproval } from './notifications.ts';
import { appendRecord } from './records.ts';
import type { Swept } from './sweep.ts';

/** Writes down, once each, that a decision is late and whom to tell; what was missed meanwhile is told as the latest of it. */
export function* sweepReminders(tenant: string, at: number, most: number): Verb<Swept> {
  const due = yield* all<ApprovalColumns>(
    `SELECT ${approvalColumns} FROM approvals WHERE tenant = ? AND status = 'pending' AND remind_at <= ? AND expires_at > ? ORDER BY remind_at LIMIT ?`,
    tenant,
    at,
    at,
    most,
  );
  for (const columns of due) {
    const row = yield* approvalOf(columns);
    let told = 1;
    while ((reminderDue(row, told) ?? Number.POSITIVE_INFINITY) <= at) told += 1;
    const next = reminderDue(row, told);
    yield* run('UPDATE approvals SET reminded = ?, remind_at = ? WHERE tenant = ? AND id = ?', told, next, tenant, row.id);
    const open = askedNow(row);
    const escalated = next === null;
    const to = [...new Set([...open.flatMap(addressee), ...(escalated ? beyond(row) : [])])];
    const type = escalated ? 'approval.escalated' : 'approval.reminded';
    yield* appendRecord(tenant, {
      ...aboutApproval(type, columns, at),
      requirements: open,
      to,
      detail: `${told} of 4 quarters of its time have passed`,
      expires_at: row.expiresAt,
    });
    yield* tellOfApproval(type, row, at, to);
    yield* signal('approval', tenant, row.id);
  }
  return { counted: due.length, touched: due.length };
}

function addressee(literal: string): string[] {
  const asked = parseRequirement(literal);
  if (asked?.kind === 'approval') return [`group:${asked.group}`];
  return asked?.kind === 'confirm' ? ['sponsor'] : [];
}

const beyond = ({ terms }: ApprovalRow): string[] => (terms.escalateTo.length === 0 ? ['role:admin'] : terms.escalateTo.map((group) => `group:${group}`));
