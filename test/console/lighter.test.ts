import { afterAll, beforeAll, expect, it } from 'vitest';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { generous, givenByTwo, propose, standingRequest } from '../support/standing.ts';
import { fieldOf, loggedIn } from './visit.ts';

function change(document: Record<string, unknown>): Record<string, unknown> {
  const changed = generous(document);
  if (changed['kind'] !== 'Upstream' || changed['name'] !== 'ledger') return changed;
  const tools = changed['tools'] as Record<string, unknown>[];
  const returns = { sensitivity: 'internal', integrity: 'tenant' };
  return { ...changed, tools: tools.map((tool) => (tool['name'] === 'post_payment' ? { ...tool, effect: 'write', returns } : tool)) };
}

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change, holdMs: 300 });
});
afterAll(() => broker.end());

const client = async () => legacyClient(await broker.open({}));
const pathOf = (id: string): string => `/console/approvals/${id}`;

it('a reviewer narrows a call in the console without script, sees what the agent had asked, and decides the narrowed one', async () => {
  const agent = await client();
  await agent.callTool(payment(600, { memo: 'first line\nsecond line' }));
  const { id } = await nextPending(broker);
  const bob = await loggedIn(broker, 'bob');
  const page = (await bob.get(pathOf(id))).text;
  expect(page).toContain('Approve less than was asked');
  const [csrf, digest] = [fieldOf(page, 'csrf'), fieldOf(page, 'digest')];
  // As a browser sends the form: every field, line ends as CRLF.
  const fields = {
    csrf,
    digest,
    'argument-0': '600',
    'argument-1': payment(1).arguments.iban,
    'argument-2': 'INV-7',
    'argument-3': 'first line\r\nsecond line',
  };
  const narrow = (more: object) => bob.post(`${pathOf(id)}/narrow`, { ...fields, reason: 'half was delivered', ...more });
  expect((await narrow({})).text).toContain('Nothing was changed');
  expect((await narrow({ 'argument-0': '601' })).text).toContain('amount can only be narrowed');
  expect((await narrow({ 'argument-0': 'six' })).status).toBe(422);
  expect((await narrow({ csrf: 'x', 'argument-0': '550' })).status).toBe(403);
  const narrowed = await narrow({ 'argument-0': '550', 'argument-3': 'second line' });
  expect(narrowed.status).toBe(303);
  const to = narrowed.headers.get('location') ?? '';
  const edited = (await bob.get(to)).text;
  expect(edited).toContain('Narrowed by local#bob');
  expect(edited).toContain('Nobody has agreed to it yet');
  expect(edited).toContain('550');
  expect((await bob.get(pathOf(id))).text).toContain('What is decided now');

  const next = {
    csrf,
    digest: fieldOf(edited, 'digest'),
    shown: fieldOf(edited, 'shown'),
    requirement: 'approval:finance:2',
    decision: 'approve',
    reason: 'as delivered',
  };
  expect((await bob.post(`${new URL(to, broker.url).pathname}/decide`, next)).status).toBe(303);
  await vote(broker, 'carl', await nextPendingOf(to, next.digest), 'approve');
  const paid = await agent.callTool(payment(600, { memo: 'first line\nsecond line' }));
  expect(paid._meta?.['taskgate/edited']).toMatchObject({ arguments: { amount: 550, memo: 'second line' } });
  await agent.close();
});
const nextPendingOf = async (to: string, digest: string) => ({ id: new URL(to, broker.url).pathname.split('/').at(-1) ?? '', digest });

it('who approved has the answer remembered, exactly or within constraints; nobody is offered it who did not', async () => {
  const agent = await client();
  await agent.callTool(payment(700));
  const pending = await nextPending(broker);
  const [bob, carl] = await Promise.all([loggedIn(broker, 'bob'), loggedIn(broker, 'carl')]);
  expect((await bob.get(pathOf(pending.id))).text).not.toContain('Remember this answer');
  for (const name of ['bob', 'carl']) await vote(broker, name, pending, 'approve');
  const page = (await bob.get(pathOf(pending.id))).text;
  expect(page).toContain('Remember this answer');
  const remember = async (one: typeof bob, constraints: string) => {
    const shown = (await one.get(pathOf(pending.id))).text;
    return one.post(`${pathOf(pending.id)}/remember`, { csrf: fieldOf(shown, 'csrf'), digest: pending.digest, constraints });
  };
  expect((await remember(bob, '{"amount"')).status).toBe(422);
  expect((await remember(bob, '{"amount":{"maximum":710}}')).text).toContain('is not constrained');
  const chosen = JSON.stringify({ invoice: { const: 'INV-7' }, iban: { const: payment(1).arguments.iban }, amount: { maximum: 710 } });
  expect((await remember(bob, chosen)).headers.get('location')).toContain('say=remembering');
  expect((await remember(carl, chosen)).headers.get('location')).toContain('say=remembered');
  expect((await agent.callTool(payment(705))).isError ?? false).toBe(false);
  await agent.close();
});

it('the exceptions page shows what is in force to roles alone', async () => {
  await givenByTwo(broker, { reason: 'the <b>yearly</b> contract' });
  const bob = await loggedIn(broker, 'bob');
  const { text } = await bob.get('/console/exceptions');
  expect(text).toContain('Standing approval');
  expect(text).toContain('the &lt;b&gt;yearly&lt;/b&gt; contract');
  expect((await bob.get('/console')).text).toContain('href="/console/exceptions"');
  expect((await (await loggedIn(broker, 'ana')).get('/console/exceptions')).status).toBe(404);
});

it('those of the group read exactly what a standing approval gives, and give it; who proposed it and who is in no group cannot', async () => {
  const { body } = await propose(broker, 'dana', { arguments: { ...standingRequest().arguments, amount: { maximum: 801 } } });
  const path = `/console/standing/${body.id}`;
  const dana = (await (await loggedIn(broker, 'dana')).get(path)).text;
  expect(dana).not.toContain('Give it</button>');
  for (const name of ['bob', 'carl']) {
    const one = await loggedIn(broker, name);
    expect((await one.get('/console/exceptions')).text).toContain(path);
    const page = (await one.get(path)).text;
    expect(page).toContain('801');
    const fields = { csrf: fieldOf(page, 'csrf'), decision: 'approve', reason: 'as contracted' };
    expect((await one.post(`${path}/decide`, { ...fields, digest: '0'.repeat(64) })).status).toBe(409);
    expect((await one.post(`${path}/decide`, { ...fields, digest: fieldOf(page, 'digest') })).status).toBe(303);
  }
  const carl = await loggedIn(broker, 'carl');
  const page = (await carl.get(path)).text;
  expect(page).toContain('In force');
  expect((await carl.post(`${path}/revoke`, { csrf: fieldOf(page, 'csrf'), reason: 'over' })).status).toBe(303);
  expect((await carl.get(path)).text).toContain('Taken back');
  expect((await (await loggedIn(broker, 'ana')).get(path)).status).toBe(404);
});
