import { sameHuman } from '../approvals/excluded.ts';
import { standingOf } from '../approvals/standing.ts';
import { inTurn } from '../documents/index.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';
import { readBars, whyBarred } from './barred.ts';
import { changeDigest, type PlannedChange } from './digest.ts';
import { recordOf } from './new-change.ts';
import { openPayload } from './payload.ts';
import { type PlanPorts, planPayload } from './plan-payload.ts';
import { type ChangeRefusal, refuseChange } from './refusals.ts';

type DecidePorts = PlanPorts & Pick<Ports, 'tenants'>;
export type DecisionAnswer = { readonly ok: true; readonly change: ChangeRow } | ChangeRefusal;

const longestReason = 500;
const shortestReason = 3;
/** How often an approval is tried again because the configuration moved under it. */
const attempts = 3;

/**
 * Puts a change in force: another admin approves exactly the difference that `digest` names, at the revision it was planned on. When
 * that has moved on it is planned anew, and nothing happens until its new digest is approved. Said again, it answers the same.
 */
export const approveChange = (
  ports: DecidePorts,
  person: Person,
  request: { readonly change: string; readonly digest: string; readonly reason: string | null },
): Promise<DecisionAnswer> => inTurn(ports.store, () => approveInTurn(ports, person, request));

async function approveInTurn(ports: DecidePorts, person: Person, request: Parameters<typeof approveChange>[2]): Promise<DecisionAnswer> {
  const reason = request.reason?.trim() || null;
  if (reason !== null && reason.length > longestReason) return refuseChange('change.reason_too_long');
  for (let attempt = 0; attempt < attempts; attempt++) {
    const [snapshot, row] = await Promise.all([ports.tenants.current(person.tenant), ports.store.readChange(person.tenant, request.change)]);
    if (!snapshot || !row) return refuseChange('change.not_found');
    if (!standingOf(snapshot, person).roles.has('admin')) return refuseChange('change.not_admin');
    const barred = whyBarred(await readBars(ports, person.tenant), row, person.id);
    if (barred) return refuseChange(barred);
    if (row.digest !== request.digest) return refuseChange('change.digest_mismatch');
    if (row.status === 'applied' && row.decidedBy === person.id) return { ok: true, change: row };
    const at = ports.clock();
    if (row.status !== 'pending' || row.expiresAt <= at) return refuseChange('change.not_pending');

    const plan = await planPayload(ports, snapshot, row, openPayload(ports, row));
    if ('problems' in plan) return refuseChange('change.no_longer_holds', plan.problems);
    if (plan.planned.items.length === 0) return nothingLeft(ports, row, at);
    if (changeDigest(row, plan.planned) !== row.digest) return replan(ports, row, plan.planned, at);

    const record = { ...recordOf('change.approved', row, person.id, at), revision: row.revision, ...(reason === null ? {} : { reason }) };
    const { revision } = snapshot;
    const enacted = await plan.enact({ tenant: row.tenant, id: row.id, digest: row.digest, revision, by: person.id, reason, at, record });
    const after = enacted ? await ports.store.readChange(row.tenant, row.id) : null;
    if (after) return { ok: true, change: after };
  }
  return refuseChange('stale');
}

async function nothingLeft(ports: DecidePorts, row: ChangeRow, at: number): Promise<ChangeRefusal> {
  const record = recordOf('change.superseded', row, 'taskgate', at);
  await ports.store.settleChange(row, { status: 'superseded', by: 'taskgate', reason: null, at }, record);
  return refuseChange('change.nothing_left');
}

async function replan(ports: DecidePorts, row: ChangeRow, planned: PlannedChange, at: number): Promise<ChangeRefusal> {
  const { recorded, ...next } = planned;
  const digest = changeDigest(row, planned);
  const record = { ...recordOf('change.replanned', { ...row, digest }, 'taskgate', at), revision: planned.revision, changes: recorded };
  await ports.store.replanChange(row, { ...next, digest }, record);
  return refuseChange('change.replanned');
}

/** Takes a change back: withdrawn by who asked for it, rejected by any other admin. It only narrows, so nobody is barred from it. */
export async function rejectChange(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock'>,
  person: Person,
  request: { readonly change: string; readonly reason: string },
): Promise<DecisionAnswer> {
  const [snapshot, row] = await Promise.all([ports.tenants.current(person.tenant), ports.store.readChange(person.tenant, request.change)]);
  if (!snapshot || !row) return refuseChange('change.not_found');
  if (!standingOf(snapshot, person).roles.has('admin')) return refuseChange('change.not_admin');
  const reason = request.reason.trim();
  if (reason.length < shortestReason) return refuseChange('change.reason_required');
  if (reason.length > longestReason) return refuseChange('change.reason_too_long');
  const status = sameHuman(row.author, person.id) ? 'withdrawn' : 'rejected';
  const at = ports.clock();
  const record = { ...recordOf(`change.${status}`, row, person.id, at), reason };
  if (row.status === 'pending' && row.expiresAt > at) await ports.store.settleChange(row, { status, by: person.id, reason, at }, record);
  const after = await ports.store.readChange(row.tenant, row.id);
  return after?.status === 'rejected' || after?.status === 'withdrawn' ? { ok: true, change: after } : refuseChange('change.not_pending');
}
