import { afterAll, beforeAll, expect, it } from 'vitest';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { generous, givenByTwo, propose, standingRequest } from '../support/standing.ts';
import { fieldOf, loggedIn } from './visit.ts';

/** A reviewer of another group, to whom places in finance may be lent. */
const withLea = (tenant: Record<string, unknown>) => ({
  ...tenant,
  people: { ...(tenant['people'] as object), lea: { subject: 'local#lea', groups: ['legal'], roles: ['reviewer'] } },
  approvals: { delegable: { finance: '3d' } },
});

function change(document: Record<string, unknown>): Record<string, unknown> {
  const changed = generous(document);
  if (changed['kind'] === 'Tenant' && changed['name'] === 'acme') return withLea(changed);
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

it('a reviewer lends their place in the console without script; the delegate sees whose it is, and votes in it', async () => {
  const agent = await client();
  await agent.callTool(payment(610));
  const [bob, lea] = await Promise.all([loggedIn(broker, 'bob'), loggedIn(broker, 'lea')]);
  const pending = await nextPending(broker);
  expect((await lea.get(pathOf(pending.id))).status).toBe(404);
  const page = (await bob.get('/console/delegations')).text;
  const fields = { csrf: fieldOf(page, 'csrf'), group: 'finance', to: 'lea', hours: '8', reason: 'on <leave>' };
  expect((await bob.post('/console/delegations', { ...fields, csrf: 'x' })).status).toBe(403);
  expect((await bob.post('/console/delegations', { ...fields, hours: '73' })).text).toContain('longer than the tenant lets');
  expect((await bob.post('/console/delegations', fields)).headers.get('location')).toContain('say=place-lent');
  expect((await lea.get('/console/delegations')).text).toContain('on &lt;leave&gt;');
  expect((await lea.get('/console/delegations')).text).toContain('You are a reviewer of no group');
  expect((await (await loggedIn(broker, 'ana')).get('/console/delegations')).status).toBe(404);

  const shown = (await lea.get(pathOf(pending.id))).text;
  expect(shown).toMatch(/You vote in the place of[\s\S]*<option>bob<\/option>/);
  const vote = {
    ...Object.fromEntries(['csrf', 'digest', 'shown', 'requirement'].map((name) => [name, fieldOf(shown, name)])),
    decision: 'approve',
    reason: 'ok',
  };
  expect((await lea.post(`${pathOf(pending.id)}/decide`, { ...vote, on_behalf_of: 'carl' })).status).toBe(403);
  expect((await lea.post(`${pathOf(pending.id)}/decide`, { ...vote, on_behalf_of: 'bob' })).status).toBe(303);
  expect((await bob.get(pathOf(pending.id))).text).toMatch(/approved<\/span> by <strong>lea<\/strong> in the place of <strong>bob/);
  expect((await bob.get(pathOf(pending.id))).text).toContain('one place has one vote');
  const { body } = await broker.v1(await broker.person('acme', 'lea'), 'GET', '/delegations');
  const [given] = (body as unknown as { items: { id: string }[] }).items;
  const exceptions = await broker.v1(await broker.person('acme', 'dana'), 'GET', '/exceptions');
  expect(exceptions.text).toContain('lea votes in the place of bob');
  const csrf = fieldOf((await lea.get('/console/delegations')).text, 'csrf');
  expect((await lea.post(`/console/delegations/${given?.id}/end`, { csrf })).headers.get('location')).toContain('say=place-back');
  await voteBy('carl', pending, 'deny');
  await agent.close();
});
const voteBy = (name: string, approval: { id: string; digest: string }, decision: 'approve' | 'deny') => vote(broker, name, approval, decision);

it('calls alike are looked at together and decided each by its own digest; one of another kind, or cut, is not among them', async () => {
  const agent = await client();
  const long = 'line\n'.repeat(20);
  for (const call of [payment(621), payment(622), payment(623), payment(624, { memo: 'x' }), payment(625, { memo: long })]) await agent.callTool(call);
  const carl = await loggedIn(broker, 'carl');
  const queue = (await carl.get('/console')).text;
  expect(queue).toContain('Look at 3 calls alike together');
  expect(queue).toContain('Look at 2 calls alike together');
  const paths = [...queue.matchAll(/href="(\/console\/batches\/[^"]+)"/g)].map(([, path = '']) => path);
  const pages = await Promise.all(paths.map(async (path) => (await carl.get(path)).text));
  const cut = pages.find((text) => text.includes('has a long argument')) ?? '';
  const page = pages.find((text) => text.includes('623')) ?? '';
  expect([cut === '', page.includes('624')]).toEqual([false, false]);
  // Nothing that was chosen is taken back by the page being made anew.
  expect(page).not.toContain('data-live');
  const sent = (text: string) =>
    Object.fromEntries([...text.matchAll(/name="((?:csrf|approval|digest|shown)[^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
  const decide = (text: string, more: Record<string, string>) =>
    carl.post(`/console/batches/${sent(text)['approval-0']}/decide`, { ...sent(text), reason: 'weekly', denial: 'not ours', ...more });
  // A hand that approves what was cut, or claims that something else was shown, decides nothing.
  expect((await decide(cut, { 'vote-0': 'approve', 'vote-1': 'approve' })).status).toBe(422);
  expect((await decide(page, { 'vote-0': 'approve', 'vote-1': 'approve', 'digest-1': '0'.repeat(64) })).status).toBe(422);
  expect((await decide(page, { 'vote-0': 'approve', 'approval-1': sent(cut)['approval-0'] ?? '', 'vote-1': 'approve' })).status).toBe(422);
  expect((await decide(page, { 'vote-0': 'approve', csrf: 'x' })).status).toBe(403);
  expect((await decide(page, {})).text).toContain('Nothing was chosen');
  const done = await decide(page, { 'vote-0': 'approve', 'vote-1': 'deny', 'vote-2': 'leave' });
  expect(done.headers.get('location')).toContain('say=batch-decided');
  const rows = await Promise.all([0, 1, 2].map((at) => broker.ports.store.readApproval('acme', sent(page)[`approval-${at}`] ?? '')));
  expect(rows.map((row) => [row?.status, row?.votes.length])).toEqual([
    ['pending', 1],
    ['denied', 1],
    ['pending', 0],
  ]);
  const voted = (await broker.ports.store.readRecords('acme', 0, 5_000)).map(({ body }) => body).filter(({ batch_sha256 }) => batch_sha256 !== undefined);
  expect(voted.map(({ approval, proposal_sha256, vote: how }) => [approval, proposal_sha256, how])).toEqual([
    [rows[0]?.id, rows[0]?.digest, 'approve'],
    [rows[1]?.id, rows[1]?.digest, 'deny'],
  ]);
  expect(new Set(voted.map(({ batch_sha256 }) => batch_sha256)).size).toBe(1);

  const token = await broker.person('acme', 'carl');
  const items = (await broker.ports.store.listApprovals('acme', { status: 'pending' }, { after: null, limit: 9 })).map(({ id, digest }) => ({
    approval: id,
    digest,
  }));
  const mixed = items.map((one) => ({ ...one, decision: 'approve', reason: 'all of them' }));
  expect(await broker.v1(token, 'POST', '/approval-batches', { votes: mixed })).toMatchObject({ status: 422, body: { code: 'batch.mixed' } });
  const [one] = items;
  expect(
    (
      await broker.v1(token, 'POST', '/approval-batches', {
        votes: [
          { ...one, decision: 'deny' },
          { ...one, decision: 'approve' },
        ],
      })
    ).status,
  ).toBe(422);
  const ended = await broker.v1(token, 'POST', '/approval-batches', { votes: items.map((item) => ({ ...item, decision: 'deny', reason: 'enough' })) });
  expect((ended.body as unknown as { items: { decided: { status: string } | null }[] }).items.map(({ decided }) => decided?.status ?? null)).toEqual(
    expect.arrayContaining(['denied']),
  );
  await agent.close();
});

it('the page says of each target where its value came from or that nobody traced it, and compares with nothing that has expired', async () => {
  const shown = async (amount: number) => {
    const agent = await client();
    await agent.callTool(payment(amount));
    const pending = await nextPending(broker);
    const page = (await (await loggedIn(broker, 'bob')).get(pathOf(pending.id))).text;
    await vote(broker, 'bob', pending, 'deny');
    await agent.close();
    return page;
  };
  const page = await shown(771);
  expect(page.match(/Where this value came from: <strong>not traced/g)).toHaveLength(2);
  expect(page).toContain('Compared with the last approved call of this tool');
  await broker.ports.store.sweep(broker.ports.clock() + 5 * 3_600_000);
  expect(await shown(772)).toMatch(
    /Not compared: the last approved call of this tool, <time[\s\S]*has expired, and what a call held is deleted with its approval/,
  );
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
