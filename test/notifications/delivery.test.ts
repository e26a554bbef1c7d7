import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { setSecret } from '../../server/credentials/index.ts';
import { aboutGiven, newDelegation } from '../contract/delegations.contract.ts';
import { enrol } from '../contract/samples.ts';
import { newStanding } from '../contract/standing.contract.ts';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { newSecret, withChannels } from './channels.ts';
import { type Hook, type Mailbox, startHook, startMailbox } from './receivers.ts';

describe('a message of a tenant', () => {
  let hook: Hook;
  let mailbox: Mailbox;
  let broker: TestBroker;
  let dana: string;
  const secret = newSecret();
  const set = (name: string, value: string) => broker.v1(dana, 'PUT', `/credentials/${name}-secret`, { value });
  // As when a second admin has agreed to it.
  const replace = (value: string) => setSecret(broker.ports, 'acme', 'hook-secret', value, 'local#dana', {});
  const test = (channel: string) => broker.v1(dana, 'POST', `/channels/${channel}/test`, {});
  const deliveries = async (query = '') => (await broker.v1(dana, 'GET', `/notifications${query}`)).body['items'] as Record<string, unknown>[];

  beforeAll(async () => {
    hook = await startHook();
    mailbox = await startMailbox('taskgate', 'a password');
    const email = { type: 'email', server: mailbox.place, security: 'none', user: 'taskgate', from: 'taskgate@acme.example', to: ['on-call@acme.example'] };
    const channels = withChannels(
      {
        hook: { transport: { type: 'webhook', url: `${hook.url}/hook` } },
        chat: { transport: { type: 'slack' } },
        mail: { transport: email },
        stuck: { transport: { type: 'webhook', url: `${hook.url}/stuck` }, events: ['change'] },
      },
      [hook.place, mailbox.place],
    );
    broker = await startTestBroker({ ...channels, holdMs: 0 });
    dana = await broker.person('acme', 'dana');
    await set('hook', secret);
    await set('chat', `${hook.url}/services/T0/B0/x`);
    await set('mail', 'a password');
    await set('stuck', newSecret());
  });
  afterAll(async () => {
    await broker.end();
    await Promise.all([hook.close(), mailbox.close()]);
  });

  it('of an approval reaches webhook, Slack and e-mail with names and a link, and none of its arguments', { timeout: 30_000 }, async () => {
    const letter = mailbox.next();
    const task = await broker.open({ inputs: { invoice: 'INV-7' }, objective: 'Pay the secret invoice' });
    const client = await modernClient(task);
    await client.callTool(payment(600));
    const approval = await nextPending(broker);
    const posted = await hook.until(({ path, body }) => path === '/hook' && body.includes('approval.requested'));
    const chat = await hook.until(({ path, body }) => path.startsWith('/services/') && body.includes(approval.id));
    await letter;
    const payload = new Webhook(secret).verify(posted.body, posted.headers as Record<string, string>) as { data: Record<string, unknown> };
    expect(payload).toMatchObject({
      type: 'approval.requested',
      data: { tenant: 'acme', agent: 'invoice-matcher', tool: 'ledger__post_payment', use_case: 'match-invoices', requirements: ['approval:finance:2'] },
    });
    expect(payload.data['link']).toBe(`${broker.url}/console/approvals/${approval.id}`);
    const text = (JSON.parse(chat.body) as { text: string }).text;
    expect(text).toContain(`<${broker.url}/console/approvals/${approval.id}|`);
    expect(Object.keys(JSON.parse(chat.body) as object).sort()).toEqual(['text', 'unfurl_links', 'unfurl_media']);
    const [mail] = mailbox.mails;
    expect(mail).toMatchObject({ from: 'taskgate@acme.example', to: ['on-call@acme.example'], user: 'taskgate' });
    expect(mail?.text).toContain('Subject: [acme] invoice-matcher waits for approval of ledger__post_payment');
    for (const said of [posted.body, chat.body, mail?.text ?? '']) {
      for (const hidden of ['DE02120300000000202051', 'INV-7', '600', 'secret invoice']) expect(said).not.toContain(hidden);
    }
    await approveByTwo(broker, approval);
    await hook.until(({ path, body }) => path === '/hook' && body.includes('approval.approved'));
    await client.close();
  });

  it('is signed with the old and the new secret while one replaces the other', async () => {
    const next = newSecret();
    await replace(`${next} ${secret}`);
    const before = hook.received.length;
    await test('hook');
    const posted = await hook.until((one) => hook.received.indexOf(one) >= before && one.path === '/hook');
    for (const one of [secret, next]) expect(() => new Webhook(one).verify(posted.body, posted.headers as Record<string, string>)).not.toThrow();
    await replace(next);
    const again = hook.received.length;
    await test('hook');
    const alone = await hook.until((one) => hook.received.indexOf(one) >= again && one.path === '/hook');
    expect(() => new Webhook(secret).verify(alone.body, alone.headers as Record<string, string>)).toThrow();
    await replace(secret);
  });

  it('that was refused comes again later under the same id, and the list says why it failed', async () => {
    hook.answers.set('/hook', 503);
    const before = hook.received.length;
    await test('hook');
    const first = await hook.until((one) => hook.received.indexOf(one) >= before && one.path === '/hook');
    await vi.waitUntil(async () => (await deliveries('?channel=hook&status=pending'))[0]?.['error'] === 'it answered HTTP 503');
    hook.answers.delete('/hook');
    const half = hook.received.length;
    broker.travel(6_000);
    const second = await hook.until((one) => hook.received.indexOf(one) >= half && one.path === '/hook');
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(second.body).toBe(first.body);
    await vi.waitUntil(async () => (await deliveries('?channel=hook'))[0]?.['status'] === 'delivered');
  });

  it('to a receiver that hangs holds up neither another channel nor a call', { timeout: 30_000 }, async () => {
    hook.answers.set('/stuck', 'hang');
    await test('stuck');
    await hook.until(({ path }) => path === '/stuck');
    const before = hook.received.length;
    await test('hook');
    await hook.until((one) => hook.received.indexOf(one) >= before && one.path === '/hook');
    const task = await broker.open({});
    const client = await modernClient(task);
    const began = performance.now();
    expect((await client.callTool(payment(5))).isError).toBeFalsy();
    expect(performance.now() - began).toBeLessThan(5_000);
    await client.close();
  });

  it('follows no redirect', async () => {
    hook.answers.set('/hook', { redirect: `${hook.url}/elsewhere` });
    await test('hook');
    await vi.waitUntil(async () => (await deliveries('?channel=hook'))[0]?.['error'] === 'it answered with a redirect');
    expect(hook.received.some(({ path }) => path === '/elsewhere')).toBe(false);
    hook.answers.delete('/hook');
  });

  it('comes again no sooner than its receiver asks for', async () => {
    hook.answers.set('/hook', { status: 429, headers: { 'retry-after': '600' } });
    await test('hook');
    await vi.waitUntil(async () => (await deliveries('?channel=hook&status=pending'))[0]?.['error'] === 'it answered HTTP 429');
    const [one] = await deliveries('?channel=hook&status=pending');
    expect(Number(one?.['next_try_at']) - Number(one?.['at'])).toBeGreaterThanOrEqual(599);
    hook.answers.delete('/hook');
  });

  it('whose receiver says that it is gone disables the channel, which is told on the others, logged and shown; a test that arrives ends it', {
    timeout: 30_000,
  }, async () => {
    hook.answers.set('/services/T0/B0/x', 410);
    await test('chat');
    await vi.waitUntil(async () => (await deliveries('?channel=chat'))[0]?.['error'] === 'its receiver is gone (HTTP 410)');
    expect((await deliveries('?channel=chat'))[0]?.['status']).toBe('given_up');
    const told = await hook.until(({ path, body }) => path === '/hook' && body.includes('channel.disabled'));
    expect(told.body).toContain('CHANNEL DISABLED: the receiver of chat');
    expect(broker.logged()).toContain('a channel is disabled');
    expect(await broker.ports.store.disabledChannels('acme')).toEqual(['chat']);
    hook.answers.delete('/services/T0/B0/x');
    await test('chat');
    await vi.waitUntil(async () => (await broker.ports.store.disabledChannels('acme')).length === 0);
  });

  it('tells that a standing approval, a passkey or a lent place waits or was given', async () => {
    const heard = (type: string) => hook.until(({ path, body }) => path === '/hook' && body.includes(type));
    await broker.ports.store.proposeStanding({ ...newStanding(), createdAt: Date.now(), expiresAt: Date.now() + 60_000 }, await revision(), null);
    expect((await heard('standing.waiting')).body).toContain('/console/standing/sta_1');
    const given = newDelegation({ createdAt: Date.now(), endsAt: Date.now() + 60_000 });
    await broker.ports.store.giveDelegation(given, await revision(), aboutGiven(given));
    expect((await heard('delegation.given')).body).toContain('bob lent their place to lea');
    await enrol(broker.ports.store, { confirmedBy: null, effectiveAt: null, enrolledAt: Date.now() });
    expect((await heard('passkey.waiting')).body).toContain('/console/passkeys');
  });
  const revision = async () => (await broker.ports.store.readRevision('acme')) ?? 0;

  it('has a credential that fits its channel, or none is set', async () => {
    expect(await set('hook', 'hunter2-hunter2-hunter2')).toMatchObject({ status: 422, body: { code: 'credential.unfit' } });
    expect((await set('hook', 'hunter2-hunter2-hunter2')).text).not.toContain('hunter2');
    expect((await set('chat', 'no url')).status).toBe(422);
  });

  it('is listed for admins and auditors, and tested by admins', async () => {
    const bob = await broker.person('acme', 'bob');
    expect((await broker.v1(bob, 'GET', '/notifications')).status).toBe(403);
    expect((await broker.v1(bob, 'POST', '/channels/hook/test', {})).status).toBe(403);
    expect((await test('nobody')).status).toBe(404);
    const greta = await broker.person('globex', 'greta').catch(() => null);
    if (greta !== null) expect((await broker.v1(greta, 'POST', '/channels/hook/test', {})).status).not.toBe(201);
  });
});
