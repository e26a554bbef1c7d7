import { chainRecord, checkBody, genesis } from '../../audit/index.ts';
import type { RecordBody, StoredRecord } from '../../audit/record.ts';
import { all, one, run, together, type Verb } from '../verb.ts';

/** The platform log's name in the tables; no tenant can have it. */
const platform = '';
const keyOf = (tenant: string | null): string => {
  if (tenant === platform) throw new Error('a tenant has a name');
  return tenant ?? platform;
};

/**
 * Appends to a tenant's chain inside the transaction at hand; answers the new record's index. INVARIANT: one after the other, never
 * two `together`: each is chained to the one before.
 */
export function* appendRecord(tenant: string | null, record: RecordBody): Verb<number> {
  const key = keyOf(tenant);
  const body = checkBody(record);
  const head = yield* one<{ next: number; hash: string }>('SELECT next, hash FROM chain_heads WHERE tenant = ?', key);
  const { index, prev, hash, ...chained } = chainRecord(head?.hash ?? genesis, head?.next ?? 0, tenant, body);
  yield* together(
    run('INSERT INTO records (tenant, position, prev, hash, body) VALUES (?, ?, ?, ?, ?)', key, index, prev, hash, JSON.stringify(chained.body)),
    run(
      'INSERT INTO chain_heads (tenant, next, hash) VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET next = excluded.next, hash = excluded.hash',
      key,
      index + 1,
      hash,
    ),
  );
  return index;
}

export function* appendRecords(tenant: string | null, records: readonly RecordBody[]): Verb<number[]> {
  const indexes: number[] = [];
  for (const record of records) indexes.push(yield* appendRecord(tenant, record));
  return indexes;
}

interface Columns {
  readonly position: number;
  readonly prev: string;
  readonly hash: string;
  readonly body: string;
}

export function* readRecords(tenant: string | null, from: number, limit: number): Verb<StoredRecord[]> {
  const found = yield* all<Columns>(
    'SELECT position, prev, hash, body FROM records WHERE tenant = ? AND position >= ? ORDER BY position LIMIT ?',
    keyOf(tenant),
    from,
    limit,
  );
  return found.map(({ position, prev, hash, body }) => ({ tenant, index: position, prev, hash, body: JSON.parse(body) as RecordBody }));
}
