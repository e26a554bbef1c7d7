import { type Context, Hono } from 'hono';
import { slug } from '../../../tools/index.ts';
import { hashConsoleSecret, localProviderRuns, personNow } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { dropCookie, pendingCookie, readCookie, setCookie, wantedCookie } from '../cookies.ts';
import { isOwnRequest } from '../csrf.ts';
import { bare, failure } from '../layout.ts';
import type { Html } from '../page.ts';
import { beginLogin, finishLogin, peopleRoots } from './issuer.ts';
import { askTenant, chooseIssuer, useLink } from './pages.ts';
import { openPending, pendingSeconds, sealPending } from './pending.ts';
import { startSession } from './start-session.ts';

/** A path of the console and nothing else: never another site's. */
export const ownPath = (to: string | undefined): string =>
  to !== undefined && /^\/console(\/[A-Za-z0-9/_.-]*)?$/.test(to) && !/\/\/|\.\./.test(to) ? to : '/console';

/** Browsers keep no cookie above 4096 bytes. */
const longestWanted = 3_500;

/** How people come in: through their tenant's issuer, or by a link for one login. */
export function loginRoutes(ports: Ports): Hono {
  const app = new Hono();
  const snapshotOf = (tenant: string | undefined) => (slug.safeParse(tenant).success ? ports.tenants.current(String(tenant)) : null);
  const send = (c: Context, title: string, body: Html, status: 200 | 403 | 404 = 200) => c.html(bare(title, body), status);
  /** One answer for whatever did not prove somebody; what was wrong goes to the platform log. */
  const turnAway = async (c: Context, code: string, detail: string): Promise<Response> => {
    await ports.access.stranger('console', code, detail);
    c.header('set-cookie', dropCookie(pendingCookie));
    return send(c, 'Not logged in', failure('Not logged in', 'This login did not work.', 'Start again. A link works once, for five minutes.'), 403);
  };

  app.get('/console/login', async (c) => {
    const to = ownPath(c.req.query('to'));
    const tenant = slug.safeParse(c.req.query('tenant'));
    if (!tenant.success) return send(c, 'Log in', askTenant(to, c.req.query('ended') !== undefined));
    const snapshot = await snapshotOf(tenant.data);
    if (to !== '/console' && to.length <= longestWanted) c.header('set-cookie', setCookie(wantedCookie, to, pendingSeconds));
    return send(c, 'Log in', chooseIssuer(tenant.data, snapshot ? peopleRoots(snapshot) : [], to, localProviderRuns(ports.config)));
  });

  app.get('/console/login/start', async (c) => {
    const { tenant, issuer, to } = c.req.query();
    const snapshot = await snapshotOf(tenant);
    const root = snapshot && peopleRoots(snapshot).find(({ oidc }) => oidc === issuer);
    if (!root) return turnAway(c, 'login.unknown_issuer', 'no issuer of that name for people of that tenant');
    try {
      const { url, pending } = await beginLogin(ports, snapshot.tenant, root, ownPath(to));
      c.header('set-cookie', setCookie(pendingCookie, sealPending(ports, pending), pendingSeconds));
      return c.redirect(url.href, 302);
    } catch (error) {
      return turnAway(c, 'login.issuer_failed', reasonOf(error));
    }
  });

  app.get('/console/login/callback', async (c) => {
    const pending = openPending(ports, readCookie(c.req.raw.headers, pendingCookie));
    const snapshot = pending && (await snapshotOf(pending.tenant));
    if (!snapshot) return turnAway(c, 'login.not_begun', 'no login was begun in this browser');
    const { search } = new URL(c.req.url);
    const login = await finishLogin(ports, snapshot, pending, search).catch((error: unknown) => ({ problem: reasonOf(error) }));
    if ('problem' in login) return turnAway(c, 'login.failed', login.problem);
    const cookie = await startSession(
      ports,
      c.req.raw.headers,
      { tenant: snapshot.tenant, person: login.person.id, provedAt: login.person.loggedInAt ?? null, claimedGroups: login.claimedGroups },
      null,
    );
    if (cookie === null) return turnAway(c, 'login.failed', 'no session could be started');
    c.header('set-cookie', cookie);
    c.header('set-cookie', dropCookie(pendingCookie), { append: true });
    return c.redirect(pending.to, 303);
  });

  const linked = async (secret: string) => {
    const key = hashConsoleSecret(secret);
    const [snapshot, found] = key
      ? await Promise.all([snapshotOf(key.tenant), ports.store.readConsoleLink(key.tenant, key.hash, ports.clock())])
      : [null, null];
    const person = snapshot && found && personNow(snapshot, found.person);
    return found && person && person.name !== null ? { ...found, name: person.name } : null;
  };
  app.get('/console/link/:secret', async (c) => {
    const link = await linked(c.req.param('secret'));
    if (!link) return turnAway(c, 'link.unknown', 'no link that is still good');
    return send(c, 'Log in', useLink(c.req.param('secret'), link.tenant, link.name));
  });
  app.post('/console/link/:secret', async (c) => {
    if (!isOwnRequest(ports.config, c.req.raw.headers)) return turnAway(c, 'request.foreign', 'a link was used from elsewhere');
    const link = await linked(c.req.param('secret'));
    const cookie =
      link && (await startSession(ports, c.req.raw.headers, { tenant: link.tenant, person: link.person, provedAt: link.madeAt, claimedGroups: [] }, link.hash));
    if (!cookie) return turnAway(c, 'link.unknown', 'no link that is still good');
    const wanted = readCookie(c.req.raw.headers, wantedCookie);
    const to = ownPath(wanted ?? undefined);
    c.header('set-cookie', cookie);
    if (wanted !== null) c.header('set-cookie', dropCookie(wantedCookie), { append: true });
    return c.redirect(to === '/console' ? '/console?say=logged-in' : to, 303);
  });
  return app;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown').slice(0, 300);
