import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { generous, givenByTwo, propose } from '../support/standing.ts';

const day = (ahead: number): string => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
const endOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000 + 86_400;

function change(document: Record<string, unknown>): Record<string, unknown> {
  const changed = generous(document);
  if (changed['kind'] === 'Upstream' && changed['name'] === 'ledger') {
    const tools = changed['tools'] as Record<string, unknown>[];
    return { ...changed, tools: tools.map((tool) => (tool['name'] === 'post_payment' ? { ...tool, effect: 'write' } : tool)) };
  }
  return changed;
}
const observed = `
kind: UseCase
tenant: acme
name: try-out
workflow: invoice-matching
owner: dana
purpose: Tries out what policy would say
sponsors: { groups: [finance] }
grants: [{ tools: ["mail__*"], effect: read }]
ceiling: internal
lifetime: { default: 30m, longest: 1h }
budget: { calls: 10 }
require_proof: true
observe_until: ${day(5)}
expires: 2099-01-01
review_by: 2098-01-01
`;

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change, files: { 'acme/try-out.yaml': observed }, holdMs: 300 });
});
afterAll(() => broker.end());

interface Listed {
  readonly kind: string;
  readonly id: string;
  readonly owner: string;
  readonly reason: string | null;
  readonly ends: number | null;
  readonly review_by: number | null;
  readonly overdue: boolean;
}
async function register(): Promise<readonly Listed[]> {
  const { body } = await broker.v1(await broker.person('acme', 'bob'), 'GET', '/exceptions');
  return body['items'] as Listed[];
}

describe('the exceptions register', () => {
  it('names each with its owner, reason, end and review date', async () => {
    const one = await givenByTwo(broker, { review_by: day(10), ends: day(20) });
    await propose(broker, 'dana', { reason: 'not given, so not in force' });
    const items = await register();
    expect(items.find(({ kind }) => kind === 'standing')).toMatchObject({
      ...{ id: one.id, owner: 'local#dana', reason: 'the yearly contract', ends: endOf(day(20)), review_by: endOf(day(10)), overdue: false },
    });
    expect(items.filter(({ kind }) => kind === 'standing')).toHaveLength(1);
    expect(items.filter(({ kind }) => kind === 'observed')).toMatchObject([{ id: 'try-out', owner: 'dana', ends: endOf(day(5)) }]);
    // A use case that asks for proof of a key is no exception.
    expect(items.filter(({ kind }) => kind === 'bearer')).toMatchObject([{ id: 'match-invoices', owner: 'dana' }]);
    expect(items.map(({ review_by }) => review_by)).toEqual(items.map(({ review_by }) => review_by).toSorted((a, b) => Number(a) - Number(b)));
  });

  it('is for the roles of the tenant, and shows each tenant its own', async () => {
    expect((await broker.v1(await broker.person('acme', 'ana'), 'GET', '/exceptions')).status).toBe(403);
    const { body } = await broker.v1(await broker.person('globex', 'jan'), 'GET', '/exceptions');
    expect((body['items'] as Listed[]).filter(({ kind }) => kind !== 'bearer')).toEqual([]);
  });

  it('loses what was revoked', async () => {
    const one = await givenByTwo(broker, { reason: 'for a moment' });
    expect((await register()).map(({ id }) => id)).toContain(one.id);
    await broker.v1(await broker.person('acme', 'bob'), 'POST', `/standing-approvals/${one.id}/revoke`, {});
    expect((await register()).map(({ id }) => id)).not.toContain(one.id);
  });
});

it('autonomy and approvals a task are read from the record', async () => {
  const measure = async () => (await broker.v1(await broker.person('acme', 'bob'), 'GET', '/measures/autonomy')).body;
  const before = await measure();
  const client = await legacyClient(await broker.open({}));
  const pay = (amount: number, nonce: string) => client.callTool({ ...payment(amount), _meta: { 'taskgate/call': nonce } });
  await pay(100, 'a');
  await pay(700, 'b');
  await pay(701, 'c');
  await pay(702, 'd');
  await approveByTwo(broker, await nextPending(broker));
  await pay(702, 'd');
  expect(await measure()).toEqual({
    effects: { alone: 1, standing: 2, remembered: 0, votes: 1, break_glass: 0 },
    autonomy: 0.75,
    tasks: 1,
    approvals: 1,
    approvals_per_task: 1,
  });
  expect(before).toMatchObject({ autonomy: null, tasks: 0, approvals_per_task: null });
  await client.close();
});

it('lists each connection token that can still be used by the id that revokes it, and so do the agent’s own', async () => {
  const [dana, emma] = [await broker.person('acme', 'dana'), await broker.person('acme', 'emma')];
  const made = await broker.v1(dana, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 600 });
  const { id, token, waiting } = made.body as unknown as { id: string; token: string; waiting: { id: string; digest: string } };
  const listed = async () => (await register()).filter((one) => one.id === id);
  expect(await listed()).toEqual([]);
  await broker.v1(emma, 'POST', `/changes/${waiting.id}/approve`, { digest: waiting.digest });
  expect(await listed()).toMatchObject([{ kind: 'bearer', owner: 'local#dana' }]);
  const own = await broker.v1(dana, 'GET', '/agents/invoice-matcher/tokens');
  expect(own.body).toMatchObject({ items: [{ id, created_by: 'local#dana' }] });
  expect(own.text).not.toContain(token);
  expect((await broker.v1(await broker.person('acme', 'bob'), 'GET', '/agents/invoice-matcher/tokens')).status).toBe(403);
  await broker.v1(dana, 'DELETE', `/agents/invoice-matcher/tokens/${id}`);
  expect(await listed()).toEqual([]);
});
