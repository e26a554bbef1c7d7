import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emergency, startEmergency } from '../break-glass/fixture.ts';
import { logIn, openBrowser, openPage, shoot, withBrowser } from './stage.ts';
import { fieldOf, loggedIn } from './visit.ts';

describe('the Break-glass page', () => {
  let at: Emergency;
  beforeAll(async () => {
    at = await startEmergency();
  });
  afterAll(() => at.end());

  const form = (session: string, more: Readonly<Record<string, string>> = {}) => ({
    session,
    tools: 'ledger__post_payment',
    incident: 'INC-4711',
    reason: 'Salaries are due <b>now</b>',
    minutes: '30',
    calls: '1',
    amount: '1000',
    ...more,
  });

  it('carries two people through asking, confirming, ending and reviewing, without script', { timeout: 60_000 }, async () => {
    const task = await at.broker.open({});
    const [bob, carl, fay] = [await loggedIn(at.broker, 'bob'), await loggedIn(at.broker, 'carl'), await loggedIn(at.broker, 'fay')];
    const csrf = async (who: typeof bob, path: string) => fieldOf((await who.get(path)).text, 'csrf');
    const asked = await bob.post('/console/break-glass', { ...form(task.session), csrf: await csrf(bob, '/console/break-glass') });
    expect(asked.status).toBe(303);
    const [path = ''] = (asked.headers.get('location') ?? '').split('?');
    expect(path).toMatch(/^\/console\/break-glass\/bgl_/);

    const mine = await bob.get(path);
    expect(mine.text).toContain('A second person confirms it');
    expect(mine.text).not.toContain('<b>now</b>');
    const self = await bob.post(`${path}/confirm`, { csrf: await csrf(bob, path) });
    expect([self.status, self.text]).toEqual([403, expect.stringContaining('second person')]);

    expect((await carl.post(`${path}/confirm`, { csrf: 'wrong' })).status).toBe(403);
    expect(
      (await carl.post(`${path}/confirm`, { csrf: await csrf(carl, path) }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).status,
    ).toBe(403);
    expect((await carl.post(`${path}/confirm`, { csrf: await csrf(carl, path) })).status).toBe(303);
    expect(await at.pay(task, 700)).toBe('paid');
    expect((await carl.get(path)).text).toContain('1 of 1');
    expect((await carl.post(`${path}/end`, { reason: 'paid', csrf: await csrf(carl, path) })).status).toBe(303);

    const over = await fay.get(path);
    expect(over.text).toContain('ledger-key');
    const early = await fay.post(`${path}/review`, { finding: 'All as it should be', csrf: await csrf(fay, path) });
    expect([early.status, early.text]).toEqual([409, expect.stringContaining('old values')]);
  });

  it('takes no form that is not whole, and shows nothing to whoever may not see it', { timeout: 60_000 }, async () => {
    const { session } = await at.broker.open({});
    const bob = await loggedIn(at.broker, 'bob');
    const csrf = fieldOf((await bob.get('/console/break-glass')).text, 'csrf');
    for (const wrong of [{ incident: 'no number' }, { reason: 'short' }, { minutes: '241' }, { calls: '0' }, { amount: '-1' }, { tools: ' , ' }])
      expect((await bob.post('/console/break-glass', { ...form(session, wrong as Record<string, string>), csrf })).status, JSON.stringify(wrong)).toBe(422);
    const hugo = await loggedIn(at.broker, 'hugo', 'globex');
    const id = await at.ask('bob', { session }).then(({ body }) => String(body['id']));
    expect((await hugo.get(`/console/break-glass/${id}`)).status).toBe(404);
    expect((await hugo.get('/console/break-glass')).text).not.toContain('INC-4711');
  });
});

describe.skipIf(!withBrowser)('the Break-glass page in a browser', () => {
  let at: Emergency;
  let browser: Browser;
  beforeAll(async () => {
    [at, browser] = await Promise.all([startEmergency(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await at?.end();
  });

  for (const scheme of ['light', 'dark'] as const)
    for (const width of [360, 1280]) {
      it(`can be read and used by everybody at ${width} px, ${scheme}`, { timeout: 60_000 }, async () => {
        const tasks = [await at.broker.open({}), await at.broker.open({})];
        const active = await at.activate(tasks[0]?.session ?? '');
        const asked = await at.ask('bob', { session: tasks[1]?.session }).then(({ body }) => String(body['id']));
        const one = await openPage(browser, at.broker, { viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' });
        await logIn(one, at.broker, 'carl');
        const paths = {
          'break-glass': '',
          'break-glass-ask': `?session=${tasks[0]?.session}`,
          'break-glass-active': `/${active}`,
          'break-glass-asked': `/${asked}`,
        };
        for (const [name, path] of Object.entries(paths)) {
          await one.page.goto(`${at.broker.url}/console/break-glass${path}`);
          await shoot(one.page, `${name}-${width}-${scheme}`);
          await one.page.evaluate(axe.source);
          const found = await one.page.evaluate(async () => {
            const { axe } = globalThis as unknown as {
              axe: { run(where: unknown, options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
            };
            const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
            return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
          });
          expect(found, name).toEqual([]);
          expect(await one.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), name).toBe(0);
        }
        expect([one.foreign, one.trouble]).toEqual([[], []]);
        await one.context.close();
      });
    }
});
