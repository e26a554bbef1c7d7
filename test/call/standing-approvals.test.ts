import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { paymentsOf, textOf } from '../support/ledger.ts';
import { generous, give, givenByTwo, lawThatAccepts, type Proposed, propose } from '../support/standing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    change: generous,
    files: { 'acme/invoices.cedar': lawThatAccepts, 'acme/invoices.cases.yaml': cases },
    holdMs: 500,
  });
});
afterAll(() => broker.end());
const open: Proposed[] = [];
const standing = async (more: Record<string, unknown> = {}): Promise<Proposed> => {
  const one = await givenByTwo(broker, more);
  open.push(one);
  return one;
};
afterEach(async () => {
  const dana = await broker.person('acme', 'dana');
  for (const { id } of open.splice(0)) await broker.v1(dana, 'POST', `/standing-approvals/${id}/revoke`, {});
});

const cases = `
- case: 600 needs two from finance
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 600 } }
  expect: { decision: require, requirements: ["approval:finance:2"], policies: [acme/payments-need-finance] }
- case: 4500 needs two from finance who see it
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 4500 } }
  expect: { decision: require, requirements: ["approval:finance:2"], policies: [acme/large-payments-need-finance-each-time, acme/payments-need-finance] }
- case: 500 runs
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 500 } }
  expect: { decision: allow }
`;

type Client = Awaited<ReturnType<typeof legacyClient>>;
let calls = 0;
/** Another payment each time, for an equal one is the same call. */
const pay = (client: Client, amount: number, more: Record<string, unknown> = {}) =>
  client.callTool({ ...payment(amount, more), _meta: { 'taskgate/call': `n${++calls}` } });
const waits = async (answer: ReturnType<Client['callTool']>): Promise<boolean> => /waits for a human/.test(textOf(await answer));
const client = async () => legacyClient(await broker.open({}));

