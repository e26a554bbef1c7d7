import { sha256Hex } from '../../../tools/index.ts';
import { type EventFacts, type EventType, isUrgent, kindOf, type NotificationEvent } from '../../notifications/event.ts';
import type { Delivery, DeliveryLease, DeliveryOutcome, DeliveryStatus } from '../notifications.ts';
import type { ApprovalRow, Page, StoredDocument } from '../store.ts';
import { all, one, run, signal, type Verb } from '../verb.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';
import type { Swept } from './sweep.ts';

/** Messages that wait for one channel; of more the oldest are given up, never those of break-glass. */
export const mostWaiting = 1_000;
const keptMs = 7 * 86_400_000;
const atOnce = 50;

/** Replaces what the tenant's documents say of channels, in the transaction that applies them. */
export function* replaceChannels(tenant: string, documents: readonly Pick<StoredDocument, 'body'>[]): Verb<void> {
  yield* run('DELETE FROM channels WHERE tenant = ?', tenant);
  for (const { body } of documents) {
    if (body.kind === 'Channel') yield* run('INSERT INTO channels (tenant, name, events) VALUES (?, ?, ?)', tenant, body.name, JSON.stringify(body.events));
  }
}

export function* countChannels(tenant: string): Verb<number> {
  return (yield* one<{ n: number }>('SELECT count(*) AS n FROM channels WHERE tenant = ?', tenant))?.n ?? 0;
}

/**
 * Queues an event for every channel that takes it, in the transaction at hand: what happened is told, or did not happen. The same
 * event again is the same message. Answers for how many channels it was queued.
 */
export function* notify(tenant: string, { type, at, about, facts, channel }: NotificationEvent): Verb<number> {
  const id = `ntf_${sha256Hex(JSON.stringify([tenant, type, about, at, channel ?? null])).slice(0, 32)}`;
  // The names of kinds hold no character that LIKE knows.
  const taken = `FROM channels WHERE tenant = ? AND ${channel === undefined ? '(? = 1 OR events LIKE ?)' : 'name = ?'}`;
  const which = channel === undefined ? [tenant, isUrgent(type) ? 1 : 0, `%"${kindOf(type)}"%`] : [tenant, channel];
  const added = yield* run(
    `INSERT INTO notifications (tenant, id, type, facts, at)
     SELECT ?, ?, ?, ?, CAST(? AS BIGINT) WHERE EXISTS (SELECT 1 ${taken}) ON CONFLICT (tenant, id) DO NOTHING`,
    tenant,
    id,
    type,
    JSON.stringify(facts),
    at,
    ...which,
  );
  if (added === 0) return 0;
  const queued = yield* run(
    `INSERT INTO deliveries (tenant, notification, channel, status, attempts, next_at, at)
     SELECT ?, ?, name, 'pending', 0, CAST(? AS BIGINT), CAST(? AS BIGINT) ${taken}`,
    tenant,
    id,
    at,
    at,
    ...which,
  );
  yield* signal('notification', tenant, id);
  return queued;
}

/** Of one approval: who is asked for what, by which agent and tool. */
export function* tellOfApproval(
  type: Extract<EventType, `approval.${string}`>,
  approval: Pick<ApprovalRow, 'tenant' | 'id' | 'session' | 'agent' | 'tool' | 'requirements' | 'expiresAt'>,
  at: number,
  to: readonly string[] = [],
): Verb<number> {
  const { tenant, id, session, agent, tool, requirements, expiresAt } = approval;
  const found = yield* one<{ use_case: string }>('SELECT use_case FROM sessions WHERE tenant = ? AND id = ?', tenant, session);
  const use_case = found?.use_case ?? '';
  return yield* notify(tenant, {
    type,
    at,
    about: id,
    facts: { approval: id, session, agent, use_case, tool, requirements, ...(to.length === 0 ? {} : { to }), expires_at: expiresAt },
  });
}

interface Columns {
  readonly tenant: string;
  readonly notification: string;
  readonly channel: string;
  readonly type: EventType;
  readonly facts: string;
  readonly at: number;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly next_at: number;
  readonly error: string | null;
  readonly settled_at: number | null;
}
const columns = 'd.tenant, d.notification, d.channel, n.type, n.facts, d.at, d.status, d.attempts, d.next_at, d.error, d.settled_at';
const source = 'FROM deliveries d JOIN notifications n ON n.tenant = d.tenant AND n.id = d.notification';

const deliveryOf = ({ facts, next_at: nextAt, settled_at: settledAt, ...rest }: Columns): Delivery => ({
  ...rest,
  nextAt,
  settledAt,
  facts: JSON.parse(facts) as EventFacts,
});

export function* tenantsWithDeliveries(at: number): Verb<string[]> {
  const due = yield* all<{ tenant: string }>(`SELECT DISTINCT tenant FROM deliveries WHERE status = 'pending' AND next_at <= ?`, at);
  return due.map(({ tenant }) => tenant);
}

