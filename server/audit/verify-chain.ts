import { chainRecord, genesis } from './chain.ts';
import { createSignatureCheck } from './check-signatures.ts';
import type { StoredRecord } from './record.ts';

export type Verification =
  | {
      readonly ok: true;
      readonly count: number;
      /** Votes whose signature by the reviewer's own key was checked, and holds. */
      readonly signatures: number;
      /** Hash of the last record, hex; 64 zeros for an empty log. */
      readonly head: string;
    }
  | {
      readonly ok: false;
      /** Of the first record that is not what it should be. */
      readonly index: number;
      readonly why: string;
    };

/**
 * Walks one tenant's log from its first record, holding one record at a time, and checks what reviewers signed. A chain shows any change inside it; that its end was cut
 * off, or all of it rewritten, only a checkpoint held elsewhere can show (DESIGN §2, rule 12).
 */
export async function verifyChain(records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>): Promise<Verification> {
  let head = genesis;
  let count = 0;
  let tenant: string | null | undefined;
  const signatures = createSignatureCheck();
  for await (const record of records) {
    const why = whyBroken(record, count, head, tenant === undefined ? record.tenant : tenant) ?? (await signatures.check(record));
    if (why !== null) return { ok: false, index: count, why };
    tenant = record.tenant;
    head = record.hash;
    count += 1;
  }
  return { ok: true, count, signatures: signatures.count(), head };
}

function whyBroken(record: StoredRecord, index: number, prev: string, tenant: string | null): string | null {
  if (record.index !== index) return `record ${index} is missing: ${record.index} stands in its place`;
  if (record.tenant !== tenant) return 'it belongs to another log';
  if (record.prev !== prev) return 'it does not follow the record before it';
  return hashOf(record) === record.hash ? null : 'its content is not what its hash says';
}

function hashOf(record: StoredRecord): string | null {
  try {
    return chainRecord(record.prev, record.index, record.tenant, record.body).hash;
  } catch {
    // No canonical form: no broker wrote it.
    return null;
  }
}
