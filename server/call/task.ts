import { openProposal } from '../approvals/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, TaskRow } from '../store/store.ts';
import { brokerCall } from './broker-call.ts';
import type { Attempt, CallAnswer, CallIo, CallRequest } from './call.ts';
import type { Session } from './enter-session.ts';
import { recordWayOut } from './record-way-out.ts';
import { refuse } from './refusals.ts';
import { replayTask } from './replay-outcome.ts';

/**
 * A call whose client comes back for its outcome. Nothing is kept for it but what the call has anyway: the approval it waits for, or
 * its dispatch. Whoever asks on whichever replica finds the same; what was approved runs by the call path, once.
 */

export interface TaskName {
  readonly kind: 'approval' | 'dispatch';
  readonly id: string;
}
export interface TaskState {
  readonly name: TaskName;
  readonly tool: string;
  /** `due`: its answer can be had with `runTask`, which runs what was approved and has not run. */
  readonly status: 'waiting' | 'running' | 'due' | 'cancelled';
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
}

/** Shortest that an outcome is kept for a call nobody was asked about, in milliseconds. */
const keptMs = 3_600_000;
/** How many edits and new askings may have followed one another. */
const longestLine = 20;
const mostListed = 100;

type Needs = Pick<Ports, 'store' | 'clock'>;

/** What may be asked for after a call has begun; null when it has ended meanwhile. */
export async function keepTask(ports: Needs, { row }: Session, { dispatch, approval, lostAt }: Attempt): Promise<TaskName | null> {
  if (approval !== null) return { kind: 'approval', id: approval };
  const until = Math.min(Math.max(ports.clock(), lostAt) + keptMs, row.expiresAt);
  return (await ports.store.keepDispatch(row.tenant, row.id, dispatch, until)) ? { kind: 'dispatch', id: dispatch } : null;
}

/** How it stands; null for another session's, for one that is not there and for one past its time. */
export async function lookAtTask(ports: Needs, session: Session, name: TaskName): Promise<TaskState | null> {
  const { tenant, id } = session.row;
  if (name.kind === 'approval') {
    const row = await standingRow(ports, session, name.id);
    return row && ofApproval(ports, name, row);
  }
  const row = await ports.store.readDispatch(tenant, name.id);
  return row && row.session === id && (row.keptUntil ?? 0) > ports.clock() ? ofDispatch(row) : null;
}

/** The tasks of a session, youngest first. */
export async function listTasks(ports: Needs, session: Session): Promise<readonly TaskState[]> {
  const { tenant, id } = session.row;
  const at = ports.clock();
  const approvals = await ports.store.listApprovals(tenant, { session: id }, { after: null, limit: mostListed });
  const open = approvals.filter((row) => row.expiresAt > at && row.supersededBy === null && canBeTask(session, row));
  const waiting = await Promise.all(open.map((row) => ofApproval(ports, { kind: 'approval', id: row.id }, row)));
  const kept = (await ports.store.listTasks(tenant, id, at, mostListed)).map(ofDispatch);
  return [...waiting, ...kept].sort((one, other) => other.createdAt - one.createdAt);
}

/** The answer of a task that is due: what was approved runs now, what has run is told again. */
export async function runTask(ports: Ports, session: Session, name: TaskName, io: CallIo): Promise<CallAnswer> {
  const { tenant } = session.row;
  if (name.kind === 'approval') {
    const row = await standingRow(ports, session, name.id);
    if (row && row.status !== 'revoked') return brokerCall(ports, session, requestOf(ports, row), io);
    const withdrawn = refuse('approval.denied', 'The approval was revoked before the call ran.');
    return recordWayOut(ports, session.caller, { tool: row?.tool ?? '' }, ports.newId('dec'), async () => withdrawn);
  }
  const row = await ports.store.readDispatch(tenant, name.id);
  const decision = ports.newId('dec');
  return recordWayOut(ports, session.caller, { tool: row?.tool ?? '' }, decision, async () =>
    row ? replayTask(ports, session.row, row, decision) : refuse('approval.unknown', 'There is no such task.'),
  );
}

