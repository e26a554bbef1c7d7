import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstSince, type StoredRecord } from '../../server/audit/index.ts';

it('leaves out nothing made since then, and reads little of what was made before', async () => {
  const gaps = fc.array(fc.integer({ min: -300_000, max: 3_600_000 }), { maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.double({ min: 0, max: 1, noNaN: true }), async (steps, part) => {
      let at = 1_000_000_000;
      const times = steps.map((step) => (at += Math.max(step, step < 0 ? -300_000 : 0)));
      const highest = times.map((_, index) => Math.max(...times.slice(0, index + 1)));
      // As records come: never more than five minutes behind any before.
      const made = times.map((time, index) => Math.max(time, (highest[index] ?? 0) - 300_000));
      let reads = 0;
      const store = {
        async readRecords(_: string | null, from: number, limit: number) {
          reads += 1;
          return made.slice(from, from + limit).map((time, offset) => ({ index: from + offset, body: { at: time } }) as unknown as StoredRecord);
        },
      };
      const since = 1_000_000_000 + Math.floor(part * (Math.max(at, 1_000_000_000) - 1_000_000_000));
      const first = await firstSince(store, 'acme', since);
      expect(made.slice(0, first).every((time) => time < since)).toBe(true);
      expect(reads).toBeLessThan(25);
    }),
  );
});
