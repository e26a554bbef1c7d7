import type { ClaimAnswer, ClaimRequest } from '../store.ts';
import { ask, type Query, run, runs, signal, together, Undo, type Verb } from '../verb.ts';
import { takeBreakGlass } from './break-glass.ts';
import { draw } from './counters.ts';
import { appending } from './records.ts';
import { isLineLive } from './session-rows.ts';
import { takeStanding } from './standing-approvals.ts';
import { taskState } from './task-state.ts';

/**
 * Check and act in one step (DESIGN §2, rule 5): all that the call was judged on still holds, or nothing is taken. The order is
 * from what is only read to what is taken, and a refusal after a taking takes it back.
 */
export function* claim(request: ClaimRequest): Verb<ClaimAnswer> {
  const { tenant, at } = request;
  const [state] = yield* taskState(tenant, request.session);
  if (!state || !isLineLive(state.line, at)) return { claimed: false, why: 'session' };
  if (state.revision !== request.revision) return { claimed: false, why: 'revision' };
  if (state.lineage.version !== request.labelVersion) return { claimed: false, why: 'labels' };

  // Where its record comes to stand: a later attempt always has a higher one.
  const fence = state.head.next;
  // The record is written before its answers are read; a refusal takes it back with the rest.
  const draws = request.draws.map((one) => draw(tenant, one));
  const taking = ask(insertDispatch(request, fence), ...appending(state.head, tenant, { ...request.record, fence }), ...draws);
  const [approved, [, , , ...drawn]] = request.approval ? yield* together(takeApproval(request, request.approval), taking) : ([true, yield* taking] as const);
  for (const one of request.standing ?? [])
    if (!(yield* takeStanding(tenant, one, at))) throw new Undo({ claimed: false, why: 'standing' } satisfies ClaimAnswer);
  if (!approved) throw new Undo({ claimed: false, why: 'approval' } satisfies ClaimAnswer);
  if (request.breakGlass != null && !(yield* takeBreakGlass(tenant, request.session, request.tool, request.breakGlass, at)))
    throw new Undo({ claimed: false, why: 'break_glass' } satisfies ClaimAnswer);
  const short = request.draws.find(({ amount, limit }, index) => amount > limit || !drawn[index]);
  if (short) throw new Undo({ claimed: false, why: 'budget', draw: short } satisfies ClaimAnswer);
  return { claimed: true, fence, recordIndex: fence };
}

function insertDispatch({ tenant, dispatch, session, tool, approval, leaseUntil, at }: ClaimRequest, fence: number): Query {
  return runs(
    `INSERT INTO dispatches (tenant, id, session, tool, fence, approval, status, lease_until, dispatched_at)
     VALUES (?, ?, ?, ?, ?, ?, 'dispatched', ?, ?)`,
    tenant,
    dispatch,
    session,
    tool,
    fence,
    approval?.id ?? null,
    leaseUntil,
    at,
  );
}

/** From approved to used, once: whoever comes second changes no row. */
function* takeApproval({ tenant, session, tool, dispatch, rung, at }: ClaimRequest, approval: NonNullable<ClaimRequest['approval']>): Verb<boolean> {
  const taken = yield* run(
    `UPDATE approvals SET status = 'used', dispatch = ?, rung = ?
     WHERE tenant = ? AND id = ? AND session = ? AND tool = ? AND digest = ? AND status = 'approved' AND expires_at > ?`,
    dispatch,
    rung ?? null,
    tenant,
    approval.id,
    session,
    tool,
    approval.digest,
    at,
  );
  if (taken === 0) return false;
  yield* signal('approval', tenant, approval.id);
  return true;
}
