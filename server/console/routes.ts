import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { checkNames, hashConsoleSecret, readForm } from '../identity/index.ts';
import { consentPath, openRequest } from '../oauth/index.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/index.ts';
import { assetRoutes } from './assets.ts';
import { dropCookie, loginCookie, readCookie } from './cookies.ts';
import { isOwnRequest, sameToken } from './csrf.ts';
import { createHints } from './events.ts';
import { policyWith, securityHeaders } from './headers.ts';
import { bare, failure, framed } from './layout.ts';
import { loginRoutes, ownPath } from './login/routes.ts';
import { endSessionOf } from './login/start-session.ts';
import { noticeOf } from './notices.ts';
import { type Access, type Action, isRefused, mayUse, notHere, type Page, type Refused, type Shown, type Visitor } from './page.ts';
import { actions, pages } from './pages.ts';
import { visitorOf } from './visitor.ts';

const titles = { 403: 'Not for you', 404: 'Nothing here', 409: 'Too late', 422: 'Not yet', 429: 'Too fast' } as const;

/** `/console`: the door of people with a browser. It decides nothing itself: it calls what `/v1` calls. */
export function consoleRoutes(ports: Ports): Hono {
  const app = new Hono();
  app.use('/console', securityHeaders);
  app.use('/console/*', securityHeaders);
  app.use('/console/*', async (c, next) => (checkNames(ports.config, c.req.raw.headers) ? c.text('Not served here.\n', 403) : next()));
  app.route('/', assetRoutes());
  app.route('/', loginRoutes(ports));

  const refuse = async (c: Context, visitor: Visitor, answer: Refused): Promise<Response> => {
    const { refused, code, message, remedy } = answer;
    if (refused === 403) await ports.access.known({ tenant: visitor.person.tenant, actor: visitor.person.id, door: 'console', code, detail: c.req.routePath });
    if (c.req.header('accept') === 'application/json') return c.json({ code, message, remedy }, refused);
    return c.html(framed(visitor, pages, '', { title: titles[refused], body: failure(titles[refused], message, remedy) }, null), refused);
  };
  /** Runs for whoever is logged in, not too fast, and has the role. */
  const withVisitor = async (c: Context, access: Access, run: (visitor: Visitor) => Promise<Response>): Promise<Response> => {
    const visitor = await visitorOf(ports, c.req.raw.headers);
    if (!visitor) return toLogin(ports, c);
    const tooMuch = ports.limits.countPerson(visitor.person.tenant, visitor.person.id);
    if (tooMuch) return refuse(c, visitor, { refused: 429, code: tooMuch.refused, message: tooMuch.message, remedy: 'Wait a moment and try again.' });
    return mayUse(access, visitor.standing) ? run(visitor) : refuse(c, visitor, notHere());
  };

  const send = (c: Context, visitor: Visitor, here: string, shown: Shown, status: 200 | 422): Response | Promise<Response> => {
    if (shown.sendsTo !== undefined) c.header('content-security-policy', policyWith(shown.sendsTo));
    return c.html(framed(visitor, pages, here, shown, status === 200 ? noticeOf(c.req.query('say')) : null), status);
  };

  const show = (c: Context, page: Page): Promise<Response> =>
    withVisitor(c, page.access, async (visitor) => {
      const query = page.query.safeParse(c.req.query());
      if (!query.success) return refuse(c, visitor, notHere());
      const answer = await page.show(ports, visitor, { param: (name) => c.req.param(name) ?? '', values: query.data });
      return isRefused(answer) ? refuse(c, visitor, answer) : send(c, visitor, page.path, answer, 200);
    });

  const act = (c: Context, { access, fields, run }: Action): Promise<Response> =>
    withVisitor(c, access, async (visitor) => {
      const read = await readForm(c);
      const sent = 'form' in read ? read.form : {};
      if (!isOwnRequest(ports.config, c.req.raw.headers) || !sameToken(sent['csrf'], visitor.csrf)) return refuse(c, visitor, foreign);
      const parsed = fields.safeParse(sent);
      if (!parsed.success) return refuse(c, visitor, unreadable);
      const answer = await run(ports, visitor, { param: (name) => c.req.param(name) ?? '', values: parsed.data });
      if (isRefused(answer)) return refuse(c, visitor, answer);
      if ('json' in answer) return c.json(answer.json);
      if ('away' in answer) return c.redirect(answer.away, 303);
      if ('body' in answer) return send(c, visitor, '', answer, 422);
      return c.redirect(answer.say === null ? answer.to : `${answer.to}${answer.to.includes('?') ? '&' : '?'}say=${answer.say}`, 303);
    });

  app.get(consentPath, (c) =>
    c.html(bare('Not answered', failure('Not answered', 'What the program asked for cannot be answered here.', unknownProgram)), 400),
  );
  for (const page of pages) app.get(`/console${page.path === '/' ? '' : page.path}`, (c) => show(c, page));
  for (const one of actions) app.post(`/console${one.path}`, (c) => act(c, one));
  app.post('/console/logout', (c) =>
    act(c, {
      path: '/logout',
      access: 'anyone',
      fields: anything,
      async run() {
        await endSessionOf(ports, c.req.raw.headers);
        c.header('set-cookie', dropCookie(loginCookie));
        return { to: '/console/login', say: null };
      },
    }),
  );
  const hints = createHints(ports);
  app.get('/console/events', (c) => withVisitor(c, 'named', async (visitor) => hints.open(c, visitor)));
  app.all('/console/*', (c) => withVisitor(c, 'named', (visitor) => refuse(c, visitor, notHere())));

  app.onError((error, c) => {
    const outage = error instanceof StoreUnavailable;
    if (!outage) ports.log.error({ err: error, path: c.req.routePath }, 'a request of the console ended in an exception');
    const message = outage ? 'Taskgate cannot answer now.' : 'Taskgate failed to answer.';
    return c.html(bare('Not now', failure('Not now', `${message} Nothing was decided.`, 'Try again in a moment.')), 503, { 'retry-after': '2' });
  });
  return app;
}

/** Nothing is asked of the fields. */
const anything = z.object({});

const foreign: Refused = {
  refused: 403,
  code: 'request.foreign',
  message: 'This did not come from a page of yours, so nothing was done.',
  remedy: 'Open the page again and repeat it there.',
};
const unreadable: Refused = {
  refused: 422,
  code: 'form.invalid',
  message: 'The form is not complete, so nothing was done.',
  remedy: 'Go back, reload the page and repeat it.',
};

const unknownProgram =
  'It is not known to this tenant, or wants people sent back to where it may not. An admin can register it. If you did not start this yourself, close the page.';

const toLogin = (ports: Ports, c: Context): Response => {
  const asked = ownPath(new URL(c.req.url).pathname);
  const to = c.req.method === 'GET' ? asked : '/console';
  // Whoever was here before goes on at their own tenant's issuer; what is left of a login proves nothing and names no more than that.
  const before = hashConsoleSecret(readCookie(c.req.raw.headers, loginCookie) ?? '')?.tenant;
  const tenant = to.startsWith(`${consentPath}/`) ? openRequest(ports, to.slice(consentPath.length + 1))?.tenant : before;
  return c.redirect(
    `/console/login?${new URLSearchParams({ to, ...(tenant === undefined ? {} : { tenant }), ...(c.req.method === 'GET' ? {} : { ended: '' }) }).toString()}`,
    303,
  );
};
