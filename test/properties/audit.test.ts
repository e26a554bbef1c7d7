import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  chainRecord,
  checkBody,
  genesis,
  hmacOf,
  type RecordBody,
  recordTypes,
  type StoredRecord,
  verifyChain,
  verifyExport,
} from '../../server/audit/index.ts';
import { fields } from '../../server/audit/record-fields.ts';
import { canonicalForm } from '../../tools/index.ts';

/** Of any type but an enrolment, which must hold a key to be whole. */
const bodies = fc.array(
  fc
    .record(
      {
        type: fc.constantFrom(...recordTypes.filter((type) => type !== 'passkey.enrolled')),
        at: fc.nat(),
        tool: fc.string({ unit: 'binary' }),
        detail: fc.string({ unit: 'grapheme' }),
        fence: fc.nat(),
        policies: fc.array(fc.string()),
        satisfied: fc.array(fc.record({ literal: fc.string(), source: fc.string(), persons: fc.array(fc.string()) })),
      },
      { requiredKeys: ['type', 'at'] },
    )
    .map(checkBody),
  { minLength: 1, maxLength: 6 },
);

const chains = fc.tuple(bodies, fc.option(fc.constantFrom('acme', 'globex'))).map(([all, tenant]) => {
  const records: StoredRecord[] = [];
  for (const [i, body] of all.entries()) records.push(chainRecord(records.at(-1)?.hash ?? genesis, i, tenant, body));
  return records;
});

describe('any chain', () => {
  it('verifies after it was written out and read again', async () => {
    await fc.assert(
      fc.asyncProperty(chains, async (records) => {
        const lines = records.map((record) => JSON.stringify(record));
        expect(await verifyExport(lines)).toEqual({ ok: true, count: records.length, head: records.at(-1)?.hash, signatures: 0 });
      }),
    );
  });

  it('breaks when one character of its export is another', async () => {
    await fc.assert(
      fc.asyncProperty(chains, fc.nat(), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), async (records, line, place, other) => {
        const lines = records.map((record) => JSON.stringify(record));
        const at = line % lines.length;
        const text = lines[at] ?? '';
        const where = place % text.length;
        // The hex of an escape may be written in either case, and means the same.
        fc.pre(text[where] !== other && !text.includes('\\u'));
        lines[at] = text.slice(0, where) + other + text.slice(where + 1);
        expect(await verifyExport(lines)).toMatchObject({ ok: false });
      }),
      { numRuns: 500 },
    );
  });

  it('breaks when records but its last are left out, moved or said twice', async () => {
    await fc.assert(
      fc.asyncProperty(chains, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), async (records, order) => {
        const picked = order.map((i) => records[i % records.length] as StoredRecord);
        const isPrefix = picked.every((record, i) => record.index === i);
        expect((await verifyChain(picked)).ok).toBe(isPrefix);
      }),
    );
  });
});

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('x'.repeat(2_000), 'x'.repeat(2_001), '\ud800'));
const texts = fc.array(text, { maxLength: 4 });
/** Values that some field takes as they are, values that one mends and values that none takes. */
const value = fc.oneof(
  text,
  texts,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(
    ...[
      'allow',
      'read',
      'call.refused',
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      undefined,
      Object.assign([], { 1: 'x' }),
      Array(1_001).fill('x'),
      new Date(0),
      {},
    ],
  ),
  fc.record(
    { sensitivity: text, categories: fc.oneof(texts, text), integrity: text, origin: text },
    { requiredKeys: ['sensitivity', 'categories', 'integrity'] },
  ),
  fc.record({ sensitivity: text }).map((made) => Object.create(made) as object),
);

describe('any value', () => {
  it('is kept, mended or refused in every field of a record as the check of the field says, also where it is passed without it', () => {
    fc.assert(
      fc.property(value, (given) => {
        for (const [name, check] of Object.entries<z.ZodType>({ ...fields, arguments: z.never() })) {
          const record = { type: 'call.refused', at: 1, [name]: given } as unknown as RecordBody;
          const checked = check.safeParse(given);
          if (checked.success) expect(checkBody(record)).toStrictEqual({ ...record, [name]: checked.data });
          else if (given === undefined && name !== 'type' && name !== 'at') expect(checkBody(record)).toStrictEqual({ type: 'call.refused', at: 1 });
          else expect(() => checkBody(record)).toThrow(/not allowed in a record/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a keyed HMAC', () => {
  it('is HMAC-SHA-256 of the canonical form, whatever the lengths of the key and the value', () => {
    const long = fc.nat({ max: 3_000 }).map((length) => '€'.repeat(length));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), fc.oneof(fc.string({ unit: 'binary' }), long), (bytes, said) => {
        const expected = createHmac('sha256', bytes).update(canonicalForm(said)).digest('hex');
        expect(hmacOf([{ id: 'k', createdAt: 0, retiresAt: null, bytes }], said)).toBe(`k:${expected}`);
      }),
      { numRuns: 500 },
    );
  });
});
