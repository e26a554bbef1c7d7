import type { RecordBody } from '../../audit/record.ts';
import type { AuthorizationCode, CodeGrant, RefreshToken } from '../store.ts';
import { one, run, type Verb } from '../verb.ts';
import { appendRecord } from './records.ts';

export function* putAuthorizationCode({ tenant, hash, content, madeAt, expiresAt }: Omit<AuthorizationCode, 'session'>, record: RecordBody): Verb<void> {
  yield* run('INSERT INTO authorization_codes (tenant, hash, content, made_at, expires_at) VALUES (?, ?, ?, ?, ?)', tenant, hash, content, madeAt, expiresAt);
  yield* appendRecord(tenant, record);
}

export function* readAuthorizationCode(tenant: string, hash: string): Verb<AuthorizationCode | null> {
  const found = yield* one<{ content: string; made_at: number; expires_at: number; session: string | null }>(
    `SELECT content, made_at, expires_at, session FROM authorization_codes
     WHERE tenant = ? AND hash = ? AND NOT EXISTS (SELECT 1 FROM meta WHERE epoch_at > made_at)`,
    tenant,
    hash,
  );
  return found ? { tenant, hash, content: found.content, madeAt: found.made_at, expiresAt: found.expires_at, session: found.session } : null;
}

export function* burnAuthorizationCode(tenant: string, hash: string, at: number): Verb<void> {
  yield* run('UPDATE authorization_codes SET expires_at = ? WHERE tenant = ? AND hash = ? AND expires_at > ?', at, tenant, hash, at);
}

/** Uses the code up for this session, which must be there; false when it was used or is past its end. */
export function* takeCode(tenant: string, { code, refresh }: CodeGrant, session: string, at: number): Verb<boolean> {
  const taken = yield* run(
    `UPDATE authorization_codes SET session = ?, content = '' WHERE tenant = ? AND hash = ? AND session IS NULL AND expires_at > ?`,
    session,
    tenant,
    code,
    at,
  );
  if (taken === 0) return false;
  yield* insertRefreshToken({ ...refresh, session });
  return true;
}

function* insertRefreshToken({ tenant, hash, session, client, resource, madeAt }: Omit<RefreshToken, 'usedAt'>): Verb<void> {
  yield* run(
    'INSERT INTO refresh_tokens (tenant, hash, session, client, resource, made_at) VALUES (?, ?, ?, ?, ?, ?)',
    tenant,
    hash,
    session,
    client,
    resource,
    madeAt,
  );
}

export function* readRefreshToken(tenant: string, hash: string): Verb<RefreshToken | null> {
  const found = yield* one<{ session: string; client: string; resource: string; made_at: number; used_at: number | null }>(
    'SELECT session, client, resource, made_at, used_at FROM refresh_tokens WHERE tenant = ? AND hash = ?',
    tenant,
    hash,
  );
  if (!found) return null;
  const { session, client, resource } = found;
  return { tenant, hash, session, client, resource, madeAt: found.made_at, usedAt: found.used_at };
}

export function* rotateRefreshToken(tenant: string, hash: string, next: string, at: number): Verb<boolean> {
  const before = yield* readRefreshToken(tenant, hash);
  const used = yield* run('UPDATE refresh_tokens SET used_at = ? WHERE tenant = ? AND hash = ? AND used_at IS NULL', at, tenant, hash);
  if (!before || used === 0) return false;
  yield* insertRefreshToken({ ...before, hash: next, madeAt: at });
  return true;
}

/** Forgets codes that opened nothing in time, and with a session that is over all that it was opened and kept alive with. */
export function* sweepAuthorizations(tenant: string, at: number): Verb<void> {
  const over = `session IN (SELECT id FROM sessions WHERE tenant = ? AND status IN ('ended', 'revoked'))`;
  yield* run(`DELETE FROM authorization_codes WHERE tenant = ? AND ((session IS NULL AND expires_at <= ?) OR ${over})`, tenant, at, tenant);
  yield* run(`DELETE FROM refresh_tokens WHERE tenant = ? AND ${over}`, tenant, tenant);
}
