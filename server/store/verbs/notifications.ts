import { canonicalForm, sha256Hex } from '../../../tools/index.ts';
import { type EventFacts, type EventType, groupsOf, isUrgent, kindOf, type NotificationEvent } from '../../notifications/event.ts';
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
  const gone = yield* all<{ name: string; fingerprint: string | null; disabled_at: number }>(
    'SELECT name, fingerprint, disabled_at FROM channels WHERE tenant = ? AND disabled_at IS NOT NULL',
    tenant,
  );
  yield* run('DELETE FROM channels WHERE tenant = ?', tenant);
  for (const { body } of documents) {
    if (body.kind !== 'Channel') continue;
    const { name, events, groups, transport, credential = null } = body;
    const fingerprint = sha256Hex(canonicalForm({ transport, credential }));
    // Another receiver may be there; the same one said that it is not.
    const before = gone.find((one) => one.name === name && one.fingerprint === fingerprint);
    yield* run(
      'INSERT INTO channels (tenant, name, events, in_groups, fingerprint, disabled_at) VALUES (?, ?, ?, ?, ?, ?)',
      ...[tenant, name, JSON.stringify(events), groups === undefined ? null : JSON.stringify(groups), fingerprint, before?.disabled_at ?? null],
    );
  }
}

/** Names of the channels whose receiver said that it is gone. */
export function* disabledChannels(tenant: string): Verb<string[]> {
  const found = yield* all<{ name: string }>('SELECT name FROM channels WHERE tenant = ? AND disabled_at IS NOT NULL ORDER BY name', tenant);
  return found.map(({ name }) => name);
}

export function* countChannels(tenant: string): Verb<number> {
  return (yield* one<{ n: number }>('SELECT count(*) AS n FROM channels WHERE tenant = ? AND disabled_at IS NULL', tenant))?.n ?? 0;
}

/**
 * Queues an event for every channel that takes it, in the transaction at hand: what happened is told, or did not happen. The same
 * event again is the same message. Answers for how many channels it was queued.
 */
export function* notify(tenant: string, { type, at, about, facts, channel }: NotificationEvent): Verb<number> {
  const id = `ntf_${sha256Hex(JSON.stringify([tenant, type, about, at, channel ?? null])).slice(0, 32)}`;
  const { taken, which } =
    channel === undefined ? takers(tenant, type, facts) : { taken: 'FROM channels WHERE tenant = ? AND name = ?', which: [tenant, channel] };
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

/** Channels that take an event: by its kind and by the groups it asks, and what concerns everybody everywhere; none that is gone. */
function takers(tenant: string, type: EventType, facts: EventFacts): { taken: string; which: (string | number)[] } {
  const groups = groupsOf(facts);
  // Neither the names of kinds nor those of groups hold a character that LIKE knows.
  const asked = groups.length === 0 ? '' : `AND (in_groups IS NULL${' OR in_groups LIKE ?'.repeat(groups.length)})`;
  const everywhere = isUrgent(type) || type === 'channel.disabled';
  return {
    taken: `FROM channels WHERE tenant = ? AND disabled_at IS NULL AND (? = 1 OR (events LIKE ? ${asked}))`,
    which: [tenant, everywhere ? 1 : 0, `%"${kindOf(type)}"%`, ...groups.map((group) => `%"${group}"%`)],
  };
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
  if (outcome.kind === 'delivered') yield* enableChannel(tenant, channel, at);
  if (outcome.kind === 'given_up' && outcome.gone) yield* disableChannel(tenant, channel, at);
  if (retry) yield* makeRoom(tenant, channel, at);
  return true;
}

/** Nothing more is sent to it, what waits for it included; everybody who is told elsewhere is told of that. */
function* disableChannel(tenant: string, channel: string, at: number): Verb<void> {
  if ((yield* run('UPDATE channels SET disabled_at = ? WHERE tenant = ? AND name = ? AND disabled_at IS NULL', at, tenant, channel)) === 0) return;
  const count = yield* run(
    `UPDATE deliveries SET status = 'given_up', error = 'the receiver is gone', settled_at = ? WHERE tenant = ? AND channel = ? AND status = 'pending' AND lease IS NULL`,
    ...[at, tenant, channel],
  );
  yield* appendRecord(tenant, { type: 'channel.disabled', at, tenant, actor: 'taskgate', channel, code: 'gone', count });
  yield* notify(tenant, { type: 'channel.disabled', at, about: channel, facts: { channel } });
}

/** A test that arrived shows that somebody is there again. */
function* enableChannel(tenant: string, channel: string, at: number): Verb<void> {
  const enabled = yield* run('UPDATE channels SET disabled_at = NULL WHERE tenant = ? AND name = ? AND disabled_at IS NOT NULL', tenant, channel);
  if (enabled > 0) yield* appendRecord(tenant, { type: 'channel.enabled', at, tenant, actor: 'taskgate', channel });
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
