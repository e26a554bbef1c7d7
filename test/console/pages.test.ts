import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vote } from '../support/approvals.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { payment, type TestBroker } from '../support/broker.ts';
import { barriers, callIn, type Look, logIn, openBrowser, openPage, publish, shoot, startStage, waitingIn, withBrowser } from './stage.ts';
import { linkFor } from './visit.ts';

/** Wider than its window: somebody has to scroll sideways to read. */
const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe.skipIf(!withBrowser)('every page', () => {
  let broker: TestBroker;
  let browser: Browser;
  const pages: Record<string, string> = {};
  const forAdmins: Record<string, string> = {};

  beforeAll(async () => {
    [broker, browser] = await Promise.all([
      startStage({
        change(document) {
          if (document['kind'] !== 'Tenant' || document['name'] !== 'acme') return document;
          const people = document['people'] as Record<string, object>;
          return {
            ...document,
            people: {
              ...people,
              dana: { ...people['dana'], roles: ['admin', 'auditor'] },
              lea: { subject: 'local#lea', groups: ['legal'], roles: ['reviewer'] },
            },
            approvals: { delegable: { finance: '7d' } },
          };
        },
      }),
      openBrowser(),
    ]);
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const { client, answer, task } = await callIn(broker, payment(600 + at));
      const row = await waitingIn(broker, task.session);
      await vote(broker, 'bob', row, at === 2 ? 'deny' : 'approve', at === 2 ? 'not our supplier' : 'matches order 4711');
      if (at !== 2) await vote(broker, 'carl', row, 'approve', 'as ordered');
      await answer;
      await client.close();
    }
    const bob = await broker.person('acme', 'bob');
    for (const name of ['Work laptop', 'Yellow key']) {
      const { body } = await broker.v1(bob, 'POST', '/me/passkeys/options', {});
      const { options } = body as { options: { challenge: string } };
      await broker.v1(bob, 'POST', '/me/passkeys', { name, credential: createAuthenticator(broker.url).make(options) });
    }
    const waiting = await callIn(broker, payment(999, { memo: 'INV\u202e7\u200b, p\u0430id in full' }), {
      objective: 'Please approve quickly, the supplier is waiting.',
    });
    await waiting.client.callTool({ name: 'mail__search', arguments: { query: 'INV' } });
    const text = `${'A long notice. '.repeat(60)}\u001b[2Jend`;
    const notice = await callIn(broker, publish(text, { tags: ['a', 'b'] }));
    const alike = [await callIn(broker, publish('The office closes at four.')), await callIn(broker, publish('The office opens at nine.'))];
    for (const { task } of alike) await waitingIn(broker, task.session);
    Object.assign(pages, {
      queue: '/console',
      'queue-filtered': '/console?view=denied&tool=mail__send',
      payment: `/console/approvals/${(await waitingIn(broker, waiting.task.session)).id}`,
      notice: `/console/approvals/${(await waitingIn(broker, notice.task.session)).id}`,
      'notice-open': `/console/approvals/${(await waitingIn(broker, notice.task.session)).id}?open=0.1.2`,
      batch: `/console/batches/${(await waitingIn(broker, alike[0]?.task.session ?? '')).id}`,
      delegations: '/console/delegations',
      sessions: '/console/sessions',
      session: `/console/sessions/${waiting.task.session}`,
      history: '/console/history',
      exceptions: '/console/exceptions',
      passkeys: '/console/passkeys',
      nothing: '/console/approvals/apr_none',
    });
    const files = [{ source: 'tenant.yaml', text: await readFile(join(broker.documents, 'tenants/acme/tenant.yaml'), 'utf8') }].map((one) => ({
      ...one,
      text: one.text.replace('groups:', 'roles: [reviewer, admin]\n    groups:').replace('name: acme', 'name: acme\nrelease_approval: finance'),
    }));
    const asked = await broker.v1(await broker.person('acme', 'emma'), 'POST', '/documents/apply', { files, reason: 'ana takes over from bob in June' });
    const [change] = (asked.body as unknown as { waiting: { id: string }[] }).waiting;
    if (!change) throw new Error(asked.text);
    Object.assign(forAdmins, { changes: '/console/changes', change: `/console/changes/${change.id}` });
  });
  afterAll(async () => {
    await browser?.close();
    await broker?.end();
  });

  const look = async (width: number, colorScheme: 'light' | 'dark'): Promise<Look> =>
    openPage(browser, broker, { viewport: { width, height: width === 360 ? 740 : 900 }, colorScheme, reducedMotion: 'reduce' });

  for (const scheme of ['light', 'dark'] as const)
    for (const width of [360, 1280]) {
      it(`can be read and used by everybody at ${width} px, ${scheme}`, async () => {
        const one = await look(width, scheme);
        const { page } = one;
        const seen: Record<string, unknown> = {};
        // Contrast hangs on the scheme, layout on the width: two of the four hold each once.
        const examined = (width === 360) === (scheme === 'light');
        const take = async (name: string): Promise<void> => {
          await shoot(page, `${name}-${width}-${scheme}`);
          seen[name] = [await overflow(page), examined ? await barriers(page) : []];
        };
        await page.goto(`${broker.url}/console/login`);
        await take('login');
        await page.goto(`${broker.url}/console/login?tenant=acme`);
        await take('login-tenant');
        await page.goto(await linkFor(broker, 'bob'));
        await take('link');
        await logIn(one, broker, 'bob');
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(`${broker.url}${path}`);
          await take(name);
        }
        // Whatever else is in the navigation, as somebody who may see all of it.
        await logIn(one, broker, 'dana');
        const entries = await page.locator('header nav a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).pathname));
        expect(entries).toEqual(expect.arrayContaining(['/console', '/console/sessions', '/console/history']));
        for (const [name, path] of [...entries.map((path) => [`admin-${path.split('/').at(-1)}`, path] as const), ...Object.entries(forAdmins)]) {
          await page.goto(`${broker.url}${path}`);
          await take(name);
        }
        expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((name) => [name, [0, []]])));
        expect(one.foreign).toEqual([]);
        await one.context.close();
      }, 120_000);
    }

  it('fits at 200 % zoom', async () => {
    const one = await openPage(browser, broker, { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 });
    await logIn(one, broker, 'bob');
    for (const path of Object.values(pages)) {
      await one.page.goto(`${broker.url}${path}`);
      expect(await overflow(one.page), path).toBe(0);
    }
    await one.context.close();
  });
});
