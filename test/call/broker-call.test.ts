import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextPending, pendingApprovals, vote } from '../support/approvals.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change: mayListPayments, holdMs: 10_000 });
});
afterAll(() => broker.end());

const waiting = (token: string) => pendingApprovals(broker, token);
const nextApproval = () => nextPending(broker);
const decide = (name: string, approval: { id: string; digest: string }, decision: 'approve' | 'deny', reason?: string) =>
  vote(broker, name, approval, decision, reason);

describe('one brokered call, end to end', () => {
  it('lists exactly the granted tools and its own, answers a read, and names the decision and the record', async () => {
    const client = await modernClient(await broker.open({}));
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names.filter((name) => name.includes('__'))).toEqual([
      'ledger__get_invoice',
      'ledger__list_payments',
      'ledger__post_payment',
      'mail__read_contract',
      'mail__read_message',
      'mail__search',
    ]);
    const read = await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    expect(read.isError ?? false).toBe(false);
    expect(textOf(read)).toContain('INV-7');
    const decision = (read._meta as Record<string, { id: string; record: number }>)['taskgate/decision'];
    expect(decision?.id).toMatch(/^dec_/);
    expect(decision?.record).toBeGreaterThan(0);
    await client.close();
  });

  it('refuses bad arguments in words a model can act on, and arguments outside the grant', async () => {
    const client = await modernClient(await broker.open({}));
    const missing = await client.callTool({ name: 'ledger__post_payment', arguments: { invoice: 'INV-7', iban: 'DE02120300000000202051' } });
    expect(missing.isError).toBe(true);
    expect(textOf(missing)).toMatch(/amount/);
    const other = await client.callTool(payment(100, { invoice: 'INV-8' }));
    expect(textOf(other)).toMatch(/must equal the task's input invoice/);
    const large = await client.callTool(payment(5_001));
    expect(large.isError).toBe(true);
    expect(textOf(large)).toMatch(/amount/);
    expect((await paymentsOf(client)).length).toBe(0);
    await client.close();
  });

  it('knows no tool that was not granted: -32602, as for one that does not exist', async () => {
    const client = await modernClient(await broker.open({}));
    const answers = await Promise.all(
      ['mail__send', 'no__such'].map((name) =>
        client.callTool({ name, arguments: {} }).then(
          () => null,
          (error: { code?: number; message: string }) => [error.code, error.message.replace(name, '<tool>')],
        ),
      ),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(-32602);
    await client.close();
  });

  it('denies by policy with the author’s reason, and asks nobody', async () => {
    const client = await modernClient(await broker.open({}));
    const denied = await client.callTool(payment(600, { iban: 'FR7630006000011234567890189' }));
    expect(textOf(denied)).toMatch(/German accounts only/);
    expect(await waiting(await broker.person('acme', 'bob'))).toEqual([]);
    await client.close();
  });

  it('pauses 600 for two of finance, runs once, replays to a retry, and pauses other arguments afresh', async () => {
    const task = await broker.open({});
    const client = await modernClient(task);
    const before = (await paymentsOf(client)).length;
    const call = client.callTool(payment(600));
    const approval = await nextApproval();
    expect((await decide('ana', approval, 'approve')).status).toBeGreaterThanOrEqual(400); // the sponsor
    expect((await decide('dana', approval, 'approve')).status).toBeGreaterThanOrEqual(400); // no reviewer
    expect((await decide('bob', approval, 'approve')).status).toBe(200);
    expect((await paymentsOf(client)).length).toBe(before);
    expect((await decide('carl', approval, 'approve')).status).toBe(200);
    const paid = await call;
    expect(paid.isError ?? false).toBe(false);
    expect((await paymentsOf(client)).length).toBe(before + 1);

    const again = await client.callTool(payment(600));
    expect(again.structuredContent).toEqual(paid.structuredContent);
    expect((again._meta as Record<string, unknown>)['taskgate/replayed']).toBe(true);
    expect((await paymentsOf(client)).length).toBe(before + 1);

    const other = client.callTool(payment(601));
    const afresh = await nextApproval();
    expect(afresh.id).not.toBe(approval.id);
    expect((await decide('bob', afresh, 'deny', 'not this one')).status).toBe(200);
    expect(textOf(await other)).toMatch(/denied.*not this one/);
    expect((await paymentsOf(client)).length).toBe(before + 1);
    await client.close();
  });

  it('gives a 2025-era client the handle at once, and await_approval to wait with', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const paused = await client.callTool(payment(700));
    expect(paused.isError).toBe(true);
    const handle = (paused._meta as Record<string, { id: string; status: string }>)['taskgate/approval'];
    expect(handle?.status).toBe('pending');
    const waited = client.callTool({ name: 'await_approval', arguments: { approval: handle?.id ?? '' } });
    const approval = await nextApproval();
    await decide('bob', approval, 'approve');
    await decide('carl', approval, 'approve');
    expect(textOf(await waited)).toMatch(/was given/);
    const paid = await client.callTool(payment(700));
    expect(paid.isError ?? false).toBe(false);
    await client.close();
  });

  it('withdraws everything when the task ends: the next call is 401', async () => {
    const task = await broker.open({});
    const admin = await broker.person('acme', 'dana');
    expect((await broker.v1(admin, 'POST', `/sessions/${task.session}/end`, { reason: 'done' })).status).toBe(200);
    const answer = await fetch(task.mcpUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${task.accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
  });
});
