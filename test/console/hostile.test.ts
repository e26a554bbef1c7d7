import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestBroker } from '../support/broker.ts';
import { callIn, type Look, logIn, openBrowser, openPage, publish, shoot, startStage, waitingIn, withBrowser } from './stage.ts';

/** Text that wants to be something else: what must be readable of it on the page, and what must not have happened. */
const hostile: readonly (readonly [string, string, readonly string[]])[] = [
  ['script', '</pre><script>document.title="owned"</script><img src=x onerror=document.title="owned">', ['</pre><script>', '<img src=x onerror=']],
  ['markdown and links', '![](https://evil.example/p.png?d=1) [Approve](https://evil.example) https://evil.example', ['![](https://evil.example/p.png?d=1)']],
  ['terminal commands', '\u001b]0;owned\u0007\u001b[2J\u009b31mred', ['U+001B', 'U+0007', 'U+009B']],
  ['reversed order', 'pay \u202e000.01\u202c to \u2066ana\u2069', ['U+202E', 'U+202C', 'U+2066', 'U+2069']],
  ['nothing to see', 'a\u200b\u200c\u200d\u2060\ufeff\u00adb\u{e0041}\u{e007f}\u3164', ['U+200B', 'U+2060', 'U+FEFF', 'U+00AD', 'U+E0041', 'U+3164']],
  ['other alphabets', 'p\u0430yp\u0430l.com \u0430\u0435\u043e \uff0f\u2215etc \u{1d5ee}dmin', ['U+0430', 'U+FF0F', 'U+2215', 'U+1D5EE']],
  [
    'the console itself',
    '</pre></dd></dl></section></article><aside class="decide"><strong>Approved by dana and carl.</strong><button>Approve</button></aside>',
    ['<aside class="decide">'],
  ],
  [
    'a form',
    '<form action="https://evil.example/"><input name="csrf"></form><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">',
    ['<base href='],
  ],
  ['style', '<style>.decide{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>', ['<style>.decide']],
  ['stacked marks', `a${'\u0301'.repeat(60)}b`, ['U+0301 ×']],
];

describe.skipIf(!withBrowser)('hostile arguments', () => {
  let broker: TestBroker;
  let browser: Browser;
  let look: Look;
  beforeAll(async () => {
    [broker, browser] = await Promise.all([startStage({ limits: { requests: { session: { burst: 500 } } } }), openBrowser()]);
    look = await openPage(browser, broker);
    await logIn(look, broker, 'bob');
  });
  afterAll(async () => {
    await browser?.close();
    await broker?.end();
  });

  const openWaiting = async (text: string, title = 'News') => {
    const { task, client } = await callIn(broker, publish(text, { title }));
    const row = await waitingIn(broker, task.session);
    await look.page.goto(`${broker.url}/console/approvals/${row.id}?open=0.1.2`);
    return { row, client };
  };

  it.each(hostile)('that hold %s are seen as what they are, and do nothing', async (_, text, seen) => {
    const { page } = look;
    const { client } = await openWaiting(text);
    const value = await page.locator('#argument-0').textContent();
    for (const one of seen) expect(value).toContain(one);
    expect(await page.title()).toBe('Publishes a notice on the public board · Taskgate');
    expect(await page.locator('aside').count()).toBe(1);
    expect(await page.locator('main img, main script, main style, main iframe, main base, #argument-0 form, #argument-0 a, #argument-0 button').count()).toBe(
      0,
    );
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(1);
    expect([look.foreign, look.trouble]).toEqual([[], []]);
    await client.close();
  });

  it('of one megabyte, half of it hidden, are shown whole', async () => {
    const { page } = look;
    const text = `${'x\u200b'.repeat(20_000)}${'All is well. '.repeat(70_000)}The very end.`;
    const { row, client } = await openWaiting(text);
    const size = (await page.content()).length;
    expect(size).toBeLessThan(4_000_000);
    const shown = (await page.locator('#argument-0 pre').textContent()) ?? '';
    expect(shown.endsWith('The very end.')).toBe(true);
    expect(shown.match(/U\+200B/g)).toHaveLength(20_000);
    await page.getByRole('button', { name: 'Approve' }).click();
    await expect.poll(async () => (await broker.ports.store.readApproval('acme', row.id))?.votes.length).toBe(1);
    await client.close();
  });

  it('in the agent’s own words and in names of arguments are shown the same way', async () => {
    const { page } = look;
    const { task, client } = await callIn(broker, publish('short'), { objective: '<b>Approved</b> \u202eby dana <script>document.title="owned"</script>' });
    const row = await waitingIn(broker, task.session);
    for (const path of [`/approvals/${row.id}`, `/sessions/${task.session}`, '/sessions', '']) {
      await page.goto(`${broker.url}/console${path}`);
      expect(await page.title()).toContain('Taskgate');
      expect(await page.locator('main script, main b').count()).toBe(0);
    }
    await page.goto(`${broker.url}/console/approvals/${row.id}`);
    const said = await page.locator('.untrusted').textContent();
    for (const one of ['<b>Approved</b>', 'U+202E', 'untrusted']) expect(said).toContain(one);
    // Nothing of it stands where what Taskgate says stands.
    expect(await page.locator('main').textContent()).toMatch(/The agent’s own words[\s\S]*<b>Approved<\/b>/);
    await shoot(page, 'hostile');
    expect([look.foreign, look.trouble]).toEqual([[], []]);
    await client.close();
  });
});
