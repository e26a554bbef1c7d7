import type { Context } from 'hono';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Ports } from '../../ports.ts';
import { readAuthorization, sealRequest } from './request.ts';

/** The page of the console on which a sponsor is asked. */
export const consentPath = '/console/consent';

/**
 * The authorization endpoint: it decides nothing and shows nothing of its own. What can be answered is carried to the console, where the
 * sponsor logs in as everybody does; what cannot goes back to the client, and nowhere when it is not certain who that is.
 */
export async function authorize(ports: Ports, c: Context, snapshot: TenantSnapshot | null): Promise<Response> {
  const read = await readAuthorization(ports, snapshot, new URL(c.req.url).searchParams);
  const headers = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  if ('asked' in read) return c.redirect(`${ports.config.public_url}${consentPath}/${sealRequest(ports, read.asked)}`, 303);
  if ('back' in read) return c.redirect(read.back, 303);
  await ports.access.stranger('authorize', 'invalid_request', read.stop);
  return c.redirect(`${ports.config.public_url}${consentPath}`, 303);
}
