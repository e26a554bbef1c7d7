import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';

/** What was read is to be forgotten: by a child, a sibling, a new task, a replay, a race. */

let broker: TestBroker;
/** The same with an agent whose tasks may all be one context. */
let shared: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ holdMs: 0, change: mayListPayments });
  shared = await startTestBroker({
    holdMs: 0,
    change(document) {
      const changed = mayListPayments(document);
      return changed['kind'] === 'Agent' && changed['name'] === 'invoice-matcher' ? { ...changed, memory: 'shared' } : changed;
    },
  });
});
afterAll(() => Promise.all([broker.end(), shared.end()]));

const read = { name: 'mail__read_contract', arguments: { id: 'CON-1' } };
const labelOf = async (session: string) => (await shared.ports.store.readSession('acme', session))?.label.sensitivity;

describe('what was read stays read', () => {
  it('for a child, a sibling open beside it, and the task opened after all of them have ended', async () => {
    const [first, beside] = [await shared.open({}), await shared.open({})];
    const child = await shared.open({ parent: first.session });
    const client = await modernClient(child);
    const contract = await client.callTool(read);
    expect(contract.isError ?? false, textOf(contract)).toBe(false);
    const admin = await shared.person('acme', 'dana');
    await shared.v1(admin, 'POST', `/sessions/${first.session}/end`, { reason: 'done' });
    await shared.v1(admin, 'POST', `/sessions/${beside.session}/end`, { reason: 'done' });
    const later = await shared.open({});
    for (const one of [first, beside, child, later]) expect(await labelOf(one.session)).toBe('confidential');
    const after = await modernClient(later);
    const sent = await after.callTool(payment(10));
    expect(sent.isError).toBe(true);
    expect(textOf(sent)).toMatch(/more sensitive/);
    expect(await paymentsOf(after)).toEqual([]);
    await Promise.all([client.close(), after.close()]);
  });

  it('by an approval given before: the label it showed is not the label now, and nothing runs', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    await client.callTool(payment(900));
    const approval = await nextPending(broker);
    await client.callTool(read);
    await approveByTwo(broker, approval);
    const answer = await client.callTool(payment(900));
    expect(answer.isError).toBe(true);
    expect(await paymentsOf(await modernClient(task))).toEqual([]);
    await client.close();
  });

  it('by an approval given before a read that policy would still allow: it is superseded and asked afresh', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    await client.callTool(payment(901));
    const approval = await nextPending(broker);
    await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    await approveByTwo(broker, approval);
    const again = await client.callTool(payment(901));
    const handle = (again._meta as Record<string, { id: string; status: string }>)['taskgate/approval'];
    expect(handle?.status).toBe('pending');
    expect(handle?.id).not.toBe(approval.id);
    expect((await broker.ports.store.readApproval('acme', approval.id))?.status).toBe('superseded');
    await client.close();
  });
});

describe('an approval is of one session, one call', () => {
  it('a sister task with the same arguments, or a nonce, pauses anew; another’s approval is unknown like none', async () => {
    const [one, two] = [await legacyClient(await broker.open({})), await legacyClient(await broker.open({}))];
    const idOf = (answer: object): string | undefined => (answer as { _meta?: Record<string, { id: string }> })._meta?.['taskgate/approval']?.id;
    const mine = idOf(await one.callTool(payment(800)));
    const same = idOf(await one.callTool(payment(800)));
    const other = idOf(await two.callTool(payment(800)));
    const named = idOf(await one.callTool({ ...payment(800), _meta: { 'taskgate/call': 'second' } }));
    expect(same).toBe(mine);
    expect(new Set([mine, other, named]).size).toBe(3);
    const [foreign, none] = await Promise.all(
      [mine, 'apr_AAAAAAAAAAAAAAAAAAAAAA'].map((approval) => two.callTool({ name: 'await_approval', arguments: { approval } })),
    );
    expect(textOf(foreign as object as Record<string, unknown>)).toBe(textOf(none as object as Record<string, unknown>));
    await Promise.all([one.close(), two.close()]);
  });

  it('twenty retries at once of an approved payment pay once', async () => {
    const task = await broker.open({});
    const clients = await Promise.all(Array.from({ length: 4 }, () => legacyClient(task)));
    await clients[0]?.callTool(payment(777));
    await approveByTwo(broker, await nextPending(broker));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4]?.callTool(payment(777))));
    expect(answers.filter((answer) => answer && !answer.isError && !(answer._meta as Record<string, unknown>)['taskgate/replayed'])).toHaveLength(1);
    const witness = await modernClient(task);
    expect((await paymentsOf(witness)).filter(({ amount }) => amount === 777)).toHaveLength(1);
    await Promise.all([...clients, witness].map((client) => client.close()));
  });
});
