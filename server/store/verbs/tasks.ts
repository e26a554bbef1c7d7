import type { RecordBody } from '../../audit/record.ts';
import type { TaskRow } from '../store.ts';
import { all, one, run, signal, type Verb } from '../verb.ts';
import { appendRecord } from './records.ts';

/** Dispatches that are asked for as tasks. What waits for a human is asked for by its approval. */

interface TaskColumns {
  readonly id: string;
  readonly session: string;
  readonly tool: string;
  readonly status: TaskRow['status'];
  readonly approval: string | null;
  readonly dispatched_at: number;
  readonly settled_at: number | null;
  readonly kept_until: number | null;
  readonly cancelled_at: number | null;
  readonly sealed_outcome: Uint8Array | null;
}
const columns = 'id, session, tool, status, approval, dispatched_at, settled_at, kept_until, cancelled_at, sealed_outcome';

const taskOf = (row: TaskColumns): TaskRow => ({
  ...{ id: row.id, session: row.session, tool: row.tool, status: row.status, approval: row.approval },
  ...{ dispatchedAt: row.dispatched_at, settledAt: row.settled_at, keptUntil: row.kept_until, cancelledAt: row.cancelled_at },
  sealedOutcome: row.sealed_outcome,
});

export function* readDispatch(tenant: string, id: string): Verb<TaskRow | null> {
  const found = yield* one<TaskColumns>(`SELECT ${columns} FROM dispatches WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? taskOf(found) : null;
}

/** Those of a session that answer as tasks, youngest first. */
export function* listTasks(tenant: string, session: string, at: number, limit: number): Verb<TaskRow[]> {
  const found = yield* all<TaskColumns>(
    `SELECT ${columns} FROM dispatches WHERE tenant = ? AND session = ? AND kept_until > ? ORDER BY dispatched_at DESC, fence DESC LIMIT ?`,
    tenant,
    session,
    at,
    limit,
  );
  return found.map(taskOf);
}

/** From here on it answers as a task. False when it has ended already: whoever made the call is told in person. */
export function* keepDispatch(tenant: string, session: string, id: string, until: number): Verb<boolean> {
  const kept = yield* run(
    `UPDATE dispatches SET kept_until = ? WHERE tenant = ? AND id = ? AND session = ? AND status = 'dispatched'`,
    until,
    tenant,
    id,
    session,
  );
  return kept > 0;
}

/** Guarded: only while it runs. Whoever runs it hears of it; its outcome is settled and recorded as ever, and told to nobody. */
export function* cancelDispatch(tenant: string, session: string, id: string, at: number, record: RecordBody): Verb<boolean> {
  const cancelled = yield* run(
    `UPDATE dispatches SET cancelled_at = ? WHERE tenant = ? AND id = ? AND session = ? AND status = 'dispatched' AND cancelled_at IS NULL`,
    at,
    tenant,
    id,
    session,
  );
  if (cancelled === 0) return false;
  yield* signal('call', tenant, id);
  yield* appendRecord(tenant, record);
  return true;
}

/** Forgets the outcomes nobody may ask for any more. */
export function* sweepTasks(tenant: string, at: number, atOnce: number): Verb<{ counted: number; touched: number }> {
  const past = yield* all<{ id: string }>('SELECT id FROM dispatches WHERE tenant = ? AND kept_until <= ? ORDER BY kept_until LIMIT ?', tenant, at, atOnce);
  for (const { id } of past) yield* run('UPDATE dispatches SET kept_until = NULL, sealed_outcome = NULL WHERE tenant = ? AND id = ?', tenant, id);
  return { counted: past.length, touched: past.length };
}
