import type { DecisionRow, DispatchRow, Rung } from '../store.ts';
import { all, type Verb } from '../verb.ts';

/** What people look at: the calls of a task, the decisions of a tenant. Bounded, newest first. */

export function* listDispatches(tenant: string, session: string, limit: number): Verb<DispatchRow[]> {
  const found = yield* all<{
    id: string;
    tool: string;
    status: DispatchRow['status'];
    approval: string | null;
    dispatched_at: number;
    settled_at: number | null;
  }>(
    `SELECT id, tool, status, approval, dispatched_at, settled_at FROM dispatches WHERE tenant = ? AND session = ?
     ORDER BY dispatched_at DESC, fence DESC LIMIT ?`,
    tenant,
    session,
    limit,
  );
  return found.map(({ id, tool, status, approval, dispatched_at: dispatchedAt, settled_at: settledAt }) => ({
    id,
    tool,
    status,
    approval,
    dispatchedAt,
    settledAt,
  }));
}

interface DecisionColumns {
  readonly approval: string;
  readonly person: string;
  readonly name: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
  readonly tool: string;
  readonly agent: string;
  readonly session: string;
  readonly created_at: number;
  readonly shown_at: number | null;
  readonly rung: Rung | null;
}

export function* listDecisions(tenant: string, since: number, limit: number): Verb<DecisionRow[]> {
  const found = yield* all<DecisionColumns>(
    `SELECT v.approval, v.person, v.name, v.decision, v.reason, v.at, a.tool, a.agent, a.session, a.created_at, a.rung, w.shown_at
     FROM votes v JOIN approvals a ON a.tenant = v.tenant AND a.id = v.approval
     LEFT JOIN approval_views w ON w.tenant = v.tenant AND w.approval = v.approval AND w.person = v.person
     WHERE v.tenant = ? AND v.at >= ? ORDER BY v.at DESC, v.approval DESC LIMIT ?`,
    tenant,
    since,
    limit,
  );
  return found.map(({ created_at: askedAt, shown_at: shownAt, ...rest }) => ({ ...rest, askedAt, shownAt }));
}
