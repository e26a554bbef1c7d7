import type { Store } from '../store/store.ts';

/** Brokers' clocks may differ a little, so a record may say an earlier time than the one before it. */
const apartMs = 600_000;

/** An index from which all records made since `since` (epoch milliseconds) stand, found without reading those before. */
export async function firstSince(store: Pick<Store, 'readRecords'>, tenant: string, since: number): Promise<number> {
  const isBefore = async (index: number): Promise<boolean> => {
    const [record] = await store.readRecords(tenant, index, 1);
    return record !== undefined && record.body.at < since - apartMs;
  };
  let [below, above] = [0, 1];
  while (await isBefore(above)) [below, above] = [above, above * 2];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (await isBefore(middle)) below = middle;
    else above = middle;
  }
  return below;
}
