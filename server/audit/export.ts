import { z } from 'zod';
import { parseJsonStrict } from '../../tools/index.ts';
import type { Store } from '../store/store.ts';
import type { RecordBody, StoredRecord } from './record.ts';
import { type Verification, verifyChain } from './verify-chain.ts';

const pageSize = 500;

/** All records of a tenant (`null`: the platform log) from index `from` to what was the end when the last page was read. */
export async function* recordsOf(store: Pick<Store, 'readRecords'>, tenant: string | null, from = 0): AsyncGenerator<StoredRecord> {
  for (let next = from; ; ) {
    const page = await store.readRecords(tenant, next, pageSize);
    yield* page;
    next += page.length;
    if (page.length < pageSize) return;
  }
}

/** The log as JSONL, one record a line, each line with its newline. */
export async function* exportJsonl(store: Pick<Store, 'readRecords'>, tenant: string | null): AsyncGenerator<string> {
  for await (const record of recordsOf(store, tenant)) yield `${JSON.stringify(record)}\n`;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const line = z.strictObject({
  tenant: z.string().nullable(),
  index: z.int().nonnegative(),
  prev: hash,
  hash,
  // Not the allow-list: a later Taskgate may have written fields this one does not know, and their hash is still checked.
  body: z.looseObject({ type: z.string(), at: z.int() }),
});

/** One line of an export. Throws when it is not one; a duplicate key too, because two readers would see two records. */
export function parseLine(jsonl: string): StoredRecord {
  const parsed = line.parse(parseJsonStrict(jsonl));
  return { ...parsed, body: parsed.body as unknown as RecordBody };
}

/** The records of an export, line by line; blank lines are passed over. Throws at the first line that is not a record. */
export async function* parseExport(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<StoredRecord> {
  for await (const one of lines) if (one.trim() !== '') yield parseLine(one);
}

/** `verifyChain` over the lines of an export: a line that cannot be read breaks the chain where it stands. */
export async function verifyExport(lines: AsyncIterable<string> | Iterable<string>): Promise<Verification> {
  let read = 0;
  let unreadable = false;
  async function* records(): AsyncGenerator<StoredRecord> {
    for await (const one of lines) {
      if (one.trim() === '') continue;
      const record = readable(one);
      unreadable = record === null;
      if (record === null) return;
      yield record;
      read += 1;
    }
  }
  const verified = await verifyChain(records());
  return verified.ok && unreadable ? { ok: false, index: read, why: 'the line is not a record' } : verified;
}

function readable(jsonl: string): StoredRecord | null {
  try {
    return parseLine(jsonl);
  } catch {
    return null;
  }
}