export function* leaseDeliveries(tenant: string, { lease, at, until }: DeliveryLease): Verb<Delivery[]> {
  const due = yield* all<Columns>(
    `SELECT ${columns} ${source} WHERE d.tenant = ? AND d.status = 'pending' AND d.next_at <= ? AND NOT EXISTS (
       SELECT 1 FROM deliveries o WHERE o.tenant = d.tenant AND o.channel = d.channel AND o.status = 'pending' AND o.lease IS NOT NULL AND o.next_at > ?)
     ORDER BY d.at, d.notification`,
    tenant,
    at,
    at,
  );
  const first = new Map<string, Columns>();
  for (const one of due) if (!first.has(one.channel)) first.set(one.channel, one);
  for (const { notification, channel } of first.values()) {
    yield* run(
      'UPDATE deliveries SET lease = ?, next_at = ?, attempts = attempts + 1 WHERE tenant = ? AND notification = ? AND channel = ?',
      lease,
      until,
      tenant,
      notification,
      channel,
    );
  }
  return [...first.values()].map((row) => deliveryOf({ ...row, attempts: row.attempts + 1, next_at: until }));
}

export function* settleDelivery({ tenant, notification, channel, lease, at, outcome, error, record }: DeliveryOutcome): Verb<boolean> {
  const retry = outcome.kind === 'retry';
  const settled = yield* run(
    `UPDATE deliveries SET status = ?, lease = NULL, next_at = ?, error = ?, settled_at = CAST(? AS BIGINT)
     WHERE tenant = ? AND notification = ? AND channel = ? AND lease = ? AND status = 'pending'`,
    retry ? 'pending' : outcome.kind,
    retry ? outcome.at : at,
    error,
    retry ? null : at,
    tenant,
    notification,
    channel,
    lease,
  );
  if (settled === 0) return false;
  if (record) yield* appendRecord(tenant, record);
  if (retry) yield* makeRoom(tenant, channel, at);
  return true;
}

/** A receiver that is gone must not fill the store: the oldest that wait for it are given up, on the record. */
function* makeRoom(tenant: string, channel: string, at: number): Verb<void> {
  const excess = yield* all<{ notification: string }>(
    `SELECT d.notification ${source} WHERE d.tenant = ? AND d.channel = ? AND d.status = 'pending' AND d.lease IS NULL AND n.type NOT LIKE 'break#_glass.%' ESCAPE '#'
     ORDER BY d.at DESC, d.notification DESC LIMIT ? OFFSET ?`,
    tenant,
    channel,
    atOnce,
    mostWaiting,
  );
  if (excess.length === 0) return;
  for (const { notification } of excess) {
    yield* run(
      `UPDATE deliveries SET status = 'given_up', error = 'too many wait for this channel', settled_at = ? WHERE tenant = ? AND notification = ? AND channel = ?`,
      at,
      tenant,
      notification,
      channel,
    );
  }
  yield* appendRecord(tenant, { type: 'notification.given_up', at, tenant, actor: 'taskgate', channel, code: 'too_many_waiting', count: excess.length });
}

export function* listDeliveries(tenant: string, filter: { status?: DeliveryStatus; channel?: string }, page: Page): Verb<Delivery[]> {
  const { text, values } = where([
    ['d.tenant = ?', tenant],
    ['d.status = ?', filter.status],
    ['d.channel = ?', filter.channel],
  ]);
  // A message's place in the list: its time, its id, its channel.
  const [time, id, channel] = page.after?.split('/') ?? [];
  const after = time === undefined ? '' : 'AND (d.at, d.notification, d.channel) < (CAST(? AS BIGINT), ?, ?)';
  const from = time === undefined ? [] : [Number(time) || 0, id ?? '', channel ?? ''];
  const found = yield* all<Columns>(
    `SELECT ${columns} ${source} WHERE ${text} ${after} ORDER BY d.at DESC, d.notification DESC, d.channel DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return found.map(deliveryOf);
}

/** Forgets what was settled a week ago; the record keeps what was given up. */
export function* sweepDeliveries(tenant: string, at: number): Verb<Swept> {
  const old = yield* all<{ id: string }>(
    `SELECT n.id FROM notifications n WHERE n.tenant = ? AND n.at <= ?
       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant = n.tenant AND d.notification = n.id AND (d.status = 'pending' OR d.settled_at > ?))
     ORDER BY n.at LIMIT ?`,
    tenant,
    at - keptMs,
    at - keptMs,
    atOnce,
  );
  for (const { id } of old) {
    yield* run('DELETE FROM deliveries WHERE tenant = ? AND notification = ?', tenant, id);
    yield* run('DELETE FROM notifications WHERE tenant = ? AND id = ?', tenant, id);
  }
  return { counted: old.length, touched: old.length };
}
