import type { Page } from './rows/state.ts';

const pageSize = 100;
/** Rows looked at for one answer, so that whoever may see few of many cannot make it long; the cursor goes on from there. */
const mostScanned = 1000;

/** Up to `from.limit` of what `pick` makes of rows (null passes one over), in the store's order; `next` is null when there are no more. */
export async function scanPages<Row extends { readonly id: string }, Item>(
  read: (page: Page) => Promise<readonly Row[]>,
  from: Page,
  pick: (row: Row) => Item | null | Promise<Item | null>,
): Promise<{ items: Item[]; next: string | null }> {
  const items: Item[] = [];
  let after = from.after;
  for (let scanned = 0; scanned < mostScanned; scanned += pageSize) {
    const rows = await read({ after, limit: pageSize });
    for (const row of rows) {
      const item = await pick(row);
      after = row.id;
      if (item !== null) items.push(item);
      if (items.length === from.limit) return { items, next: after };
    }
    if (rows.length < pageSize) return { items, next: null };
  }
  return { items, next: after };
}
