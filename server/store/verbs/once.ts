import { one, type Verb } from '../verb.ts';

/** One statement, so that of two who come with the same key only one is first; what has expired counts as never seen. */
export function* useOnce(scope: string, key: string, expiresAt: number, at: number): Verb<boolean> {
  const first = yield* one(
    `INSERT INTO used_once (scope, key, expires_at) VALUES (?, ?, ?)
     ON CONFLICT (scope, key) DO UPDATE SET expires_at = excluded.expires_at WHERE used_once.expires_at <= ?
     RETURNING key`,
    scope,
    key,
    expiresAt,
    at,
  );
  return first !== undefined;
}
