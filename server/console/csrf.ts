import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';
import { isLoopbackHost } from '../identity/index.ts';

/** Known only to pages this login was shown: the cookie itself no script and no other site can read. */
export const csrfOf = (secret: string): string => createHash('sha256').update(`csrf ${secret}`).digest('base64url');

export function sameToken(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * A request that changes something comes from a page of this very console. Browsers say so in `Origin`, and in
 * `Sec-Fetch-Site` (Fetch Metadata §2.3); one that says neither is not believed.
 */
export function isOwnRequest(config: Pick<Config, 'public_url'>, headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const origin = headers.get('origin');
  if (origin === null) return site !== null;
  if (origin === new URL(config.public_url).origin) return true;
  const host = headers.get('host') ?? '';
  return origin === `http://${host}` && isLoopbackHost(URL.parse(origin)?.hostname ?? '');
}
