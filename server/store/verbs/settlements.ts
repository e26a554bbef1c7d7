import { type Label, rank } from '../../../policies/index.ts';
import type { Settlement, SettlementAnswer } from '../store.ts';
import { type Query, run, signal, type Verb } from '../verb.ts';
import { endSession, recordOf } from './end-session.ts';
import { raising } from './lineages.ts';
import { appendAfter, appending } from './records.ts';
import { isLineLive, type Standing } from './session-rows.ts';
import { readSessionRow } from './sessions.ts';
import { taskState } from './task-state.ts';

/** Writes down how a dispatch ended, raises the lineage's label, and says whether the result may still be released. */
export function* settle(settlement: Settlement): Verb<SettlementAnswer> {
  const { tenant, session, at } = settlement;
  const [state, settled] = yield* taskState(tenant, session, settling(settlement));
  if (!state) throw new Error('a settlement of a session that does not exist');
  const { line, lineage, head } = state;
  // Too late to count, yet what came back belongs on the record, as an attempt that lost: another attempt or the sweep had settled it.
  if (settled === undefined) {
    const recordIndex = yield* appendAfter(head, tenant, { ...settlement.record, code: 'fenced' });
    return { release: 'fenced', label: lineage.label, recordIndex };
  }
  const release = releaseOf(line, settlement.label, at);
  const { label, queries } = settlement.label ? raising(tenant, lineage, settlement.label) : { label: lineage.label, queries: [] };
  yield [...queries, ...appending(head, tenant, settlement.record)];
  const { approval } = settled as { readonly approval: string | null };
  if (approval !== null || settlement.taskOutcome) yield* keepOutcome(settlement, approval, release === 'yes');
  if (release === 'over_ceiling') yield* suspend(tenant, session, at);
  return { release, label, recordIndex: head.next };
}

/** Finds the approval it ran under, null for none; no row when it had been settled. */
function settling({ tenant, session, dispatch, fence, outcome, at }: Settlement): Query {
  return {
    want: 'one',
    text: `UPDATE dispatches SET status = ?, settled_at = ? WHERE tenant = ? AND id = ? AND session = ? AND fence = ? AND status = 'dispatched' RETURNING approval`,
    values: [outcome, at, tenant, dispatch, session, fence],
  };
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
