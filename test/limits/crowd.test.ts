import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCrowd } from '../../server/limits/crowd.ts';

const times = (count: number, of: (index: number) => void): void => {
  for (let index = 0; index < count; index++) of(index);
};

describe('a tenant is greedy', () => {
  it('when it asks for more than an even share while another asks too', () => {
    const crowd = createCrowd();
    times(100, (index) => crowd.note('loud', index));
    times(40, (index) => crowd.note('quiet', 100 + index));
    expect([crowd.isGreedy('loud'), crowd.isGreedy('quiet')]).toEqual([true, false]);
  });

  it('never alone, however much it asks', () => {
    const crowd = createCrowd();
    times(10_000, (index) => crowd.note('loud', index / 10));
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('not for a few requests more than the others', () => {
    const crowd = createCrowd();
    times(20, (index) => crowd.note('one', index));
    crowd.note('other', 20);
    expect(crowd.isGreedy('one')).toBe(false);
  });

  it('no longer once its neighbour has been silent for two windows', () => {
    const crowd = createCrowd();
    times(100, () => crowd.note('loud', 0));
    crowd.note('quiet', 0);
    expect(crowd.isGreedy('loud')).toBe(true);
    times(100, (index) => crowd.note('loud', 1_000 + index));
    expect(crowd.isGreedy('loud')).toBe(true);
    times(100, (index) => crowd.note('loud', 2_000 + index));
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('by what was asked since, when the clock is set back', () => {
    const crowd = createCrowd();
    times(100, () => crowd.note('loud', 10_000_000));
    crowd.note('quiet', 5_000);
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('never with all others at once: somebody has no more than an even share', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 400 })), { minLength: 1, maxLength: 300 }), (asked) => {
        const crowd = createCrowd();
        let now = 0;
        for (const [name, after] of asked) {
          now += after;
          crowd.note(name, now);
        }
        expect(['a', 'b', 'c', 'd'].every((name) => crowd.isGreedy(name))).toBe(false);
      }),
    );
  });
});
