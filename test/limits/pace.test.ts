import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPace } from '../../server/limits/pace.ts';

it('lets one of each name through a turn of the loop, in the order asked, whoever else comes with how many', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 }), async (names) => {
      let turns = 0;
      // Begun before the pace is, so that it counts each turn before anything goes through in it.
      let ticking = setImmediate(function tick() {
        turns += 1;
        ticking = setImmediate(tick);
      });
      const pace = createPace();
      const through: { name: string; nth: number; turn: number }[] = [];
      const asked = new Map<string, number>();
      const waits = names.map((name) => {
        const nth = asked.get(name) ?? 0;
        asked.set(name, nth + 1);
        const note = (): void => void through.push({ name, nth, turn: turns });
        const next = pace.next(name);
        if (next === null) note();
        return next?.then(note);
      });
      await Promise.all(waits);
      clearImmediate(ticking);
      expect(through).toHaveLength(names.length);
      for (const name of asked.keys()) {
        const own = through.filter((one) => one.name === name);
        expect(own.map(({ nth }) => nth)).toEqual(own.map((_, index) => index));
        expect(new Set(own.map((one) => one.turn)).size).toBe(own.length);
      }
    }),
    { numRuns: 50 },
  );
});
