import { hashConsoleSecret, newConsoleSecret } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { ConsoleSession } from '../../store/index.ts';
import { loginCookie, readCookie, setCookie } from '../cookies.ts';

type Needs = Pick<Ports, 'store' | 'clock' | 'config'>;

/**
 * Starts a login with a secret made now, never one the browser brought (session fixation), and ends the one it replaces. Answers
 * the cookie; null when `link` had been used.
 */
export async function startSession(
  ports: Needs,
  headers: Headers,
  who: Pick<ConsoleSession, 'tenant' | 'person' | 'provedAt' | 'claimedGroups'>,
  link: string | null,
): Promise<string | null> {
  const { tenant, person } = who;
  const secret = newConsoleSecret(tenant);
  const hashed = hashConsoleSecret(secret);
  if (!hashed) throw new Error('a secret of its own making is none');
  const at = ports.clock();
  const { longest_ms: longest } = ports.config.console;
  const session = { ...hashed, ...who, loggedInAt: at, expiresAt: at + longest };
  const opened = await ports.store.openConsoleSession(session, link, { type: 'person.login', at, tenant, actor: person, door: 'console' });
  if (!opened) return null;
  await endSessionOf(ports, headers);
  return setCookie(loginCookie, secret, Math.floor(longest / 1000));
}

/** Ends the login whose cookie came with the request, if any. */
export async function endSessionOf(ports: Needs, headers: Headers): Promise<void> {
  const secret = readCookie(headers, loginCookie);
  const key = secret === null ? null : hashConsoleSecret(secret);
  if (!key) return;
  const at = ports.clock();
  const session = await ports.store.readConsoleSession(key.tenant, key.hash, at, 0);
  if (session) {
    const record = { type: 'person.logout' as const, at, tenant: key.tenant, actor: session.person, door: 'console' };
    await ports.store.endConsoleSession(key.tenant, key.hash, record);
  }
}
