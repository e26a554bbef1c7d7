import type { Draw } from '../store.ts';
import { one, run, type Verb } from '../verb.ts';

export function* readUsed(tenant: string, scope: string, name: string): Verb<number> {
  const found = yield* one<{ used: number }>('SELECT used FROM counters WHERE tenant = ? AND scope = ? AND name = ?', tenant, scope, name);
  return found?.used ?? 0;
}

/** Draws from a counter unless that takes it over its limit; one guarded statement, so that two never both get the last. */
export function* draw(tenant: string, { scope, key, amount, limit }: Draw): Verb<boolean> {
  // INVARIANT: nothing is ever given back, so a negative or rounded amount is a bug of the caller.
  if (!Number.isSafeInteger(amount) || amount < 0 || !Number.isSafeInteger(limit)) throw new Error(`a draw from ${scope} ${key} that is no whole number`);
  if (amount > limit) return false;
  const drawn = yield* run(
    `INSERT INTO counters (tenant, scope, name, used) VALUES (?, ?, ?, ?)
     ON CONFLICT (tenant, scope, name) DO UPDATE SET used = counters.used + excluded.used WHERE counters.used <= ?`,
    tenant,
    scope,
    key,
    amount,
    limit - amount,
  );
  return drawn > 0;
}
