import { parseRequirement } from '../../../policies/index.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { DelegationAnswer, DelegationRow, NewDelegation } from '../delegations.ts';
import type { NewVote, Page } from '../store.ts';
import { all, one, run, type Verb } from '../verb.ts';
import { readRevision } from './configuration.ts';
import { notify } from './notifications.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';

interface Columns extends Pick<DelegationRow, 'id' | 'tenant' | 'lender' | 'delegate' | 'reason'> {
  readonly in_group: string;
  readonly lender_name: string;
  readonly delegate_name: string;
  readonly created_at: number;
  readonly ends_at: number;
  readonly ended_at: number | null;
}
const columns = 'tenant, id, in_group, lender, lender_name, delegate, delegate_name, reason, created_at, ends_at, ended_at';

/** In force at the same time in one tenant: each is read with every look at a queue. */
const mostInForce = 200;

const rowOf = ({ in_group: group, lender_name, delegate_name, created_at, ends_at, ended_at, ...rest }: Columns): DelegationRow => ({
  ...{ ...rest, group, lenderName: lender_name, delegateName: delegate_name },
  ...{ createdAt: created_at, endsAt: ends_at, endedAt: ended_at },
});

export function* readDelegation(tenant: string, id: string): Verb<DelegationRow | null> {
  const found = yield* one<Columns>(`SELECT ${columns} FROM delegations WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? rowOf(found) : null;
}

export function* listDelegations(tenant: string, filter: { delegate?: string; inForceAt?: number }, page: Page): Verb<DelegationRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['delegate = ?', filter.delegate],
    ['ends_at > ?', filter.inForceAt],
  ]);
  const open = filter.inForceAt === undefined ? '' : 'AND ended_at IS NULL';
  const [after, from] =
    page.after === null ? ['', []] : ['AND (created_at, id) < (SELECT created_at, id FROM delegations WHERE tenant = ? AND id = ?)', [tenant, page.after]];
  const found = yield* all<Columns>(
    `SELECT ${columns} FROM delegations WHERE ${text} ${open} ${after} ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return found.map(rowOf);
}

export function* giveDelegation(delegation: NewDelegation, revision: number, record: RecordBody): Verb<DelegationAnswer> {
  const { tenant, id, group, lender, lenderName, delegate, delegateName, reason, createdAt: at, endsAt } = delegation;
  if ((yield* readRevision(tenant)) !== revision) return { done: false, why: 'revision' };
  const there = yield* one(
    'SELECT 1 AS found FROM delegations WHERE tenant = ? AND in_group = ? AND lender = ? AND ended_at IS NULL AND ends_at > ? LIMIT 1',
    ...[tenant, group, lender, at],
  );
  if (there) return { done: false, why: 'already_there' };
  const open = yield* one<{ open: number }>('SELECT count(*) AS open FROM delegations WHERE tenant = ? AND ended_at IS NULL AND ends_at > ?', ...[tenant, at]);
  if ((open?.open ?? 0) >= mostInForce) return { done: false, why: 'too_many' };
  const values = [tenant, id, group, lender, lenderName, delegate, delegateName, reason, at, endsAt, null];
  yield* run(`INSERT INTO delegations (${columns}) VALUES (${values.map(() => '?').join(', ')})`, ...values);
  yield* appendRecord(tenant, record);
  const facts = { delegation: id, people: [lenderName, delegateName], to: [`group:${group}`], expires_at: endsAt };
  yield* notify(tenant, { type: 'delegation.given', at, about: id, facts });
  return { done: true, delegation: { ...delegation, endedAt: null } };
}

export function* endDelegation(tenant: string, id: string, at: number, record: RecordBody): Verb<boolean> {
  const ended = yield* run('UPDATE delegations SET ended_at = ? WHERE tenant = ? AND id = ? AND ended_at IS NULL AND ends_at > ?', at, tenant, id, at);
  if (ended === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

/** In the vote's own transaction: it is this very person's to use, for this lender and the group the requirement names, now. */
export function* isLent({ tenant, person, requirement, behalf, at }: NewVote): Verb<boolean> {
  if (behalf === null) return true;
  const row = yield* readDelegation(tenant, behalf.delegation);
  const asked = parseRequirement(requirement);
  if (row === null || asked?.kind !== 'approval') return false;
  return row.delegate === person && row.lender === behalf.person && row.group === asked.group && row.endedAt === null && row.endsAt > at;
}

/** Who has not yet voted in a place that an older copy of the store lent them does not vote in it now. */
export function* endAllDelegations(tenant: string, at: number, code: string): Verb<void> {
  const open = yield* all<Columns>(`SELECT ${columns} FROM delegations WHERE tenant = ? AND ended_at IS NULL AND ends_at > ? ORDER BY id`, tenant, at);
  for (const row of open.map(rowOf)) yield* endDelegation(tenant, row.id, at, { ...aboutDelegation('delegation.ended', row, at), code });
}

export const aboutDelegation = (
  type: 'delegation.given' | 'delegation.ended',
  row: Pick<DelegationRow, 'tenant' | 'id' | 'group' | 'lender' | 'delegate'>,
  at: number,
  actor = 'taskgate',
): RecordBody => ({
  ...{ type, at, tenant: row.tenant, actor, delegation: row.id, person: row.delegate, on_behalf_of: row.lender, to: [`group:${row.group}`] },
});
