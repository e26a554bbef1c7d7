import { randomBytes } from 'node:crypto';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { ProtocolSession } from '../store/store.ts';
import type { Visit } from './parts.ts';

/**
 * The protocol session of a 2025-era client: an id it was given when it initialized and names from then on. It is plumbing, kept in
 * the store so that any replica knows it. The token says who asks and for which task; the id lets nobody do anything.
 */

export const idHeader = 'mcp-session-id';

const dayMs = 86_400_000;
/** As a client that hangs on to its task may initialize again and again, the oldest are forgotten. */
const mostOfOne = 16;
/** Of 256 random bits, base64url; nothing else is looked up. */
const idShape = /^[A-Za-z0-9_-]{43}$/;

/**
 * To whom an id belongs: the task session and the key its tokens are bound to, or the connection token, which outlives its tasks.
 * Whoever proves another key, or is in another task, is somebody else.
 */
function holderOf({ who, session }: Visit): string {
  if ('hash' in who) return canonicalForm(['connection', who.hash]);
  return canonicalForm(['session', who.session, who.agent, session?.row.cnf ?? null]);
}

export async function openProtocolSession(visit: Visit): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  const openedAt = visit.ports.clock();
  const opened = { tenant: visit.who.tenant, hash: sha256Hex(id), holder: holderOf(visit), openedAt, expiresAt: openedAt + dayMs };
  await visit.ports.store.openProtocolSession(opened, mostOfOne);
  return id;
}

/** The one the request names; null when it is not there, which another's is not either. */
export async function findProtocolSession(visit: Visit, id: string): Promise<ProtocolSession | null> {
  if (!idShape.test(id)) return null;
  const { store, clock } = visit.ports;
  const now = clock();
  const found = await store.readProtocolSession(visit.who.tenant, sha256Hex(id), holderOf(visit), now);
  // Kept as long as it is used: a host that runs for days does not lose it.
  if (found && found.expiresAt - now < dayMs / 2) await store.keepProtocolSession(found.tenant, found.hash, now + dayMs);
  return found;
}

/** The client is done with it; every replica closes its streams. */
export async function endProtocolSession(visit: Visit, { tenant, hash, holder }: ProtocolSession): Promise<void> {
  await visit.ports.store.endProtocolSession(tenant, hash, holder, visit.caller?.session ?? null);
}
