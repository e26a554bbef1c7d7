import type { ProtocolSession } from '../protocol-sessions.ts';
import { one, run, signal, type Verb } from '../verb.ts';

export function* openProtocolSession({ tenant, hash, holder, openedAt, expiresAt }: ProtocolSession, most: number): Verb<void> {
  yield* run('INSERT INTO protocol_sessions (tenant, hash, holder, opened_at, expires_at) VALUES (?, ?, ?, ?, ?)', tenant, hash, holder, openedAt, expiresAt);
  yield* run(
    `DELETE FROM protocol_sessions WHERE tenant = ? AND hash IN
       (SELECT hash FROM protocol_sessions WHERE tenant = ? AND holder = ? AND hash <> ? ORDER BY opened_at DESC, hash LIMIT 1000 OFFSET ?)`,
    tenant,
    tenant,
    holder,
    hash,
    most - 1,
  );
}

export function* readProtocolSession(tenant: string, hash: string, holder: string, at: number): Verb<ProtocolSession | null> {
  const found = yield* one<{ opened_at: number; expires_at: number }>(
    'SELECT opened_at, expires_at FROM protocol_sessions WHERE tenant = ? AND hash = ? AND holder = ? AND expires_at > ?',
    tenant,
    hash,
    holder,
    at,
  );
  return found ? { tenant, hash, holder, openedAt: found.opened_at, expiresAt: found.expires_at } : null;
}

export function* keepProtocolSession(tenant: string, hash: string, until: number): Verb<void> {
  yield* run('UPDATE protocol_sessions SET expires_at = ? WHERE tenant = ? AND hash = ? AND expires_at < ?', until, tenant, hash, until);
}

export function* endProtocolSession(tenant: string, hash: string, holder: string, session: string | null): Verb<boolean> {
  if ((yield* run('DELETE FROM protocol_sessions WHERE tenant = ? AND hash = ? AND holder = ?', tenant, hash, holder)) === 0) return false;
  if (session !== null) yield* signal('session', tenant, session);
  return true;
}

/** Longer than any call runs. */
const cancellationKeptMs = 3_600_000;

export function* cancelCall(tenant: string, hash: string, request: string, at: number, session: string | null): Verb<void> {
  yield* run('INSERT INTO cancelled_calls (tenant, hash, request, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', tenant, hash, request, at);
  if (session !== null) yield* signal('session', tenant, session);
}

export function* isCancelled(tenant: string, hash: string, request: string): Verb<boolean> {
  const found = yield* one('SELECT request FROM cancelled_calls WHERE tenant = ? AND hash = ? AND request = ?', tenant, hash, request);
  return found !== undefined;
}

export function* sweepProtocolSessions(tenant: string, at: number): Verb<void> {
  yield* run('DELETE FROM protocol_sessions WHERE tenant = ? AND expires_at <= ?', tenant, at);
  yield* run('DELETE FROM cancelled_calls WHERE tenant = ? AND at <= ?', tenant, at - cancellationKeptMs);
  yield* run('DELETE FROM renewals WHERE tenant = ? AND token_until <= ?', tenant, at);
}
