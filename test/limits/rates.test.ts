import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuckets } from '../../server/limits/rates.ts';

const rate = fc.record({ per_second: fc.double({ min: 0.1, max: 1_000, noNaN: true }), burst: fc.integer({ min: 1, max: 50 }) });

describe('a token bucket', () => {
  it('never gives more than its burst and its rate over any time, and after the wait it names it gives one', () => {
    fc.assert(
      fc.property(rate, fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }), (limits, gaps) => {
        const buckets = createBuckets(limits);
        const given: number[] = [];
        let now = 1_000_000;
        for (const gap of gaps) {
          now += gap;
          const wait = buckets.waitFor('k', now);
          if (wait === 0) {
            buckets.take('k', now);
            given.push(now);
          } else expect(buckets.waitFor('k', now + wait)).toBe(0);
        }
        for (const [index, from] of given.entries()) {
          for (let to = index; to < given.length; to++) {
            const most = limits.burst + (((given[to] ?? 0) - from) * limits.per_second) / 1_000;
            expect(to - index + 1).toBeLessThanOrEqual(most + 1e-3);
          }
        }
      }),
    );
  });

  it('is not another key’s, and is forgotten once it is full again', () => {
    const buckets = createBuckets({ per_second: 10, burst: 1 });
    buckets.take('a', 0);
    expect(buckets.waitFor('a', 0)).toBe(100);
    expect(buckets.waitFor('b', 0)).toBe(0);
    for (let i = 0; i < 1_000; i++) buckets.take(`k${i}`, i);
    expect(buckets.size(0)).toBeLessThan(150);
    expect(buckets.size(2_000)).toBe(0);
  });

  it('does not stay closed when the clock is set back', () => {
    const buckets = createBuckets({ per_second: 1, burst: 2 });
    buckets.take('a', 1_000_000);
    buckets.take('a', 1_000_000);
    expect(buckets.waitFor('a', 0)).toBeLessThanOrEqual(1_000);
    expect(buckets.waitFor('a', 1_000)).toBe(0);
  });
});
