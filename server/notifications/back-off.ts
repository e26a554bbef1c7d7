const minute = 60_000;
const hour = 60 * minute;

/** How long is waited after each try that failed, as Standard Webhooks suggests: some three days in all. */
export const waits: readonly number[] = [5_000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];

/**
 * When a message is tried again after `attempts` tries, in epoch milliseconds; null when it is given up. Up to a tenth later, by
 * `random` (0 to 1), so that what failed together does not come back together.
 */
export function nextTry(attempts: number, now: number, random: number): number | null {
  const wait = waits[attempts - 1];
  return wait === undefined ? null : now + wait + Math.floor(wait * 0.1 * random);
}
