import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { RecordBody, StoredRecord } from './record.ts';

/** What the first record of a chain follows. */
export const genesis = '0'.repeat(64);

/**
 * The record that follows `prev` (hex) at `index`. Its hash is SHA-256 of the 64 hex characters of `prev` followed by the canonical
 * form (RFC 8785) of `{index, tenant, body}`, so anyone can check a chain from an export alone.
 */
export function chainRecord(prev: string, index: number, tenant: string | null, body: RecordBody): StoredRecord {
  return { tenant, index, prev, hash: hashAfter(prev, index, tenant, canonicalForm(body)), body };
}

/** The hash of a record whose body has this canonical form. Its three names come in their order, so the forms stand in one another as they are. */
export const hashAfter = (prev: string, index: number, tenant: string | null, body: string): string =>
  sha256Hex(`${prev}{"body":${body},"index":${canonicalForm(index)},"tenant":${canonicalForm(tenant)}}`);
