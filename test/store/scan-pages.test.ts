import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Page, scanPages } from '../../server/store/index.ts';

const rowsOf = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `row-${index}`, index }));

/** A store of these rows that counts what it was asked for. */
function reader(rows: ReturnType<typeof rowsOf>) {
  const asked = { rows: 0 };
  const read = async ({ after, limit }: Page) => {
    const start = after === null ? 0 : rows.findIndex(({ id }) => id === after) + 1;
    asked.rows += limit;
    return rows.slice(start, start + limit);
  };
  return { asked, read };
}

test('following the cursor gives every wanted row once, in order, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 450 }), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 7 }), async (count, limit, every) => {
      const rows = rowsOf(count);
      const seen: number[] = [];
      for (let after: string | null = null, more = true; more; more = after !== null) {
        const page: { items: number[]; next: string | null } = await scanPages(reader(rows).read, { after, limit }, ({ index }) =>
          index % every === 0 ? index : null,
        );
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        after = page.next;
      }
      expect(seen).toEqual(rows.map(({ index }) => index).filter((index) => index % every === 0));
    }),
    { numRuns: 60 },
  );
});

test('one answer looks at no more than 1,000 rows, and its cursor goes on after them', async () => {
  const { read, asked } = reader(rowsOf(2_500));
  expect(await scanPages(read, { after: null, limit: 5 }, () => null)).toEqual({ items: [], next: 'row-999' });
  expect(asked.rows).toBe(1_000);
});
