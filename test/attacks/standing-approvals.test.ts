import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { textOf } from '../support/ledger.ts';
import { generous, give, givenByTwo, propose, standingRequest } from '../support/standing.ts';

/** As a tenant where the payment is no destructive tool, and ana, who sponsors, reviews as well. */
function change(document: Record<string, unknown>): Record<string, unknown> {
  const changed = generous(document);
  if (changed['kind'] === 'Upstream' && changed['name'] === 'ledger') {
    const tools = changed['tools'] as Record<string, unknown>[];
    // What it answers is the tenant's own, so that a payment brings nothing from outside into the task.
    const returns = { sensitivity: 'internal', integrity: 'tenant' };
    return { ...changed, tools: tools.map((tool) => (tool['name'] === 'post_payment' ? { ...tool, effect: 'write', returns } : tool)) };
  }
  if (changed['kind'] !== 'Tenant' || changed['name'] !== 'acme') return changed;
  const people = changed['people'] as Record<string, object>;
  const more = {
    ana: { ...people['ana'], roles: ['reviewer'] },
    eve: { subject: 'local#eve', groups: ['finance'], roles: ['reviewer'] },
  };
  return { ...changed, people: { ...people, ...more } };
}

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change, holdMs: 300 });
});
afterAll(() => broker.end());

let calls = 0;
type Client = Awaited<ReturnType<typeof legacyClient>>;
const pay = (client: Client, amount: number, more = {}) => client.callTool({ ...payment(amount, more), _meta: { 'taskgate/call': `n${++calls}` } });
const waits = async (answer: ReturnType<Client['callTool']>): Promise<boolean> => /waits for a human/.test(textOf(await answer));
const revoke = async (id: string) => broker.v1(await broker.person('acme', 'dana'), 'POST', `/standing-approvals/${id}/revoke`, {});
const client = async (ask = {}) => legacyClient(await broker.open(ask));

it('whoever proposed it cannot give it', async () => {
  const { body } = await propose(broker, 'bob');
  expect((await give(broker, 'bob', body)).body.code).toBe('approval.excluded');
  expect((await give(broker, 'carl', body)).body.status).toBe('pending');
  await revoke(body.id);
});

it('an admin who is no reviewer of the group cannot give it, and neither can another tenant or an agent', async () => {
  const { body } = await propose(broker, 'bob');
  expect((await give(broker, 'dana', body)).body.code).toBe('approval.not_reviewer');
  const path = `/standing-approvals/${body.id}/decisions`;
  const decision = { decision: 'approve', digest: body.digest, reason: 'as contracted' };
  const outsider = await broker.v1(await broker.person('globex', 'hugo'), 'POST', path, decision);
  const nowhere = await broker.v1(await broker.person('globex', 'hugo'), 'POST', path.replace(body.id, 'sta_none'), decision);
  expect([outsider.status, outsider.text]).toEqual([404, nowhere.text]);
  expect((await broker.v1((await broker.open({})).accessToken, 'POST', path, decision)).status).toBe(401);
  await revoke(body.id);
});

it('a vote for another content than was shown does not count', async () => {
  const { body } = await propose(broker, 'dana');
  expect((await give(broker, 'bob', { ...body, digest: '0'.repeat(64) })).body.code).toBe('approval.digest_mismatch');
  await revoke(body.id);
});

it('who gave it does not give it to a task they sponsor', async () => {
  const { body } = await propose(broker, 'dana');
  for (const name of ['ana', 'bob']) await give(broker, name, body);
  const [anas, bobs, carls] = await Promise.all(['ana', 'bob', 'carl'].map((sponsor) => client({ sponsor })));
  if (!anas || !bobs || !carls) throw new Error('no client');
  expect(await waits(pay(anas, 701))).toBe(true);
  expect(await waits(pay(bobs, 702))).toBe(true);
  expect((await pay(carls, 703)).isError ?? false).toBe(false);
  await revoke(body.id);
  for (const one of [anas, bobs, carls]) await one.close();
});

