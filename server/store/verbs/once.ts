import { one, type Verb } from '../verb.ts';

/**
 * One statement, so that of two who come with the same key only one is first; what has expired counts as never seen. What was issued
 * before the store's epoch may have been used in what was cut off then: it is used up.
 */
export function* useOnce(scope: string, key: string, expiresAt: number, at: number, issuedAt: number): Verb<boolean> {
  const first = yield* one(
    `INSERT INTO used_once (scope, key, expires_at) SELECT ?, ?, CAST(? AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM meta WHERE epoch_at > ?)
     ON CONFLICT (scope, key) DO UPDATE SET expires_at = excluded.expires_at WHERE used_once.expires_at <= ?
     RETURNING key`,
    scope,
    key,
    expiresAt,
    issuedAt,
    at,
  );
  return first !== undefined;
}
