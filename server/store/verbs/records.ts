import { canonicalForm } from '../../../tools/index.ts';
import { checkBody, genesis, hashAfter } from '../../audit/index.ts';
import type { RecordBody, StoredRecord } from '../../audit/record.ts';
import { all, changeKept, keeps, type Query, runs, type Verb } from '../verb.ts';

/** The platform log's name in the tables; no tenant can have it. */
const platform = '';
const keyOf = (tenant: string | null): string => {
  if (tenant === platform) throw new Error('a tenant has a name');
  return tenant ?? platform;
};

/** Where a chain ends; what is appended to it comes after this. */
export interface Head {
  readonly next: number;
  readonly hash: string;
}

/** Where a chain begins. */
export const genesisHead: Head = { next: 0, hash: genesis };

/** Asks for the head of a chain; there is none before anything was appended. */
export const headOf = (tenant: string | null): Query => keeps('chain_heads', keyOf(tenant));

function* readHead(tenant: string | null): Verb<Head> {
  const [head] = yield [headOf(tenant)];
  return (head as Head | undefined) ?? genesisHead;
}

/**
 * Appends to a tenant's chain inside the transaction at hand; answers the new record's index. INVARIANT: one after the other, never
 * two `together`: each is chained to the one before.
 */
export function* appendRecord(tenant: string | null, record: RecordBody): Verb<number> {
  return yield* appendAfter(yield* readHead(tenant), tenant, record);
}

/** `appendRecord`, for a verb that read the head in this transaction and has appended nothing since. */
export function* appendAfter(head: Head, tenant: string | null, record: RecordBody): Verb<number> {
  yield appending(head, tenant, record);
  return head.next;
}

/** The queries that append after `head`. */
export function appending({ next: index, hash: prev }: Head, tenant: string | null, record: RecordBody): [Query, Query] {
  // Kept in the form its hash is over.
  const body = canonicalForm(checkBody(record));
  const hash = hashAfter(prev, index, tenant, body);
  const key = keyOf(tenant);
  return [
    runs('INSERT INTO records (tenant, position, prev, hash, body) VALUES (?, ?, ?, ?, ?)', key, index, prev, hash, body),
    changeKept(
      { table: 'chain_heads', key: [key], change: () => ({ next: index + 1, hash }) },
      'INSERT INTO chain_heads (tenant, next, hash) VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET next = excluded.next, hash = excluded.hash',
      key,
      index + 1,
      hash,
    ),
  ];
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
