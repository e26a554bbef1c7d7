import type { RecordBody } from '../../audit/record.ts';
import type { SessionRow, SessionStatus } from '../store.ts';
import { run, signal, type Verb } from '../verb.ts';
import { closeApprovalsOf } from './approvals.ts';
import { notify } from './notifications.ts';
import { appendRecord } from './records.ts';
import { descendantsOf, isLive } from './session-rows.ts';

export interface Ending {
  readonly status: Exclude<SessionStatus, 'active'>;
  readonly reason: string;
}

/** A suspended session can still be ended; nothing that was ended comes back. */
const mayBecome = (session: Pick<SessionRow, 'status' | 'expiresAt'>, status: Ending['status'], at: number): boolean =>
  isLive({ status: session.status, expires_at: session.expiresAt }, at) || (session.status === 'suspended' && status !== 'suspended' && session.expiresAt > at);

/** Ends the session with all that draws on it; each leaves a record, and what waited for a human in any of them is cancelled. */
export function* endSession(tenant: string, id: string, how: Ending, at: number, record: RecordBody): Verb<boolean> {
  const [session, ...descendants] = yield* descendantsOf(tenant, id);
  if (!session || !mayBecome(session, how.status, at)) return false;
  yield* end(session, how, at, record);
  for (const one of descendants) {
    if (mayBecome(one, how.status, at)) yield* end(one, how, at, recordOf(one, how, at, record.actor ?? 'taskgate'));
  }
  return true;
}

function* end(session: SessionRow, how: Ending, at: number, record: RecordBody): Verb<void> {
  yield* run(
    'UPDATE sessions SET status = ?, end_reason = ?, ended_at = ? WHERE tenant = ? AND id = ?',
    how.status,
    how.reason,
    // A suspended session has not ended: its context may go on.
    how.status === 'suspended' ? null : at,
    session.tenant,
    session.id,
  );
  yield* signal('session', session.tenant, session.id);
  yield* appendRecord(session.tenant, record);
  yield* closeApprovalsOf(session, at);
  if (how.status === 'ended') return;
  const { tenant, id, agent, useCase } = session;
  yield* notify(tenant, { type: `session.${how.status}`, at, about: id, facts: { session: id, agent, use_case: useCase } });
}

/** The record of a session that was ended because of another, or by Taskgate itself. */
export function recordOf(session: SessionRow, how: Ending, at: number, actor: string): RecordBody {
  return {
    type: `session.${how.status}`,
    at,
    tenant: session.tenant,
    session: session.id,
    agent: session.agent,
    sponsor: session.sponsor,
    actor,
    use_case: session.useCase,
    code: how.reason,
    ...(session.parent === null ? {} : { parent: session.parent }),
  };
}
