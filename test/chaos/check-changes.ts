import type { StoredRecord } from '../../server/audit/index.ts';
import { type ChangeLine, type Evidence, groupBy, recordsOf, told } from './evidence.ts';
import { widthsIn } from './width.ts';

type Records = ReadonlyMap<string, readonly StoredRecord[]>;
/** What is on the record of each change. */
interface History {
  /** As it was asked for and planned anew. */
  readonly planned: Records;
  readonly closed: Records;
  /** What it put in force. */
  readonly enacted: Records;
}

const closings = {
  applied: 'change.approved',
  rejected: 'change.rejected',
  withdrawn: 'change.withdrawn',
  superseded: 'change.superseded',
  expired: 'change.expired',
} as const;

/** What waits for a second admin, and what became of it. */
export function checkChanges(evidence: Evidence): string[] {
  const of = (...types: readonly string[]): Records => groupBy(recordsOf(evidence, ...types), ({ body }) => body.change);
  const history = { planned: of('change.requested', 'change.replanned'), closed: of(...Object.values(closings)), enacted: of('configuration.applied') };
  const rows = new Map(evidence.changes.map((row) => [row.id, row]));
  const gone = [...history.planned.keys()].filter((id) => !rows.has(id)).map((id) => `${id} was asked for on the record and is not there`);
  return [
    ...checkTold(evidence, rows, history),
    ...gone,
    ...evidence.changes.flatMap((row) => checkRow(row, history)),
    ...checkWidenings(evidence, rows, history),
    ...checkWidth(evidence, rows),
  ];
}

function checkTold(evidence: Evidence, rows: ReadonlyMap<string, ChangeLine>, { planned }: History): string[] {
  const wrong: string[] = [];
  for (const { change, digest } of told(evidence, 'change shown')) {
    if (!rows.has(change)) wrong.push(`${change} was shown to an admin and is not there`);
    if (!planned.get(change)?.some(({ body }) => body.change_sha256 === digest)) wrong.push(`${change} was shown as no record has it`);
  }
  for (const { change } of told(evidence, 'change approved')) {
    if (rows.get(change)?.status !== 'applied') wrong.push(`${change} was confirmed to be in force and is ${rows.get(change)?.status ?? 'not there'}`);
  }
  for (const { change } of told(evidence, 'change rejected')) {
    if (rows.get(change)?.status !== 'rejected') wrong.push(`${change} was confirmed to be rejected and is ${rows.get(change)?.status ?? 'not there'}`);
  }
  return wrong;
}

function checkRow({ id, status, digest, held }: ChangeLine, { planned, closed, enacted }: History): string[] {
  const wrong: string[] = [];
  const plans = planned.get(id) ?? [];
  if (plans.filter(({ body }) => body.type === 'change.requested').length !== 1) wrong.push(`${id} is there without one record of being asked for`);
  if (plans.at(-1)?.body.change_sha256 !== digest) wrong.push(`${id} is not as it was last planned on the record`);
  const said = (closed.get(id) ?? []).map(({ body }) => body.type);
  const due = status === 'pending' ? [] : [closings[status as keyof typeof closings]];
  if (said.join() !== due.join()) wrong.push(`${id} is ${status}, and its records say: ${said.join(', ') || 'nothing'}`);
  if (status === 'pending' && held === 0) wrong.push(`${id} waits and no longer holds what it would put in force`);
  const times = enacted.get(id)?.length ?? 0;
  if (times !== (status === 'applied' ? 1 : 0)) wrong.push(`${id} is ${status} and was put in force ${times} times`);
  const [done] = enacted.get(id) ?? [];
  if (done && JSON.stringify(done.body.changes) !== JSON.stringify(plans.at(-1)?.body.changes)) wrong.push(`${id} put in force what was not approved`);
  return wrong;
}

/** Whatever widened after the founding did so by a change that one admin asked for and another approved, as it was approved. */
function checkWidenings(evidence: Evidence, rows: ReadonlyMap<string, ChangeLine>, { closed }: History): string[] {
  return recordsOf(evidence, 'configuration.applied').flatMap(({ index, body }) => {
    if (body.founding || !body.changes?.some(({ effect }) => effect === 'widens')) return [];
    const row = rows.get(body.change ?? '');
    const approved = closed.get(body.change ?? '')?.find((one) => one.body.type === 'change.approved' && one.index < index)?.body;
    const asker = row?.author;
    const byTwo = asker !== undefined && approved?.author === asker && approved.actor === row?.decidedBy && approved.actor !== asker;
    return byTwo && approved.change_sha256 === row?.digest ? [] : [`the widening at ${index} has no two admins on the record`];
  });
}

/** What is in force is what the last change put there, all of it. */
function checkWidth(evidence: Evidence, rows: ReadonlyMap<string, ChangeLine>): string[] {
  const last = recordsOf(evidence, 'configuration.applied').findLast(({ body }) => body.change !== undefined);
  const due = last ? widthsIn(rows.get(last.body.change ?? '')?.reason ?? '') : [0];
  const stored = widthsIn(evidence.tenants.find(({ tenant }) => tenant === 'acme')?.configuration ?? null);
  return stored.join() === due.join() ? [] : [`acme is of width ${stored.join(' and ') || 'none'}, and its last change was to ${due.join() || 'none'}`];
}
