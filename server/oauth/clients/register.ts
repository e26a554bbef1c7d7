import type { Context } from 'hono';
import { BadJson, parseJsonStrict } from '../../../tools/index.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { readCapped } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { registerClient } from './register-client.ts';

const maxBytes = 16_384;
const noStore = { 'cache-control': 'no-store' };

/** Dynamic registration (RFC 7591 §3). Where a tenant does not offer it, and where there is no such tenant, there is no such door. */
export async function register(ports: Ports, c: Context, snapshot: TenantSnapshot | null): Promise<Response> {
  if (!snapshot?.document.registration) {
    await ports.access.stranger('register', 'access_denied', snapshot ? 'registration is off' : 'unknown tenant');
    return c.json({ error: 'not_found' }, 404, noStore);
  }
  const body = await readJson(c);
  const answer = body === null ? { error: 'invalid_client_metadata', description: 'The body must be JSON.' } : registerClient(ports, snapshot, body);
  if ('client' in answer) return c.json(answer.client, 201, noStore);
  return c.json({ error: answer.error, error_description: answer.description }, 400, noStore);
}

async function readJson(c: Context): Promise<unknown> {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) return null;
  const bytes = await readCapped(c.req.raw, maxBytes);
  try {
    return bytes && parseJsonStrict(bytes, { bytes: maxBytes, depth: 8 });
  } catch (error) {
    if (error instanceof BadJson) return null;
    throw error;
  }
}