/** Ends the waiting, or what runs. `over`: it had come to its end before. */
export async function cancelTask(ports: Needs, session: Session, name: TaskName): Promise<'cancelled' | 'over' | null> {
  const { tenant, id, agent } = session.row;
  // What it was when it was looked at may have changed when it is closed; then it is looked at again.
  for (;;) {
    const state = await lookAtTask(ports, session, name);
    if (state === null) return null;
    const at = ports.clock();
    const record = { at, tenant, session: id, agent, actor: session.caller.agent, tool: state.tool };
    const row = state.name.kind === 'approval' ? await ports.store.readApproval(tenant, state.name.id) : null;
    if (row && (row.status === 'pending' || row.status === 'approved')) {
      const about = { ...record, approval: row.id, proposal_sha256: row.digest, code: 'client' };
      if (await ports.store.closeApproval(tenant, row.id, 'cancelled', at, { ...about, type: 'approval.cancelled' })) return 'cancelled';
      continue;
    }
    if (state.status !== 'running') return 'over';
    const dispatch = row ? row.dispatch : state.name.id;
    if (dispatch === null) return 'over';
    if (await ports.store.cancelDispatch(tenant, id, dispatch, at, { ...record, type: 'call.cancelled', dispatch })) return 'cancelled';
  }
}

/** The approval that stands for the call now: an edit takes the place of what it narrows, and what is asked anew of what has lapsed. */
async function standingRow(ports: Needs, session: Session, approval: string): Promise<ApprovalRow | null> {
  const { tenant, id } = session.row;
  const at = ports.clock();
  let row = await ports.store.readApproval(tenant, approval);
  for (let step = 0; row && row.status === 'superseded' && step < longestLine; step++) {
    const next: ApprovalRow | null =
      row.supersededBy === null ? await ports.store.findApproval(tenant, row.callKey, at) : await ports.store.readApproval(tenant, row.supersededBy);
    if (!next) break;
    row = next;
  }
  return row && row.session === id && row.expiresAt > at && canBeTask(session, row) ? row : null;
}

/**
 * What people are asked about a task itself names a tool of Taskgate's own, whose names carry no `__`: there is no call behind it. Of calls,
 * MCP has those of tools alone be tasks.
 */
const canBeTask = ({ tenant }: Session, { tool }: ApprovalRow): boolean => tool.includes('__') && (tenant.tools.get(tool)?.kind ?? 'tool') === 'tool';

async function ofApproval(ports: Needs, name: TaskName, row: ApprovalRow): Promise<TaskState> {
  const dispatch = row.dispatch === null ? null : await ports.store.readDispatch(row.tenant, row.dispatch);
  const updatedAt = dispatch ? (dispatch.cancelledAt ?? dispatch.settledAt ?? dispatch.dispatchedAt) : (row.decidedAt ?? row.createdAt);
  const about = { name: { ...name, id: row.id }, tool: row.tool, createdAt: row.createdAt, updatedAt, expiresAt: row.expiresAt };
  if (row.status === 'pending') return { ...about, status: 'waiting' };
  if (row.status === 'cancelled' || dispatch?.cancelledAt) return { ...about, status: 'cancelled' };
  return { ...about, status: row.status === 'used' && row.outcome === null ? 'running' : 'due' };
}

function ofDispatch(row: TaskRow): TaskState {
  const status = row.cancelledAt !== null ? 'cancelled' : row.status === 'dispatched' ? 'running' : 'due';
  const updatedAt = row.cancelledAt ?? row.settledAt ?? row.dispatchedAt;
  return { name: { kind: 'dispatch', id: row.id }, tool: row.tool, status, createdAt: row.dispatchedAt, updatedAt, expiresAt: row.keptUntil ?? 0 };
}

/** The agent's own call: what an edit narrowed stays what is asked again. */
function requestOf(ports: Pick<Ports, 'keys' | 'clock'>, row: ApprovalRow): CallRequest {
  const { tool, arguments: decided, edited } = openProposal(ports, row);
  return { kind: 'tool', tool, arguments: edited?.asked ?? decided, nonce: row.nonce, resumes: row.id, traceparent: null };
}
