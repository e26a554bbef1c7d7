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

  it('keeps a lease far beyond the longest try', () => expect(leaseMs).toBeGreaterThan(3 * tryMs));
});
