const minute = 60_000;
const hour = 60 * minute;

/** How long is waited after each try that failed, as Standard Webhooks suggests: some three days in all. */
export const waits: readonly number[] = [5_000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];

/**
 * When a message is tried again after `attempts` tries, in epoch milliseconds; null when it is given up. Up to a tenth later, by
 * `random` (0 to 1), so that what failed together does not come back together.
 */
export function nextTry(attempts: number, now: number, random: number, retryAfter: string | null = null): number | null {
  const wait = waits[attempts - 1];
  return wait === undefined ? null : now + Math.max(wait + Math.floor(wait * 0.1 * random), askedFor(retryAfter, now));
}

/** A receiver may ask for more time than we would leave it, never for less, and for a day at most. */
const longestAsked = 24 * hour;

/** Milliseconds that `Retry-After` (RFC 9110, §10.2.3) asks for, seconds or a date; 0 for what is neither. */
function askedFor(header: string | null, now: number): number {
  const text = header?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : /^[A-Za-z]{3}, /.test(text) && text.length < 40 ? Date.parse(text) - now : 0;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestAsked) : 0;
}
