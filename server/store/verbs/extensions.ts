import type { Extension } from '../store.ts';
import { run, signal, Undo, type Verb } from '../verb.ts';
import { appendRecord } from './records.ts';
import { isLineLive } from './session-rows.ts';
import { taskState } from './task-state.ts';

/** Takes the approval and changes the session, once and together, if all that was looked at still stands; false when something of it moved. */
export function* extendSession({ tenant, session, approval, before, next, revision, labelVersion, at, record }: Extension): Verb<boolean> {
  const [state] = yield* taskState(tenant, session);
  if (!state || !isLineLive(state.line, at) || state.revision !== revision || state.lineage.version !== labelVersion) return false;
  const taken = yield* run(
    `UPDATE approvals SET status = 'used', outcome = 'completed'
     WHERE tenant = ? AND id = ? AND session = ? AND digest = ? AND status = 'approved' AND expires_at > ?`,
    tenant,
    approval.id,
    session,
    approval.digest,
    at,
  );
  if (taken === 0) return false;
  const moved = yield* run(
    'UPDATE sessions SET expires_at = ?, budget = ?, grants = ? WHERE tenant = ? AND id = ? AND expires_at = ? AND budget = ? AND grants = ?',
    next.expiresAt,
    JSON.stringify(next.budget),
    JSON.stringify(next.grants),
    tenant,
    session,
    before.expiresAt,
    JSON.stringify(before.budget),
    JSON.stringify(before.grants),
  );
  if (moved === 0) throw new Undo(false);
  yield* appendRecord(tenant, record);
  yield* signal('approval', tenant, approval.id);
  yield* signal('session', tenant, session);
  return true;
}