describe('a standing approval', () => {
  it('covers nothing until the group and number it stands for gave it, then runs calls within it, and says so in the record', async () => {
    const agent = await client();
    const { status, body } = await propose(broker, 'dana');
    expect([status, body.status]).toEqual([201, 'pending']);
    open.push(body);
    expect(await waits(pay(agent, 600))).toBe(true);
    expect((await give(broker, 'bob', body)).body.status).toBe('pending');
    expect(await waits(pay(agent, 601))).toBe(true);
    expect((await give(broker, 'carl', body)).body.status).toBe('active');
    expect((await pay(agent, 602)).isError ?? false).toBe(false);
    const records = (await broker.ports.store.readRecords('acme', 0, 9_999)).map((one) => one.body);
    expect(records.find(({ type }) => type === 'standing.given')).toMatchObject({
      satisfied: [{ literal: 'approval:finance:2', source: 'votes', persons: ['local#bob', 'local#carl'] }],
      changes: [{ change: 'added', kind: 'StandingApproval', name: body.id, effect: 'widens', sha256: body.digest }],
    });
    expect(records.findLast(({ type }) => type === 'call.dispatched')).toMatchObject({
      standing: [body.id],
      satisfied: [
        { literal: 'approval:finance', source: 'standing' },
        { literal: 'approval:finance:2', source: 'standing', persons: ['local#bob', 'local#carl'] },
      ],
    });
    await agent.close();
  });

  it('is used up by its count, and by its amounts, and then people are asked again', async () => {
    const agent = await client();
    await standing({ max_calls: 2 });
    for (const amount of [610, 611]) expect(textOf(await pay(agent, amount))).toMatch(/PAY-/);
    expect(await waits(pay(agent, 612))).toBe(true);
    const other = await client();
    await standing({ max_calls: 9, max_amount: 1300 });
    expect((await pay(other, 700)).isError ?? false).toBe(false);
    expect(await waits(pay(other, 601))).toBe(true);
    expect((await pay(other, 600)).isError ?? false).toBe(false);
    await agent.close();
    await other.close();
  });

  it('holds its windows, and what was drawn from them is never given back', async () => {
    const agent = await client();
    await standing({ max_calls: 9, per_day: { calls: 1 } });
    expect((await pay(agent, 620)).isError ?? false).toBe(false);
    expect(await waits(pay(agent, 621))).toBe(true);
    await agent.close();
  });

  it('covers only what its constraints speak of', async () => {
    const agent = await client();
    await standing({ max_calls: 9, arguments: { invoice: { const: 'INV-7' }, iban: { const: 'DE02120300000000202051' }, amount: { maximum: 700 } } });
    expect(await waits(pay(agent, 701))).toBe(true);
    expect(await waits(pay(agent, 630, { iban: 'DE89370400440532013000' }))).toBe(true);
    expect(await waits(pay(agent, 631, { memo: 'thanks' }))).toBe(true);
    expect((await pay(agent, 632)).isError ?? false).toBe(false);
    await agent.close();
  });

  it('does not lift, for a destructive tool, a forbid that does not accept it', async () => {
    const agent = await client();
    await standing({ max_calls: 9 });
    expect(await waits(pay(agent, 4001))).toBe(true);
    expect((await pay(agent, 4000)).isError ?? false).toBe(false);
    await agent.close();
  });

  it('does not cover a session that has read above its labels', async () => {
    const agent = await client();
    await standing({ max_calls: 9, max_label: undefined });
    expect((await pay(agent, 640)).isError ?? false).toBe(false);
    await agent.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    expect(await waits(pay(agent, 641))).toBe(true);
    await agent.close();
  });

  it('leaves a call that people are already asked about to them', async () => {
    const agent = await client();
    const call = { ...payment(650), _meta: { 'taskgate/call': 'the same' } };
    expect(await waits(agent.callTool(call))).toBe(true);
    const pending = await nextPending(broker);
    await standing({ max_calls: 9 });
    expect(await waits(agent.callTool(call))).toBe(true);
    await vote(broker, 'bob', pending, 'deny');
    expect(textOf(await agent.callTool(call))).toMatch(/denied this call/);
    await agent.close();
  });

  it('ends when it is revoked, on the next call, and when its last day is over', async () => {
    const agent = await client();
    const one = await standing({ max_calls: 9 });
    expect((await pay(agent, 660)).isError ?? false).toBe(false);
    expect((await broker.v1(await broker.person('acme', 'carl'), 'POST', `/standing-approvals/${one.id}/revoke`, { reason: 'no longer' })).status).toBe(200);
    expect(await waits(pay(agent, 661))).toBe(true);
    expect(await paymentsOf(agent as never)).not.toHaveLength(0);
    await agent.close();
  });
});

it('an answer to a destructive call is never remembered', async () => {
  const agent = await client();
  await waits(pay(agent, 670));
  const asked = await nextPending(broker);
  for (const name of ['bob', 'carl']) await vote(broker, name, asked, 'approve');
  const answer = await broker.v1(await broker.person('acme', 'bob'), 'POST', `/approvals/${asked.id}/remember`, { digest: asked.digest });
  expect(answer).toMatchObject({ status: 403, body: { code: 'remember.destructive' } });
  await agent.close();
});

describe('a standing approval is refused', () => {
  it.each([
    ['no constraints', { arguments: {} }, /never means any arguments/],
    ['a constraint that takes nothing away', { arguments: { iban: { type: 'string' }, amount: { maximum: 1 } } }, /iban: its constraint takes no value away/],
    ['a target that is not constrained', { arguments: { amount: { maximum: 1 } } }, /iban decides on whom/],
    ['an argument the tool does not have', { arguments: { payee: { const: 'x' } } }, /no argument payee/],
    ['no total for what moves amounts', { max_amount: undefined }, /max_amount/],
    ['an end further than 90 days away', { ends: '2099-01-01' }, /next 90/],
    ['an end that is over', { ends: '2020-01-01' }, /next 90/],
    ['a requirement of a passkey', { requirement: 'approval:finance:2:passkey' }, /passkey signs one call/],
    ["the sponsor's confirmation", { requirement: 'confirm:sponsor' }, /nothing else/],
    ['a tool the use case does not grant', { tool: 'mail__send' }, /does not grant/],
  ])('with %s', async (_, more, why) => {
    const { status, body } = await propose(broker, 'dana', more);
    expect(status).toBe(422);
    expect(body.detail).toMatch(why);
  });
});
