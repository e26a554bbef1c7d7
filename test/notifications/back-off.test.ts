import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTry, waits } from '../../server/notifications/back-off.ts';
import { leaseMs } from '../../server/notifications/deliver.ts';
import { tryMs } from '../../server/notifications/post.ts';

const chance = fc.double({ min: 0, max: 1, noNaN: true });

describe('the back-off', () => {
  it('waits longer after each try, and some three days in all', () => {
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    expect(total).toBeGreaterThan(3 * 86_400_000);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });

  it('lies ahead, at most a tenth beyond its wait, and ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(4e12), chance, (attempts, now, random) => {
        const next = nextTry(attempts, now, random);
        const wait = waits[attempts - 1];
        if (wait === undefined) expect(next).toBeNull();
        else {
          expect(next).toBeGreaterThanOrEqual(now + wait);
          expect(next).toBeLessThanOrEqual(now + wait * 1.1);
        }
      }),
    );
  });

  it('leaves a receiver the time it asks for, never less than ours and a day at most, in seconds or until a date', () => {
    const now = Date.UTC(2026, 10, 25, 12);
    const wait = (header: string | null) => (nextTry(1, now, 0, header) ?? 0) - now;
    expect([wait('120'), wait(' 120 '), wait('Wed, 25 Nov 2026 12:10:00 GMT')]).toEqual([120_000, 120_000, 600_000]);
    expect([wait('0'), wait('1'), wait('Wed, 25 Nov 2026 11:00:00 GMT'), wait(null)]).toEqual([5_000, 5_000, 5_000, 5_000]);
    expect([wait('999999999'), wait('Wed, 25 Nov 2099 12:10:00 GMT')]).toEqual([86_400_000, 86_400_000]);
    for (const header of ['', '-5', '1e9', '1.5', 'soon', '2026-11-25T13:00:00Z', '9999999999', 'Wed, nonsense', '12 12', `Wed, ${'x'.repeat(60)}`])
      expect(wait(header), header).toBe(5_000);
    expect(nextTry(waits.length + 1, now, 0, '120')).toBeNull();
  });

  it('keeps a lease far beyond the longest try', () => expect(leaseMs).toBeGreaterThan(3 * tryMs));
});
