import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportJsonl, recordsOf, verifyChain } from '../../server/audit/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { payment, type TestBroker } from '../support/broker.ts';
import { callIn, type Look, logIn, openBrowser, openPage, publish, startStage, waitingIn, withBrowser } from './stage.ts';

const dayMs = 24 * 3_600_000;

describe.skipIf(!withBrowser)('a reviewer whose browser has an authenticator', () => {
  let broker: TestBroker;
  let browser: Browser;
  let look: Look;

  beforeAll(async () => {
    const change = (document: Record<string, unknown>) =>
      document['kind'] === 'Tenant' ? { ...document, approvals: { passkey_for: 'destructive' } } : document;
    [broker, browser] = await Promise.all([startStage({ change }), openBrowser()]);
    look = await openPage(browser, broker);
    const cdp = await look.context.newCDPSession(look.page);
    await cdp.send('WebAuthn.enable');
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await browser?.close();
    await broker?.end();
  });

  const confirm = async (person: string): Promise<void> => {
    const dana = await broker.person('acme', 'dana');
    const { body } = await broker.v1(dana, 'GET', '/passkeys');
    const waiting = (body as { items: { id: string; person: string; status: string }[] }).items.find((one) => one.person === `local#${person}`);
    expect(waiting?.status).toBe('waits_for_admin');
    expect((await broker.v1(dana, 'POST', `/passkeys/${waiting?.id}/confirm`)).status).toBe(200);
  };

  it('enrols a passkey; an admin confirms it; a day later it signs the vote a waiting agent gets its result by, and the record verifies', async () => {
    const { page } = look;
    await logIn(look, broker, 'bob');
    await page.getByRole('link', { name: 'My passkeys' }).click();
    await page.getByLabel('What you call it').fill('Work laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('Added. It signs once another admin').waitFor();
    expect(await page.getByText('Waits for another admin to confirm it').count()).toBe(1);
    await confirm('bob');

    const carl = createAuthenticator(broker.url);
    const enrolling = await broker.person('acme', 'carl');
    const offered = (await broker.v1(enrolling, 'POST', '/me/passkeys/options', {})).body as { options: { challenge: string } };
    expect((await broker.v1(enrolling, 'POST', '/me/passkeys', { name: 'key', credential: carl.make(offered.options) })).status).toBe(200);
    await confirm('carl');
    // Every clock of this process: the broker's, and that of whoever proves a key to it.
    vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true, now: Date.now() + dayMs + 1000 });

    await logIn(look, broker, 'bob');
    await page.getByText('Nothing waits for you.').waitFor();
    const { task, client, answer } = await callIn(broker, payment(600));
    // It arrives without anything being pressed.
    await page.locator('[data-entry] h2 a').first().click();
    expect(await page.getByText('with a passkey').count()).toBeGreaterThan(0);
    await page.locator('#reason').fill('matches order 4711');
    await page.getByRole('button', { name: 'Approve with passkey' }).click();
    await page.getByText('Approved. Your vote is on the record.').waitFor();

    const row = await waitingIn(broker, task.session);
    const deciding = await broker.person('acme', 'carl');
    const vote = { decision: 'approve', digest: row.digest };
    const { options } = (await broker.v1(deciding, 'POST', `/approvals/${row.id}/challenge`, vote)).body as { options: { challenge: string } };
    const decided = await broker.v1(deciding, 'POST', `/approvals/${row.id}/decisions`, { ...vote, reason: 'as ordered', assertion: carl.sign(options) });
    expect(decided.body).toMatchObject({ status: 'approved', votes: [{ signed: true }, { signed: true }] });
    expect(JSON.stringify(await answer)).toContain('600');

    expect(await verifyChain(recordsOf(broker.ports.store, 'acme'))).toMatchObject({ ok: true, signatures: 2 });
    const file = join(broker.dir, 'acme.jsonl');
    const lines: string[] = [];
    for await (const line of exportJsonl(broker.ports.store, 'acme')) lines.push(line);
    await writeFile(file, lines.join(''));
    const verified = await runCli(['audit', 'verify', file, '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, logs: [{ signatures: 2 }] });
    await client.close();
    expect([...look.trouble, ...look.foreign]).toEqual([]);
  });

  it('may leave the passkey out where nobody asks for one', async () => {
    const { page } = look;
    const { task, client, answer } = await callIn(broker, publish('short'));
    const row = await waitingIn(broker, task.session);
    await page.goto(`${broker.url}/console/approvals/${row.id}`);
    expect(await page.getByRole('button', { name: 'Approve with passkey' }).count()).toBe(1);
    await page.getByRole('button', { name: 'Approve without passkey' }).click();
    await page.getByText('Approved. Your vote is on the record.').waitFor();
    expect((await broker.ports.store.readApproval('acme', row.id))?.votes).toMatchObject([{ passkey: null }]);
    await answer;
    await client.close();
  });

  it('signs though the page was made anew while the person was being asked', async () => {
    const { page } = look;
    const { task, client, answer } = await callIn(broker, publish('shorter'));
    const row = await waitingIn(broker, task.session);
    await page.goto(`${broker.url}/console/approvals/${row.id}`);
    await page.evaluate(() => {
      const get = navigator.credentials.get.bind(navigator.credentials);
      navigator.credentials.get = async (options) => {
        const made = await get(options);
        const main = document.querySelector('main');
        main?.replaceChildren(...document.importNode(main, true).childNodes);
        return made;
      };
    });
    await page.getByRole('button', { name: 'Approve with passkey' }).click();
    await page.getByText('Approved. Your vote is on the record.').waitFor();
    expect((await broker.ports.store.readApproval('acme', row.id))?.votes[0]?.passkey).toMatch(/^pky_/);
    await answer;
    await client.close();
  });

  it('cannot approve what asks for a passkey by a plain press, nor without one', async () => {
    const { task, client, answer } = await callIn(broker, payment(700, { invoice: 'INV-8' }), { inputs: { invoice: 'INV-8' } });
    const row = await waitingIn(broker, task.session);
    const bob = await broker.person('acme', 'bob');
    const plain = await broker.v1(bob, 'POST', `/approvals/${row.id}/decisions`, { decision: 'approve', digest: row.digest, reason: 'as ordered' });
    expect(plain.body).toMatchObject({ code: 'passkey.required' });
    await broker.v1(bob, 'POST', `/approvals/${row.id}/decisions`, { decision: 'deny', digest: row.digest, reason: 'not today' });
    expect(await answer).toMatchObject({ isError: true });
    await client.close();
  });
});
