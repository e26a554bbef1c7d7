import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainRecord, genesis, type RecordBody, type StoredRecord, verifyChain } from '../../server/audit/index.ts';

const body = (code: string): RecordBody => ({ type: 'call.refused', at: 1_800_000_000_000, code });

function chainOf(count: number, tenant: string | null = 'acme'): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let i = 0; i < count; i++) records.push(chainRecord(records.at(-1)?.hash ?? genesis, i, tenant, body(`code-${i}`)));
  return records;
}

describe('a chain', () => {
  it('hashes the hex of the record before, then the canonical form of index, tenant and body', () => {
    const record = chainRecord(genesis, 0, 'acme', { type: 'call.refused', at: 5 });
    const text = `${'0'.repeat(64)}{"body":{"at":5,"type":"call.refused"},"index":0,"tenant":"acme"}`;
    expect(record.hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('does not depend on the order in which a body was written', () => {
    const one = chainRecord(genesis, 0, null, { type: 'call.refused', at: 1, code: 'x' });
    const other = chainRecord(genesis, 0, null, { code: 'x', at: 1, type: 'call.refused' });
    expect(one.hash).toBe(other.hash);
  });

  it('that is whole verifies, from an iterable or a stream, and tells its head', async () => {
    const records = chainOf(5);
    expect(await verifyChain(records)).toEqual({ ok: true, count: 5, signatures: 0, head: records[4]?.hash });
    async function* stream() {
      yield* records;
    }
    expect(await verifyChain(stream())).toEqual({ ok: true, count: 5, signatures: 0, head: records[4]?.hash });
    expect(await verifyChain([])).toEqual({ ok: true, count: 0, signatures: 0, head: genesis });
  });

  it.each<[string, (records: StoredRecord[]) => StoredRecord[], number, RegExp]>([
    ['a changed body', (r) => r.with(2, { ...(r[2] as StoredRecord), body: body('other') }), 2, /content/],
    ['a changed hash', (r) => r.with(2, { ...(r[2] as StoredRecord), hash: 'f'.repeat(64) }), 2, /content/],
    ['a missing record', (r) => r.toSpliced(2, 1), 2, /missing/],
    ['a missing first record', (r) => r.slice(1), 0, /missing/],
    ['two in the wrong order', (r) => r.with(1, r[2] as StoredRecord).with(2, r[1] as StoredRecord), 1, /missing/],
    ['one that is there twice', (r) => r.toSpliced(2, 0, r[1] as StoredRecord), 2, /missing/],
    ['one made for another place', (r) => r.with(2, chainRecord(genesis, 2, 'acme', body('code-2'))), 2, /follow/],
    ['one of another tenant', (r) => r.with(2, chainRecord((r[1] as StoredRecord).hash, 2, 'globex', body('code-2'))), 2, /another log/],
    ['one of the platform', (r) => r.with(2, chainRecord((r[1] as StoredRecord).hash, 2, null, body('code-2'))), 2, /another log/],
    ['a body without a canonical form', (r) => r.with(2, { ...(r[2] as StoredRecord), body: body('\ud800') }), 2, /content/],
  ])('shows %s, where it stands', async (_, change, index, why) => {
    expect(await verifyChain(change(chainOf(4)))).toEqual({ ok: false, index, why: expect.stringMatching(why) as string });
  });

  it('does not show that its end was cut off: only a checkpoint held elsewhere can', async () => {
    expect(await verifyChain(chainOf(4).slice(0, 3))).toMatchObject({ ok: true, count: 3 });
  });
});
