import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainRecord, checkBody, genesis, recordTypes, type StoredRecord, verifyChain, verifyExport } from '../../server/audit/index.ts';

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
