import { standingOf } from '../approvals/index.ts';
import { hashConsoleSecret, personNow } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { loginCookie, readCookie } from './cookies.ts';
import { csrfOf } from './csrf.ts';
import type { Visitor } from './page.ts';

/** A login that is used is written down at most this often. */
const touchEveryMs = 60_000;

/** Who is at the console by the cookie they hold; null when nobody is. Trust, name and roles are those of now. */
export async function visitorOf(ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'config'>, headers: Headers): Promise<Visitor | null> {
  const secret = readCookie(headers, loginCookie);
  const key = secret === null ? null : hashConsoleSecret(secret);
  if (secret === null || key === null) return null;
  const at = ports.clock();
  const login = await ports.store.readConsoleSession(key.tenant, key.hash, at, at - ports.config.console.idle_ms);
  const snapshot = login && (await ports.tenants.current(key.tenant));
  const person = snapshot && personNow(snapshot, login.person);
  // Whom the document does not name is known by what their issuer said of their groups, or not at all.
  if (!person || (person.name === null && login.claimedGroups.length === 0)) return null;
  if (at - login.seenAt >= touchEveryMs) await ports.store.touchConsoleSession(key.tenant, key.hash, at);
  return {
    person: login.provedAt === null ? person : { ...person, loggedInAt: login.provedAt },
    snapshot,
    standing: standingOf(snapshot, person),
    login: key.hash,
    claimedGroups: login.claimedGroups,
    csrf: csrfOf(secret),
  };
}
