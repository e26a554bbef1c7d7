import { type Label, rank } from '../../../policies/index.ts';
import type { Settlement, SettlementAnswer } from '../store.ts';
import { one, run, signal, together, type Verb } from '../verb.ts';
import { endSession, recordOf } from './end-session.ts';
import { raiseLabel } from './lineages.ts';
import { appendAfter } from './records.ts';
import { isLineLive, type Standing } from './session-rows.ts';
import { readSessionRow } from './sessions.ts';
import { taskState } from './task-state.ts';

/** Writes down how a dispatch ended, raises the lineage's label, and says whether the result may still be released. */
export function* settle(settlement: Settlement): Verb<SettlementAnswer> {
  const { tenant, session, at } = settlement;
  const [state, approval] = yield* together(taskState(tenant, session), settleDispatch(settlement));
  if (!state) throw new Error('a settlement of a session that does not exist');
  const { line, lineage, head } = state;
  // Too late to count, yet what came back belongs on the record, as an attempt that lost.
  if (approval === undefined) {
    const recordIndex = yield* appendAfter(head, tenant, { ...settlement.record, code: 'fenced' });
    return { release: 'fenced', label: lineage.label, recordIndex };
  }
  const release = releaseOf(line, settlement.label, at);
  const [label, recordIndex] = yield* together(
    settlement.label ? raiseLabel(tenant, lineage, settlement.label) : unchanged(lineage.label),
    appendAfter(head, tenant, settlement.record),
    keepOutcome(settlement, approval, release === 'yes'),
  );
  if (release === 'over_ceiling') yield* suspend(tenant, session, at);
  return { release, label, recordIndex };
}

// biome-ignore lint/correctness/useYield: it stands where a verb is asked for.
function* unchanged(label: Label): Verb<Label> {
  return label;
}

/** The approval it ran under, null for none; undefined when another attempt or the sweep had settled it. */
function* settleDispatch({ tenant, session, dispatch, fence, outcome, at }: Settlement): Verb<string | null | undefined> {
  const settled = yield* one<{ approval: string | null }>(
    `UPDATE dispatches SET status = ?, settled_at = ? WHERE tenant = ? AND id = ? AND session = ? AND fence = ? AND status = 'dispatched' RETURNING approval`,
    outcome,
    at,
    tenant,
    dispatch,
    session,
    fence,
  );
  return settled?.approval;
}

function releaseOf(line: readonly Standing[], learned: Label | null, at: number): SettlementAnswer['release'] {
  if (!isLineLive(line, at)) return 'session_ended';
  return learned && line.some(({ ceiling }) => rank(learned.sensitivity) > rank(ceiling)) ? 'over_ceiling' : 'yes';
}

/** The sealed outcome is kept for a replay only while its approval has not expired, and never when it was withheld. */
function* keepOutcome({ tenant, dispatch, outcome, approvalOutcome, taskOutcome, at }: Settlement, approval: string | null, released: boolean): Verb<void> {
  if (taskOutcome && released) {
    const kept = 'tenant = ? AND id = ? AND kept_until > ? AND cancelled_at IS NULL';
    yield* run(`UPDATE dispatches SET sealed_outcome = ? WHERE ${kept}`, taskOutcome, tenant, dispatch, at);
  }
  if (taskOutcome) yield* signal('call', tenant, dispatch);
  if (approval === null) return;
  const sealed = released && approvalOutcome?.approval === approval ? approvalOutcome.sealed : null;
  yield* run(
    `UPDATE approvals SET outcome = ?, sealed_outcome = CASE WHEN expires_at > ? THEN ? ELSE sealed_outcome END WHERE tenant = ? AND id = ? AND dispatch = ?`,
    outcome,
    at,
    sealed,
    tenant,
    approval,
    dispatch,
  );
  yield* signal('approval', tenant, approval);
}

function* suspend(tenant: string, id: string, at: number): Verb<void> {
  const session = yield* readSessionRow(tenant, id);
  const how = { status: 'suspended', reason: 'over_ceiling' } as const;
  if (session) yield* endSession(tenant, id, how, at, recordOf(session, how, at, 'taskgate'));
}
