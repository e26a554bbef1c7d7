import type { NewEpoch, StoreState } from '../store.ts';
import { all, enter, one, run, signal, together, Undo, type Verb } from '../verb.ts';
import { type ApprovalColumns, approvalColumns } from './approval-rows.ts';
import { aboutApproval } from './approvals.ts';
import { aboutChange, type ChangeColumns, changeColumns } from './changes.ts';
import { listTenants } from './configuration.ts';
import { endAllDelegations } from './delegations.ts';
import { cutOffBreakGlass } from './end-break-glass.ts';
import { recordOf } from './end-session.ts';
import { unconfirmPasskeys } from './passkeys.ts';
import { appendRecord } from './records.ts';
import { type SessionColumns, sessionColumns, sessionOf } from './session-rows.ts';
import { revokeAllStanding } from './standing-approvals.ts';
import { inFlight, type Lost, loseDispatches } from './sweep.ts';

export function* readState(): Verb<StoreState> {
  const [meta, heads] = yield* together(
    one<{ store: string; epoch: number; epoch_at: number }>('SELECT store, epoch, epoch_at FROM meta'),
    all<{ tenant: string; next: number; hash: string }>('SELECT tenant, next, hash FROM chain_heads WHERE next > 0 ORDER BY tenant'),
  );
  if (!meta) throw new Error('the store lost its own description');
  return {
    store: meta.store,
    epoch: meta.epoch,
    epochAt: meta.epoch_at,
    heads: heads.map(({ tenant, next, hash }) => ({ tenant: tenant === '' ? null : tenant, index: next - 1, hash })),
  };
}

/** All tenants or none; of two who raise the same epoch one does it. */
export function* startEpoch(change: NewEpoch, tenants: readonly string[]): Verb<boolean> {
  const raised = yield* run('UPDATE meta SET epoch = ?, epoch_at = ? WHERE epoch = ?', change.next, change.at, change.found);
  if (raised === 0) throw new Undo(false);
  yield* appendRecord(null, change.recordFor(null));
  for (const tenant of tenants) {
    yield* enter(tenant);
    yield* appendRecord(tenant, change.recordFor(tenant));
    yield* cutOff(tenant, change);
  }
  return true;
}

/** `startEpoch` on a store that nobody else sees yet. Answers how it then stands. */
export function* startFirstEpoch(change: NewEpoch): Verb<StoreState> {
  const tenants = yield* listTenants();
  yield* startEpoch(
    change,
    tenants.map(({ tenant }) => tenant),
  );
  return yield* readState();
}

function* cutOff(tenant: string, { at, reason }: NewEpoch): Verb<void> {
  yield* cutOffBreakGlass(tenant, at, reason);
  yield* endAllDelegations(tenant, at, reason);
  const sessions = yield* all<SessionColumns>(
    `UPDATE sessions SET status = 'revoked', end_reason = ?, ended_at = ? WHERE tenant = ? AND status IN ('active', 'suspended') RETURNING ${sessionColumns}`,
    reason,
    at,
    tenant,
  );
  for (const session of sessions.map(sessionOf)) {
    yield* signal('session', tenant, session.id);
    yield* appendRecord(tenant, recordOf(session, { status: 'revoked', reason }, at, 'taskgate'));
  }

  const approvals = yield* all<ApprovalColumns>(
    `UPDATE approvals SET status = 'cancelled', decided_at = coalesce(decided_at, ?)
     WHERE tenant = ? AND status IN ('pending', 'approved') RETURNING ${approvalColumns}`,
    at,
    tenant,
  );
  for (const approval of approvals) yield* appendRecord(tenant, { ...aboutApproval('approval.cancelled', approval, at), code: reason });

  // What was rejected since would wait again.
  const changes = yield* all<ChangeColumns>(
    `UPDATE changes SET status = 'superseded', decided_at = ?, payload = ? WHERE tenant = ? AND status = 'pending' RETURNING ${changeColumns}`,
    at,
    new Uint8Array(),
    tenant,
  );
  for (const change of changes) yield* appendRecord(tenant, { ...aboutChange('change.superseded', change, at), code: reason });

  yield* revokeAllStanding(tenant, at, reason);

  yield* loseDispatches(yield* all<Lost>(inFlight, tenant), at, reason);

  // One that was revoked since would open sessions again.
  const tokens = yield* all<{ agent: string; hash: string }>(
    'UPDATE agent_tokens SET revoked = 1 WHERE tenant = ? AND revoked = 0 RETURNING agent, hash',
    tenant,
  );
  for (const { agent, hash } of tokens)
    yield* appendRecord(tenant, { type: 'agent.token_revoked', at, tenant, agent, actor: 'taskgate', code: reason, detail: hash });

  yield* unconfirmPasskeys(tenant, at, reason);
}
