import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endSession } from '../../server/sessions/index.ts';
import { vote } from '../support/approvals.ts';
import { payment, type TestBroker } from '../support/broker.ts';
import { callIn, logIn, openBrowser, openPage, publish, startStage, withBrowser } from './stage.ts';

const long = `${'All paid. '.repeat(100)}The end.`;

describe.skipIf(!withBrowser)('a reviewer in a real browser', () => {
  let broker: TestBroker;
  let browser: Browser;
  beforeAll(async () => {
    [broker, browser] = await Promise.all([startStage(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await broker?.end();
  });

  afterEach(async () => {
    for (const { id } of await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 50 }))
      await endSession(broker.ports, 'acme', id, { status: 'ended', reason: 'over' }, 'test');
  });

  it('sees a call arrive, opens what is long, approves, and the waiting client gets its result', async () => {
    const look = await openPage(browser, broker);
    const { page } = look;
    await logIn(look, broker, 'bob');
    await page.getByText('Nothing waits for you.').waitFor();
    const { answer, client } = await callIn(broker, publish(long));
    await page.getByRole('link', { name: 'Publishes a notice on the public board' }).click();

    const approve = page.getByRole('button', { name: 'Approve' });
    await expect.poll(() => approve.isDisabled()).toBe(true);
    await page.getByLabel('Reason').fill('read it all');
    await page.getByRole('link', { name: 'Open all 1,008 characters' }).click();
    await page.locator('pre', { hasText: 'The end.' }).waitFor();
    await expect.poll(() => approve.isEnabled()).toBe(true);
    expect(await page.getByLabel('Reason').inputValue()).toBe('read it all');
    await approve.click();
    await page.getByText('Approved. Your vote is on the record.').waitFor();
    expect(await answer).toMatchObject({ content: [{ text: 'published 1008 characters' }] });
    expect(look.foreign).toEqual([]);
    expect(look.trouble).toEqual([]);
    await client.close();
    await look.context.close();
  });

  it('decides the same without script', async () => {
    const look = await openPage(browser, broker, { javaScriptEnabled: false });
    const { page } = look;
    const { answer, client } = await callIn(broker, publish(long));
    await logIn(look, broker, 'bob');
    await page.getByRole('link', { name: 'Publishes a notice on the public board' }).click();
    const approve = page.getByRole('button', { name: 'Approve' });
    expect(await approve.isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Open all 1,008 characters' }).click();
    expect(await approve.isEnabled()).toBe(true);
    await approve.click();
    await page.getByText('Approved. Your vote is on the record.').waitFor();
    expect(await answer).toMatchObject({ content: [{ text: 'published 1008 characters' }] });
    await client.close();
    await look.context.close();
  });

  it('decides by keys: a second press confirms, a held one does not, and a reason comes first where one is owed', async () => {
    const look = await openPage(browser, broker);
    const { page } = look;
    await logIn(look, broker, 'bob');
    const { answer, client } = await callIn(broker, payment(600));
    await page.getByRole('link', { name: /ledger__post_payment|Pays/ }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Deny' }).waitFor();
    await page.keyboard.press('d');
    await page.getByText('Say why, then press Escape and D twice.').waitFor();
    await page.keyboard.type('wrong account, add it');
    await page.keyboard.press('Escape');
    await page.keyboard.down('d');
    await page.keyboard.down('d');
    await page.keyboard.down('d');
    await page.keyboard.up('d');
    await page.getByText('Press D again to deny.').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('.armed').count()).toBe(0);
    await page.keyboard.press('d');
    await page.keyboard.press('d');
    await page.getByText('Denied. The agent is told, with your reason.').waitFor();
    const told = await answer;
    expect(told.isError).toBe(true);
    expect(JSON.stringify(told.content)).toContain('wrong account, add it');
    expect(look.trouble).toEqual([]);
    await client.close();
    await look.context.close();
  });

  it('sees another one’s vote come in on the page they are reading, and loses nothing they typed', async () => {
    const look = await openPage(browser, broker);
    const { page } = look;
    await logIn(look, broker, 'bob');
    const { answer, client } = await callIn(broker, payment(601));
    await page.getByRole('link', { name: /ledger__post_payment|Pays/ }).click();
    await page.getByText('0 of 2').waitFor();
    await page.getByLabel('Reason').fill('half a thought');
    const [row] = await broker.ports.store.listApprovals('acme', { status: 'pending' }, { after: null, limit: 1 });
    await vote(broker, 'carl', row!, 'approve', 'as ordered');
    await page.getByText('1 of 2').waitFor();
    expect(await page.getByLabel('Reason').inputValue()).toBe('half a thought');
    await page.getByRole('button', { name: 'Approve' }).click();
    expect((await answer).isError).toBeFalsy();
    await client.close();
    await look.context.close();
  });
});
