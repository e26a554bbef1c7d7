import { parseJsonStrict } from '../../tools/index.ts';
import { readCapped } from './read-capped.ts';
import { isLoopbackHost } from './urls.ts';

const maxBytes = 262_144;
const maxMs = 5_000;
const maxDepth = 16;

/**
 * Fetches one JSON document that keys or metadata stand in: at most 256 KiB, five seconds in all, no redirects, TLS
 * unless the host is this machine, duplicate keys refused. Rejects with a short reason; callers deny.
 */
export async function fetchJson(address: string): Promise<unknown> {
  const url = new URL(address);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) throw new Error('not an https address');
  if (url.username || url.password) throw new Error('credentials in the address');
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(maxMs), headers: { accept: 'application/json' } });
  const bytes = response.status === 200 ? await readCapped(response, maxBytes) : null;
  if (!bytes) {
    await response.body?.cancel();
    throw new Error(response.status === 200 ? `larger than ${maxBytes} bytes` : `answered ${response.status}`);
  }
  return parseJsonStrict(bytes, { bytes: maxBytes, depth: maxDepth });
}
