import type { RecordBody } from '../../audit/record.ts';
import type { ConsoleLink, ConsoleSession } from '../store.ts';
import { one, run, Undo, type Verb } from '../verb.ts';
import { appendRecord } from './records.ts';

/** What stands before the store's epoch may have been ended in what was cut off then. */
const sinceEpoch = (column: string): string => `NOT EXISTS (SELECT 1 FROM meta WHERE epoch_at > ${column})`;

export function* putConsoleLink({ tenant, hash, person, madeAt, expiresAt }: ConsoleLink): Verb<void> {
  yield* run('INSERT INTO console_links (tenant, hash, person, made_at, expires_at) VALUES (?, ?, ?, ?, ?)', tenant, hash, person, madeAt, expiresAt);
}

export function* readConsoleLink(tenant: string, hash: string, at: number): Verb<ConsoleLink | null> {
  const found = yield* one<{ person: string; made_at: number; expires_at: number }>(
    `SELECT person, made_at, expires_at FROM console_links WHERE tenant = ? AND hash = ? AND expires_at > ? AND ${sinceEpoch('made_at')}`,
    tenant,
    hash,
    at,
  );
  return found ? { tenant, hash, person: found.person, madeAt: found.made_at, expiresAt: found.expires_at } : null;
}

/** With a link: only for the one who takes it away, and whom it was made for. */
export function* openConsoleSession(session: ConsoleSession, link: string | null, record: RecordBody): Verb<boolean> {
  const { tenant, hash, person, loggedInAt, provedAt, claimedGroups, expiresAt } = session;
  if (link !== null) {
    const meant = yield* readConsoleLink(tenant, link, loggedInAt);
    const taken = yield* run('DELETE FROM console_links WHERE tenant = ? AND hash = ?', tenant, link);
    if (meant?.person !== person || taken === 0) throw new Undo(false);
  }
  yield* run(
    'INSERT INTO console_sessions (tenant, hash, person, logged_in_at, proved_at, seen_at, expires_at, claimed_groups) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    tenant,
    hash,
    person,
    loggedInAt,
    provedAt,
    loggedInAt,
    expiresAt,
    JSON.stringify(claimedGroups),
  );
  yield* appendRecord(tenant, record);
  return true;
}

interface Columns {
  readonly person: string;
  readonly logged_in_at: number;
  readonly proved_at: number | null;
  readonly seen_at: number;
  readonly expires_at: number;
  readonly claimed_groups: string;
}

/** Null past its end, or when nobody has used it since `idleSince`. */
export function* readConsoleSession(tenant: string, hash: string, at: number, idleSince: number): Verb<(ConsoleSession & { readonly seenAt: number }) | null> {
  const found = yield* one<Columns>(
    `SELECT person, logged_in_at, proved_at, seen_at, expires_at, claimed_groups FROM console_sessions
     WHERE tenant = ? AND hash = ? AND expires_at > ? AND seen_at > ? AND ${sinceEpoch('logged_in_at')}`,
    tenant,
    hash,
    at,
    idleSince,
  );
  if (!found) return null;
  const { person, logged_in_at: loggedInAt, proved_at: provedAt } = found;
  const claimedGroups = JSON.parse(found.claimed_groups) as string[];
  return { tenant, hash, person, loggedInAt, provedAt, claimedGroups, seenAt: found.seen_at, expiresAt: found.expires_at };
}

export function* touchConsoleSession(tenant: string, hash: string, at: number): Verb<void> {
  yield* run('UPDATE console_sessions SET seen_at = ? WHERE tenant = ? AND hash = ? AND seen_at < ?', at, tenant, hash, at);
}

export function* endConsoleSession(tenant: string, hash: string, record: RecordBody): Verb<boolean> {
  if ((yield* run('DELETE FROM console_sessions WHERE tenant = ? AND hash = ?', tenant, hash)) === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

/** The first time a person is shown an approval; said again it changes nothing. */
export function* noteShown(tenant: string, approval: string, person: string, at: number): Verb<void> {
  yield* run('INSERT INTO approval_views (tenant, approval, person, shown_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', tenant, approval, person, at);
}

export function* sweepConsole(tenant: string, at: number): Verb<void> {
  yield* run('DELETE FROM console_sessions WHERE tenant = ? AND expires_at <= ?', tenant, at);
  yield* run('DELETE FROM console_links WHERE tenant = ? AND expires_at <= ?', tenant, at);
}
