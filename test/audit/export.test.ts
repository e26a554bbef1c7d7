import { describe, expect, it } from 'vitest';
import { chainRecord, exportJsonl, genesis, parseExport, parseLine, recordsOf, type StoredRecord, verifyExport } from '../../server/audit/index.ts';

const records: StoredRecord[] = [];
for (let i = 0; i < 1200; i++) {
  records.push(chainRecord(records.at(-1)?.hash ?? genesis, i, 'acme', { type: 'call.refused', at: 1_800_000_000_000 + i, code: `code-${i}` }));
}
const store = {
  readRecords: async (tenant: string | null, from: number, limit: number) => (tenant === 'acme' ? records.slice(from, from + limit) : []),
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('an export', () => {
  it('is one record a line, all pages of them, and reads back as it was', async () => {
    const lines = await collect(exportJsonl(store, 'acme'));
    expect(lines).toHaveLength(1200);
    expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(await collect(parseExport(lines))).toEqual(records);
    expect(await verifyExport(lines)).toEqual({ ok: true, count: 1200, signatures: 0, head: records.at(-1)?.hash });
    expect(await collect(exportJsonl(store, 'globex'))).toEqual([]);
  });

  it('can be followed from an index on', async () => {
    expect((await collect(recordsOf(store, 'acme', 1190))).map(({ index }) => index)).toEqual([1190, 1191, 1192, 1193, 1194, 1195, 1196, 1197, 1198, 1199]);
  });

  it('may hold what a later Taskgate writes, still hashed', async () => {
    const later = chainRecord(genesis, 0, 'acme', { type: 'call.teleported', at: 1, speed: 9 } as never);
    expect(await verifyExport([JSON.stringify(later)])).toMatchObject({ ok: true });
    expect(await verifyExport([JSON.stringify(later).replace('9', '8')])).toMatchObject({ ok: false, index: 0 });
  });

  it.each([
    ['no JSON', 'not json'],
    ['half a line', JSON.stringify(records[1]).slice(0, 80)],
    ['two readings', JSON.stringify(records[1]).replace('"index":1', '"index":7,"index":1')],
    ['something added beside the hash', JSON.stringify({ ...records[1], note: 'hi' })],
    ['another kind of hash', JSON.stringify({ ...records[1], hash: 'abc' })],
  ])('breaks where a line has %s', async (_, line) => {
    const lines = [JSON.stringify(records[0]), '', line, JSON.stringify(records[2])];
    expect(await verifyExport(lines)).toEqual({ ok: false, index: 1, why: 'the line is not a record' });
    expect(() => parseLine(line)).toThrow();
  });
});
