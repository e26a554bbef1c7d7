import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { legacyClient, modernClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';
import { slowLedger } from '../support/slow-ledger.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});
async function broker(options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> {
  const made = await startTestBroker({ change: mayListPayments, holdMs: 15_000, ...options });
  cleanUps.push(() => made.end());
  return made;
}
const isReplay = (answer: { _meta?: unknown }): boolean => (answer._meta as Record<string, unknown> | undefined)?.['taskgate/replayed'] === true;

describe('one approval, one effect', () => {
  it('eight identical calls at once attach to one approval; one runs, the others get its outcome', async () => {
    const it = await broker();
    const client = await modernClient(await it.open({}));
    const calls = Array.from({ length: 8 }, () => client.callTool(payment(650)));
    await approveByTwo(it, await nextPending(it));
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => !isReplay(answer))).toHaveLength(1);
    expect(new Set(answers.map(textOf)).size).toBe(1);
    expect((await paymentsOf(client)).length).toBe(1);
    await client.close();
  });

  it('a call with a nonce of its own is another call, and pauses afresh', async () => {
    const it = await broker({ holdMs: 0 });
    const client = await legacyClient(await it.open({}));
    await client.callTool(payment(650));
    const first = await nextPending(it);
    await approveByTwo(it, first);
    expect((await client.callTool(payment(650))).isError ?? false).toBe(false);
    const other = await client.callTool({ ...payment(650), _meta: { 'taskgate/call': 'second' } });
    expect(textOf(other)).toMatch(/waits for a human/);
    expect((await nextPending(it)).id).not.toBe(first.id);
    await client.close();
  });

  it('a hundred parallel calls against a cap of ten: exactly ten', async () => {
    const capped = (document: Record<string, unknown>) => {
      if (document['name'] !== 'match-invoices') return document;
      return { ...document, budget: { calls: 10 } };
    };
    // What is at stake is the cap alone.
    const plenty = { per_second: 1_000, burst: 1_000 };
    const it = await broker({
      change: capped,
      limits: { in_flight: { session: 200 }, requests: { session: plenty, agent: plenty }, refusals: { session: plenty, agent: plenty } },
    });
    const client = await modernClient(await it.open({}));
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } })));
    expect(answers.filter((answer) => answer.isError !== true)).toHaveLength(10);
    const refused = answers.filter((answer) => answer.isError === true).map(textOf);
    expect(refused.filter((text) => !/used up its calls/.test(text))).toEqual([]);
    await client.close();
  });

  it('amounts are counted in parallel too: the day’s 5000 is never passed', async () => {
    const it = await broker({ change: (document) => (document['name'] === 'match-invoices' ? withoutCap(document) : document) });
    const client = await modernClient(await it.open({}));
    const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => client.callTool(payment(499.99, { memo: `${i}` }))));
    expect(answers.filter((answer) => answer.isError !== true)).toHaveLength(10);
    const other = await modernClient(await it.open({}));
    expect(textOf(await other.callTool(payment(499.99)))).toMatch(/used up its amount for today/);
    await Promise.all([client.close(), other.close()]);
  });

  it('a child draws on its parent: what one uses the other no longer has', async () => {
    const it = await broker({ change: (document) => (document['name'] === 'match-invoices' ? { ...document, budget: { calls: 3 } } : document) });
    const parent = await it.open({});
    const child = await modernClient(await it.open({ parent: parent.session }));
    const above = await modernClient(parent);
    const search = { name: 'mail__search', arguments: { query: 'INV-7' } };
    expect((await child.callTool(search)).isError ?? false).toBe(false);
    expect((await child.callTool(search)).isError ?? false).toBe(false);
    expect((await above.callTool(search)).isError ?? false).toBe(false);
    expect(textOf(await child.callTool(search))).toMatch(/used up/);
    await Promise.all([child.close(), above.close()]);
  });
});

const withoutCap = (document: Record<string, unknown>) => ({
  ...document,
  grants: (document['grants'] as Record<string, unknown>[]).map(({ max_calls: _, ...grant }) => grant),
});