it('approves `pay 1` and nothing else: another amount, account or argument asks again', async () => {
  const agent = await client();
  const one = await givenByTwo(broker, { max_calls: 9, arguments: { ...standingRequest().arguments, amount: { const: 720 } } });
  expect((await pay(agent, 720)).isError ?? false).toBe(false);
  for (const more of [{ amount: 4999 }, { iban: 'DE89370400440532013000' }, { memo: 'x' }]) expect(await waits(pay(agent, 720, more))).toBe(true);
  await revoke(one.id);
  await agent.close();
});

const remember = async (name: string, approval: { id: string; digest: string }, more: object = {}) =>
  broker.v1(await broker.person('acme', name), 'POST', `/approvals/${approval.id}/remember`, { digest: approval.digest, ...more });

it('a remembered answer needs as many people as the call did, covers equal calls of its session, and ends with it', async () => {
  const task = await broker.open({});
  const [agent, other] = [await legacyClient(task), await client()];
  expect(await waits(pay(agent, 730))).toBe(true);
  const approval = await nextPending(broker);
  expect((await remember('bob', approval)).body['code']).toBe('remember.not_yours');
  for (const name of ['bob', 'carl']) await vote(broker, name, approval, 'approve');
  expect((await remember('eve', approval)).body['code']).toBe('remember.not_yours');
  expect((await remember('bob', approval)).body['status']).toBe('pending');
  expect(await waits(pay(agent, 730))).toBe(true);
  expect((await remember('carl', approval)).body['status']).toBe('active');
  expect((await pay(agent, 730)).isError ?? false).toBe(false);
  expect(await waits(pay(agent, 730.5))).toBe(true);
  expect(await waits(pay(other, 730))).toBe(true);
  await broker.v1(await broker.person('acme', 'dana'), 'POST', `/sessions/${task.session}/end`, { reason: 'done' });
  await expect(pay(agent, 730)).rejects.toThrow();
  await other.close();
});

it('a remembered answer is never for a whole tool, and not kept once external content was read', async () => {
  const agent = await client();
  expect(await waits(pay(agent, 740))).toBe(true);
  const approval = await nextPending(broker);
  for (const name of ['bob', 'carl']) await vote(broker, name, approval, 'approve');
  const chosen = { invoice: { const: 'INV-7' }, iban: { const: payment(1).arguments.iban }, amount: { maximum: 750 } };
  for (const loose of [
    {},
    { ...chosen, amount: { type: 'number' } },
    { invoice: chosen.invoice, iban: chosen.iban },
    { ...chosen, amount: { maximum: 739 } },
  ]) {
    expect((await remember('bob', approval, { arguments: loose })).body['code']).toBe('standing.invalid');
  }
  for (const name of ['bob', 'carl']) expect((await remember(name, approval, { arguments: chosen })).status).toBe(201);
  expect((await pay(agent, 745)).isError ?? false).toBe(false);
  await agent.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
  expect(await waits(pay(agent, 746))).toBe(true);
  expect((await remember('bob', approval)).body['code']).toBe('remember.external');
  // Nor when it had been read before anybody was asked.
  const later = await nextPending(broker);
  for (const name of ['bob', 'carl']) await vote(broker, name, later, 'approve');
  expect((await remember('bob', later)).body['code']).toBe('remember.external');
  await agent.close();
});

it('whoever has left the group no longer gives it', async () => {
  const agent = await client();
  await givenByTwo(broker, { max_calls: 9 });
  expect((await pay(agent, 750)).isError ?? false).toBe(false);
  const tenant = parse(await readFile(join(broker.documents, 'tenants/acme/tenant.yaml'), 'utf8')) as { people: { bob: { groups: string[] } } };
  tenant.people.bob.groups = [];
  const files = [{ source: 'tenant.yaml', text: stringify(tenant) }];
  expect(await broker.v1(await broker.person('acme', 'dana'), 'POST', '/documents/apply', { files })).toMatchObject({ status: 200 });
  expect(await waits(pay(agent, 751))).toBe(true);
  await agent.close();
});
