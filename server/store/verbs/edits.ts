import type { Edit, EditAnswer } from '../store.ts';
import { run, signal, type Verb } from '../verb.ts';
import { readApproval } from './approval-rows.ts';
import { aboutApproval, insertApproval } from './approvals.ts';
import { readRevision } from './configuration.ts';
import { tellOfApproval } from './notifications.ts';
import { appendRecord } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';

/** Puts an edited proposal in the place of a pending one, under the same call key; of two edits, or an edit and the last vote, one wins. */
export function* editApproval({ original, edited, revision, actor, reason, at }: Edit): Verb<EditAnswer> {
  const { tenant } = original;
  const before = yield* readApproval(tenant, original.id);
  if (before?.status !== 'pending' || before.digest !== original.digest || before.expiresAt <= at) return { edited: false, why: 'not_pending' };
  if (!isLineLive(yield* lineOf(tenant, before.session), at)) return { edited: false, why: 'session_not_live' };
  if ((yield* readRevision(tenant)) !== revision) return { edited: false, why: 'revision' };
  const taken = yield* run(
    `UPDATE approvals SET status = 'superseded', superseded_by = ?, decided_at = ? WHERE tenant = ? AND id = ? AND status = 'pending'`,
    edited.id,
    at,
    tenant,
    original.id,
  );
  if (taken === 0) return { edited: false, why: 'not_pending' };
  yield* insertApproval(edited, original.id);
  const about = { tenant, session: before.session, agent: before.agent, tool: before.tool };
  yield* appendRecord(tenant, { ...aboutApproval('approval.superseded', { ...about, id: before.id, digest: before.digest }, at), actor, code: 'edited' });
  yield* appendRecord(tenant, {
    ...aboutApproval('approval.edited', { ...about, id: edited.id, digest: edited.digest }, at),
    ...{ actor, reason, edited_from: before.id, requirements: edited.requirements, revision, expires_at: edited.expiresAt },
  });
  yield* tellOfApproval('approval.requested', edited, at);
  yield* signal('approval', tenant, original.id);
  yield* signal('approval', tenant, edited.id);
  const opened = yield* readApproval(tenant, edited.id);
  if (!opened) throw new Error('the approval that was just edited is not there');
  return { edited: true, approval: opened };
}
