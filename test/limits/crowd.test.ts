import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCrowd } from '../../server/limits/crowd.ts';

const times = (count: number, act: () => void): void => {
  for (let index = 0; index < count; index++) act();
};

describe('a tenant is greedy', () => {
  it('while most of what is under way is its own and another is there', () => {
    const crowd = createCrowd();
    for (const name of ['loud', 'quiet']) crowd.see(name, 0);
    times(20, () => crowd.come('loud'));
    times(3, () => crowd.come('quiet'));
    expect([crowd.isGreedy('loud'), crowd.isGreedy('quiet')]).toEqual([true, false]);
    times(15, () => crowd.go('loud'));
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('never alone, however much it has under way', () => {
    const crowd = createCrowd();
    crowd.see('loud', 0);
    times(1_000, () => crowd.come('loud'));
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('not for a few', () => {
    const crowd = createCrowd();
    for (const name of ['one', 'other']) crowd.see(name, 0);
    times(8, () => crowd.come('one'));
    expect(crowd.isGreedy('one')).toBe(false);
    crowd.come('one');
    expect(crowd.isGreedy('one')).toBe(true);
  });

  it('no longer once its neighbour has been away for two windows, nor after the clock was set back', () => {
    const crowd = createCrowd();
    for (const name of ['loud', 'quiet']) crowd.see(name, 0);
    times(20, () => crowd.come('loud'));
    crowd.see('loud', 1_500);
    expect(crowd.isGreedy('loud')).toBe(true);
    crowd.see('loud', 2_600);
    expect(crowd.isGreedy('loud')).toBe(false);
    crowd.see('quiet', 2_700);
    expect(crowd.isGreedy('loud')).toBe(true);
    crowd.see('loud', 100);
    expect(crowd.isGreedy('loud')).toBe(false);
  });

  it('never with another at once: of all that is under way only one has most', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const crowd = createCrowd();
        const under = new Map<string, number>();
        for (const [name, comes] of steps) {
          crowd.see(name, 0);
          const own = under.get(name) ?? 0;
          if (!comes && own === 0) continue;
          if (comes) crowd.come(name);
          else crowd.go(name);
          under.set(name, own + (comes ? 1 : -1));
          expect(['a', 'b', 'c'].filter((one) => crowd.isGreedy(one)).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
