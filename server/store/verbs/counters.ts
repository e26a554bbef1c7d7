import type { Draw } from '../store.ts';
import { changeKept, keeps, type Query, type Row, type Verb } from '../verb.ts';

/** A row of `counters`; none is 0. */
export interface Used {
  readonly used: number;
}
export const usedOf = (tenant: string, scope: string, name: string): Query => keeps('counters', tenant, scope, name);

export function* readUsed(tenant: string, scope: string, name: string): Verb<number> {
  const [found] = yield [usedOf(tenant, scope, name)];
  return (found as Used | undefined)?.used ?? 0;
}

/**
 * Draws from a counter unless that takes it over its limit: one row changes, or none. One guarded statement, so that two never both
 * get the last. INVARIANT: of a draw of more than its limit the caller takes back whatever it did.
 */
export function draw(tenant: string, { scope, key, amount, limit }: Draw): Query {
  // INVARIANT: nothing is ever given back, so a negative or rounded amount is a bug of the caller.
  if (!Number.isSafeInteger(amount) || amount < 0 || !Number.isSafeInteger(limit)) throw new Error(`a draw from ${scope} ${key} that is no whole number`);
  const most = limit - amount;
  const change = (row?: Row): Row | null => {
    if (row === undefined) return { used: amount };
    const used = Number(row['used']);
    return used <= most ? { used: used + amount } : null;
  };
  return changeKept({ table: 'counters', key: [tenant, scope, key], change }, drawText, tenant, scope, key, amount, most);
}

const drawText = `INSERT INTO counters (tenant, scope, name, used) VALUES (?, ?, ?, ?)
   ON CONFLICT (tenant, scope, name) DO UPDATE SET used = counters.used + excluded.used WHERE counters.used <= ?`;
