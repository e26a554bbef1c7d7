import { describe, expect, it } from 'vitest';
import { createPlatformLog, type RecordBody } from '../../server/audit/index.ts';

const refused: RecordBody = { type: 'access.refused', at: 1, code: 'token.invalid' };

function bench() {
  const written: RecordBody[] = [];
  const clock = { now: 1_800_000_000_000 };
  const disk = { broken: false };
  const store = {
    async append(tenant: string | null, records: readonly RecordBody[]) {
      expect(tenant).toBeNull();
      if (disk.broken) throw new Error('gone');
      written.push(...records);
      return records.map((_, i) => i);
    },
  };
  return { written, clock, disk, log: createPlatformLog(store, () => clock.now) };
}

describe('the platform log', () => {
  it('takes twenty a minute from strangers, counts the rest, and sums them up when the next minute opens', async () => {
    const { written, clock, log } = bench();
    const noted = [];
    for (let i = 0; i < 50; i++) noted.push(await log.note(refused));
    expect(noted.filter(Boolean)).toHaveLength(20);
    expect(written).toHaveLength(20);
    clock.now += 60_000;
    expect(await log.note(refused)).toBe(true);
    expect(written.slice(20)).toEqual([expect.objectContaining({ code: 'rate_limited', detail: '30 more were refused and not recorded one by one' }), refused]);
    clock.now += 60_000;
    await log.note(refused);
    expect(written).toHaveLength(23);
  });

  it('sums up at the end of a process, once', async () => {
    const { written, log } = bench();
    for (let i = 0; i < 21; i++) await log.note(refused);
    await log.flush();
    await log.flush();
    expect(written).toHaveLength(21);
    expect(written.at(-1)).toMatchObject({ detail: expect.stringMatching(/^1 more/) as string });
  });

  it('does not forget the count when it could not be written', async () => {
    const { written, clock, disk, log } = bench();
    for (let i = 0; i < 22; i++) await log.note(refused);
    disk.broken = true;
    await expect(log.flush()).rejects.toThrow('gone');
    clock.now += 60_000;
    await expect(log.note(refused)).rejects.toThrow('gone');
    disk.broken = false;
    await log.flush();
    expect(written.at(-1)).toMatchObject({ detail: expect.stringMatching(/^2 more/) as string });
  });

  it('stays open when the clock is set back', async () => {
    const { clock, log } = bench();
    for (let i = 0; i < 20; i++) await log.note(refused);
    clock.now -= 3_600_000;
    expect(await log.note(refused)).toBe(true);
  });
});
