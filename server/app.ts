import { type Handler, Hono } from 'hono';
import { checkNames, localRoutes } from './identity/index.ts';
import type { Doors } from './listen.ts';
import { mcpDoor } from './mcp/index.ts';
import { oauthRoutes } from './oauth/index.ts';
import type { Ports } from './ports.ts';
import { StoreUnavailable } from './store/index.ts';

/** Every door of the broker. Each is thin: it proves who asks and calls the same functions as the others. */
export function createApp(ports: Ports): Doors {
  const app = new Hono();
  const mcp = mcpDoor(ports);
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const store = await ports.store.check().then(
      () => 'ok',
      () => 'unavailable',
    );
    const verbose = c.req.query('verbose') !== undefined;
    return c.text(verbose ? `store ${store}\n` : store === 'ok' ? 'ok\n' : 'unavailable\n', store === 'ok' ? 200 : 503);
  });
  // The doors for machines; those of agents and people check the same and answer in their own form.
  for (const path of ['/t/*', '/.well-known/*']) {
    app.use(path, async (c, next) =>
      checkNames(ports.config, c.req.raw.headers) ? c.json({ error: 'invalid_request' }, 403, { 'cache-control': 'no-store' }) : next(),
    );
  }
  app.route('/', oauthRoutes(ports));
  app.route('/', localRoutes(ports));
  app.route('/', mcp.routes);
  app.all(
    '/v1/*',
    whenKnockedAt(async () => (await import('./api/index.ts')).apiRoutes(ports)),
  );
  app.all(
    '/console/*',
    whenKnockedAt(async () => (await import('./console/index.ts')).consoleRoutes(ports)),
  );
  app.notFound((c) => c.json({ error: 'not_found' }, 404));
  app.onError((error, c) => {
    const outage = error instanceof StoreUnavailable;
    if (!outage) ports.log.error({ err: error, path: c.req.routePath }, 'a request ended in an exception');
    return c.json({ error: outage ? 'unavailable' : 'server_error' }, 503, { 'cache-control': 'no-store' });
  });
  return { fetch: app.fetch, take: mcp.take };
}

/** A door of people: its pages and shapes are read when the first of them comes, so that a broker that only agents use does without. */
function whenKnockedAt(make: () => Promise<Hono>): Handler {
  let made: Promise<Hono> | null = null;
  return async (c) => {
    made ??= make();
    return (await made).fetch(c.req.raw, c.env);
  };
}
