import type { RecordBody } from '../../audit/record.ts';
import {
  type ChangeApproval,
  type ChangeItem,
  type ChangeRow,
  type ChangeStatus,
  mostChanges,
  type NewChange,
  type Page,
  type RequestAnswer,
} from '../store.ts';
import { all, one, run, signal, type Verb } from '../verb.ts';
import { readRevision } from './configuration.ts';
import { notify } from './notifications.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';

export interface ChangeColumns {
  readonly tenant: string;
  readonly id: string;
  readonly author: string;
  readonly reason: string | null;
  readonly needs: ChangeRow['needs'];
  readonly content: string;
  readonly digest: string;
  readonly revision: number;
  readonly items: string;
  readonly touches: string;
  readonly adds: string;
  readonly payload: Uint8Array;
  readonly status: ChangeStatus;
  readonly created_at: number;
  readonly expires_at: number;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly decision_reason: string | null;
}

/** Named one by one, so that a plan prepared before a column was added goes on answering. */
export const changeColumns = [
  'tenant, id, author, reason, needs, content, digest, revision, items, touches, adds, payload, status',
  'created_at, expires_at, decided_at, decided_by, decision_reason',
].join(', ');

const changeOf = (columns: ChangeColumns): ChangeRow => ({
  tenant: columns.tenant,
  id: columns.id,
  author: columns.author,
  reason: columns.reason,
  needs: columns.needs,
  content: columns.content,
  digest: columns.digest,
  revision: columns.revision,
  items: JSON.parse(columns.items) as ChangeItem[],
  touches: JSON.parse(columns.touches) as string[],
  adds: JSON.parse(columns.adds) as Record<string, string[]>,
  payload: columns.payload,
  status: columns.status,
  createdAt: columns.created_at,
  expiresAt: columns.expires_at,
  decidedAt: columns.decided_at,
  decidedBy: columns.decided_by,
  decisionReason: columns.decision_reason,
});

export function* readChange(tenant: string, id: string): Verb<ChangeRow | null> {
  const found = yield* one<ChangeColumns>(`SELECT ${changeColumns} FROM changes WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? changeOf(found) : null;
}

export function* listChanges(tenant: string, filter: { status?: ChangeStatus }, page: Page, now: number): Verb<ChangeRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['status = ?', filter.status],
    // Past its expiry it can no longer be approved, though the sweep has not been there yet.
    ['expires_at > ?', filter.status === 'pending' ? now : undefined],
  ]);
  const [after, from] =
    page.after === null ? ['', []] : ['AND (created_at, id) < (SELECT created_at, id FROM changes WHERE tenant = ? AND id = ?)', [tenant, page.after]];
  const found = yield* all<ChangeColumns>(
    `SELECT ${changeColumns} FROM changes WHERE ${text} ${after} ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return found.map(changeOf);
}

export function* recentChanges(tenant: string, since: number): Verb<Pick<ChangeRow, 'author' | 'touches' | 'adds' | 'decidedAt'>[]> {
  const found = yield* all<ChangeColumns>(
    `SELECT ${changeColumns} FROM changes WHERE tenant = ? AND status = 'applied' AND decided_at > ? ORDER BY decided_at, id`,
    tenant,
    since,
  );
  return found.map(changeOf);
}

export function* requestChange({ record, ...change }: NewChange): Verb<RequestAnswer> {
  const { tenant, createdAt } = change;
  if (((yield* readRevision(tenant)) ?? 0) !== change.revision) return { refused: 'stale' };
  const waiting = yield* all<ChangeColumns>(
    `SELECT ${changeColumns} FROM changes WHERE tenant = ? AND status = 'pending' AND expires_at > ? ORDER BY created_at, id`,
    tenant,
    createdAt,
  );
  const before = waiting.find(({ author, content, needs }) => author === change.author && content === change.content && needs === change.needs);
  if (before && before.revision === change.revision) return { change: changeOf(before), created: false };
  if (before) {
    const superseded = { ...aboutChange('change.superseded', before, createdAt), detail: `asked for again as ${change.id}` };
    yield* settleChange(before, { status: 'superseded', by: change.author, reason: null, at: createdAt }, superseded);
  } else if (waiting.length >= mostChanges) return { refused: 'too_many' };

  yield* run(
    `INSERT INTO changes (tenant, id, author, reason, needs, content, digest, revision, items, touches, adds, payload, status, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    tenant,
    change.id,
    change.author,
    change.reason,
    change.needs,
    change.content,
    change.digest,
    change.revision,
    JSON.stringify(change.items),
    JSON.stringify(change.touches),
    JSON.stringify(change.adds),
    change.payload,
    createdAt,
    change.expiresAt,
  );
  yield* signal('change', tenant, change.id);
  yield* appendRecord(tenant, record);
  yield* notify(tenant, { type: 'change.waiting', at: createdAt, about: change.id, facts: { change: change.id, expires_at: change.expiresAt } });
  return { change: { ...change, status: 'pending', decidedAt: null, decidedBy: null, decisionReason: null }, created: true };
}

/**
 * Marks the change applied, if it still waits, is the one approved, and the approver's role is as it was read. One transaction with
 * what it puts in force: of many who approve, one does it.
 */
export function* takeApproval({ tenant, id, digest, revision, by, reason, at, record }: ChangeApproval): Verb<boolean> {
  if ((yield* readRevision(tenant)) !== revision) return false;
  const taken = yield* run(
    `UPDATE changes SET status = 'applied', decided_at = ?, decided_by = ?, decision_reason = ?, payload = ?
     WHERE tenant = ? AND id = ? AND digest = ? AND status = 'pending' AND expires_at > ?`,
    at,
    by,
    reason,
    new Uint8Array(),
    tenant,
    id,
    digest,
    at,
  );
  if (taken === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

export function* replanChange(
  was: Pick<ChangeRow, 'tenant' | 'id' | 'digest'>,
  next: Pick<ChangeRow, 'digest' | 'revision' | 'items' | 'touches' | 'adds'>,
  record: RecordBody,
): Verb<boolean> {
  const replanned = yield* run(
    `UPDATE changes SET digest = ?, revision = ?, items = ?, touches = ?, adds = ? WHERE tenant = ? AND id = ? AND digest = ? AND status = 'pending'`,
    next.digest,
    next.revision,
    JSON.stringify(next.items),
    JSON.stringify(next.touches),
    JSON.stringify(next.adds),
    was.tenant,
    was.id,
    was.digest,
  );
  if (replanned > 0) yield* appendRecord(was.tenant, record);
  return replanned > 0;
}

export function* settleChange(
  { tenant, id }: Pick<ChangeRow, 'tenant' | 'id'>,
  how: { readonly status: 'rejected' | 'withdrawn' | 'superseded'; readonly by: string; readonly reason: string | null; readonly at: number },
  record: RecordBody,
): Verb<boolean> {
  const settled = yield* run(
    `UPDATE changes SET status = ?, decided_at = ?, decided_by = ?, decision_reason = ?, payload = ? WHERE tenant = ? AND id = ? AND status = 'pending'`,
    how.status,
    how.at,
    how.by,
    how.reason,
    new Uint8Array(),
    tenant,
    id,
  );
  if (settled > 0) yield* appendRecord(tenant, record);
  return settled > 0;
}

/** The record of a change that Taskgate itself settles. */
export function aboutChange(
  type: RecordBody['type'],
  { tenant, id, digest, author }: Pick<ChangeColumns, 'tenant' | 'id' | 'digest' | 'author'>,
  at: number,
): RecordBody {
  return { type, at, tenant, actor: 'taskgate', change: id, change_sha256: digest, author };
}