describe('what changes while a call is under way', () => {
  it.each([
    ['the task ends', 'session.ended', (own: string) => [`/sessions/${own}/end`, { reason: 'over' }] as const],
    ['the task is suspended', 'session.suspended', (own: string) => [`/sessions/${own}/suspend`, { reason: 'over' }] as const],
    ['the task above it ends', 'session.ended', (_: string, parent: string) => [`/sessions/${parent}/end`, { reason: 'over' }] as const],
    ['its agent is suspended', 'agent.suspended', () => ['/agents/invoice-matcher/suspend', { reason: 'over' }] as const],
  ])('%s while its call runs: the call is stopped upstream, and the record says that nobody knows what it did', async (_, code, how) => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const ledger = slowLedger(dir);
    const it = await broker({ dir, ...ledger });
    const parent = await it.open({});
    const task = await it.open({ parent: parent.session });
    const client = await modernClient(task);
    const running = client.callTool(payment(20)).then(textOf, (error: Error) => error.message);
    await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
    const [path, body] = how(task.session, parent.session);
    expect((await it.v1(await it.person('acme', 'dana'), 'POST', path, body)).status).toBe(200);
    // The ledger never answers: that this does is the stop.
    expect(await running).not.toMatch(/paid 20/);
    const records = (await it.ports.store.readRecords('acme', 0, 1_000)).map(({ body: { type, code: why } }) => [type, why]);
    expect(records.slice(-2)).toEqual([
      ['call.unknown', code],
      ['call.withheld', 'session.ended'],
    ]);
    ledger.release();
    await client.close().catch(() => undefined);
  });

  it('another task ends while a call runs: the call runs on', async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const ledger = slowLedger(dir);
    const it = await broker({ dir, ...ledger });
    const other = await it.open({});
    const client = await modernClient(await it.open({}));
    const running = client.callTool(payment(20));
    await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
    await it.v1(await it.person('acme', 'dana'), 'POST', `/sessions/${other.session}/end`, { reason: 'over' });
    ledger.release();
    expect(textOf(await running)).toMatch(/paid 20/);
    await client.close();
  });

  it('the task ends while its call waits: the call is refused, and the approval can be given no more', async () => {
    const it = await broker();
    const task = await it.open({});
    const client = await modernClient(task);
    const waiting = client.callTool(payment(700)).then(textOf, (error: Error) => error.message);
    const asked = await nextPending(it);
    await it.v1(await it.person('acme', 'dana'), 'POST', `/sessions/${task.session}/end`, { reason: 'over' });
    await expect(approveByTwo(it, asked)).rejects.toThrow(/could not approve/);
    expect(await waiting).not.toMatch(/"amount":700/);
    await client.close().catch(() => undefined);
  });

  it('policy is tightened between approval and run: the new policy holds', async () => {
    const it = await broker({ holdMs: 0 });
    const client = await legacyClient(await it.open({}));
    await client.callTool(payment(700));
    await approveByTwo(it, await nextPending(it));
    const files = [
      { source: 'tenants/acme/closed.cedar', text: closed },
      { source: 'tenants/acme/closed.cases.yaml', text: closedCase },
    ];
    const applied = await it.v1(await it.person('acme', 'dana'), 'POST', '/documents/apply', { files, prune: false });
    expect(applied.status, applied.text).toBe(200);
    const refused = await client.callTool(payment(700));
    expect(textOf(refused)).toMatch(/Payments are closed/);
    await client.close();
  });

  it('a warrant nobody obtained claims nothing, whatever its type says', async () => {
    const { claim } = await import('../../server/call/claim.ts');
    const it = await broker();
    const forged = { warrant: { judgement: {}, approval: null }, connection: null, secret: null } as unknown as Parameters<typeof claim>[1];
    await expect(claim(it.ports, forged, 'dec_forged', 1_000, 'handle')).rejects.toThrow(/did not make/);
  });
});

const closed = `@id("acme/closed-for-inv-7")
@reason("Payments are closed")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when { context.inputs has invoice && context.inputs.invoice == "INV-7" };
`;
const closedCase = `- case: closed
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 20 }, inputs: { invoice: INV-7 } }
  expect: { decision: deny, policies: [acme/closed-for-inv-7] }
`;
