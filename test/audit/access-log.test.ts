import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createAccessLog, type RecordBody } from '../../server/audit/index.ts';

function bench() {
  const written: RecordBody[] = [];
  const at = { now: 1_800_000_000_000, broken: false };
  const store = {
    async append(_tenant: string | null, records: readonly RecordBody[]) {
      if (at.broken) throw new Error('gone');
      written.push(...records);
      return records.map((_, i) => i);
    },
  };
  return { written, at, log: createAccessLog({ store, clock: () => at.now, log: pino({ level: 'silent' }) }) };
}
const refused = (code: string, actor = 'ses_1') => ({ type: 'call.refused' as const, tenant: 'acme', actor, session: actor, door: 'mcp', code });
const total = (records: readonly RecordBody[]): number => records.reduce((sum, { count = 1 }) => sum + count, 0);

describe('refusals of somebody known', () => {
  it('are recorded one by one up to twenty a minute, then counted, and every one of them is accounted for', async () => {
    const { written, at, log } = bench();
    for (let i = 0; i < 50; i++) await log.known(refused('approval.unknown'));
    await log.sumUp();
    expect(written).toHaveLength(20);
    at.now += 60_000;
    await log.sumUp();
    expect(written.slice(20)).toMatchObject([{ type: 'call.refused', actor: 'ses_1', session: 'ses_1', code: 'approval.unknown', count: 30 }]);
    expect(total(written)).toBe(50);
  });

  it('over a limit are one record at first, and then one a minute that says how many, as long as they go on', async () => {
    const { written, at, log } = bench();
    for (let minute = 0; minute < 3; minute++) {
      for (let i = 0; i < 100; i++) await log.known(refused('limit.exceeded'));
      at.now += 60_000;
      await log.sumUp();
    }
    expect(written.map(({ count }) => count)).toEqual([undefined, 99, 100, 100]);
    at.now += 60_000;
    await log.sumUp();
    at.now += 60_000;
    await log.known(refused('limit.exceeded'));
    expect(written).toHaveLength(5);
  });

  it('of one asker leave no less room for another', async () => {
    const { written, log } = bench();
    for (let i = 0; i < 500; i++) await log.known(refused('approval.unknown'));
    await log.known(refused('approval.unknown', 'ses_2'));
    expect(written.at(-1)).toMatchObject({ actor: 'ses_2' });
  });

  it('that were only counted are written down at the end of a process, and not lost while the store is', async () => {
    const { written, at, log } = bench();
    for (let i = 0; i < 30; i++) await log.known(refused('limit.exceeded'));
    at.broken = true;
    await expect(log.flush()).rejects.toThrow('gone');
    await log.known(refused('limit.exceeded'));
    at.broken = false;
    await log.flush();
    expect(total(written)).toBe(31);
    await log.flush();
    expect(total(written)).toBe(31);
  });
});
