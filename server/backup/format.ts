import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { SecretKey } from '../credentials/index.ts';
import type { Row } from '../store/index.ts';

/**
 * A backup: one line of JSON (the header), a gzip stream of JSON lines, and a trailer of 64 bytes: SHA-256 of everything before it, and
 * an HMAC-SHA-256 of that under a key the header names. The lines are, for each table in the order of the schema, one that names it and
 * its columns, then one array a row; the last counts the rows. It is the same whichever engine it was taken from.
 */
export const formatVersion = 1;
export const trailerBytes = 64;
/** Longer than any header or row a broker writes; what is longer is not read. */
export const longestLine = 64 * 1024 * 1024;

const ids = z.array(z.string());
const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const header = z.strictObject({
  format: z.literal('taskgate-backup'),
  version: z.int().positive(),
  /** Version of the store's schema. */
  schema: z.int().positive(),
  store: z.string().min(1).max(64),
  epoch: z.int().positive(),
  made_at: z.iso.datetime(),
  /** Where each chain ended; null is the platform log. */
  heads: z.array(z.strictObject({ tenant: z.string().min(1).nullable(), index: z.int().nonnegative(), hash })),
  /** Ids of the keys without which what is sealed in it cannot be opened, nor tokens signed before be verified. The keys are not in it. */
  keys: z.strictObject({ token: ids, state: ids, hmac: ids, escrow: ids }),
  /** Id of the key of the HMAC. */
  mac_key: z.string(),
});
export type Header = z.infer<typeof header>;

/** The file is not a backup this Taskgate can restore; nothing was done with it. */
export class BadBackup extends Error {
  override readonly name = 'BadBackup';
}

export const macOf = (key: SecretKey, digest: Uint8Array): Buffer => createHmac('sha256', key.bytes).update('taskgate-backup:').update(digest).digest();

const bytes = z.strictObject({ b: z.base64() });

export const rowLine = (row: Row): string =>
  JSON.stringify(row.map((value) => (value instanceof Uint8Array ? { b: Buffer.from(value).toString('base64') } : value)));

/** Throws `BadBackup` for what is not a row of so many columns. */
export function parseRow(parsed: readonly unknown[], columns: number): Row {
  if (parsed.length !== columns) throw new BadBackup('a row has not the columns of its table');
  return parsed.map((value) => {
    if (value === null || typeof value === 'string' || Number.isSafeInteger(value)) return value as Row[number];
    const held = bytes.safeParse(value);
    if (!held.success) throw new BadBackup('a row holds what no row can hold');
    return new Uint8Array(Buffer.from(held.data.b, 'base64'));
  });
}
