import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextPending, type PendingApproval, vote } from '../support/approvals.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change: mayListPayments, holdMs: 10_000 });
});
afterAll(() => broker.end());

const asked = payment(600).arguments;
async function edit(name: string, approval: PendingApproval, change: object, over: object = {}) {
  const body = { digest: approval.digest, arguments: { ...asked, ...change }, reason: 'only half was delivered', ...over };
  return broker.v1(await broker.person('acme', name), 'POST', `/approvals/${approval.id}/edits`, body);
}
const asPending = (body: Record<string, unknown>) => body as unknown as PendingApproval;

describe('an edited approval', () => {
  it('takes the place of what waits: everybody votes anew, the held call runs as edited, once, and the agent is told', async () => {
    const client = await modernClient(await broker.open({}));
    const calling = client.callTool(payment(600));
    const original = await nextPending(broker);
    expect((await vote(broker, 'carl', original, 'approve')).status).toBe(200);
    const { status, body } = await edit('bob', original, { amount: 550 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'pending', edited_from: original.id, votes: [], requirements: [{ requirement: 'approval:finance:2', given: 0 }] });
    const edited = asPending(body);
    expect(edited.digest).not.toBe(original.digest);
    // A vote given for what was shown before counts for nothing now, and what was shown before cannot be voted on.
    expect(await vote(broker, 'bob', { id: edited.id, digest: original.digest }, 'approve')).toMatchObject({ status: 409 });
    expect(await vote(broker, 'bob', original, 'approve')).toMatchObject({ body: { code: 'approval.not_pending' } });
    for (const name of ['bob', 'carl']) expect((await vote(broker, name, edited, 'approve')).status).toBe(200);

    const paid = await calling;
    expect(paid.isError ?? false).toBe(false);
    expect(paid._meta?.['taskgate/edited']).toEqual({ approval: edited.id, arguments: { amount: 550 } });
    expect(textOf(paid)).toContain('a reviewer narrowed this call before it ran');
    expect((await paymentsOf(client)).map(({ amount }) => amount)).toEqual([550]);

    const again = await client.callTool(payment(600));
    expect(again._meta).toMatchObject({ 'taskgate/replayed': true, 'taskgate/edited': { arguments: { amount: 550 } } });
    expect(await paymentsOf(client)).toHaveLength(1);
    const records = (await broker.ports.store.readRecords('acme', 0, 5_000)).map((one) => one.body);
    expect(records.filter(({ approval }) => approval === original.id).map(({ type }) => type)).toEqual([
      'approval.requested',
      'approval.voted',
      'approval.superseded',
    ]);
    expect(records.find(({ type }) => type === 'approval.edited')).toMatchObject({
      approval: edited.id,
      edited_from: original.id,
      proposal_sha256: edited.digest,
    });
    await client.close();
  });

  it('is what a client finds that waits by the id it was given first', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const handle = (await client.callTool(payment(610)))._meta?.['taskgate/approval'] as { id: string };
    const original = await nextPending(broker);
    const edited = asPending((await edit('bob', original, { amount: 510 })).body);
    for (const name of ['bob', 'carl']) await vote(broker, name, edited, 'approve');
    const waited = await client.callTool({ name: 'await_approval', arguments: { approval: handle.id } });
    expect(textOf(waited as never)).toMatch(/A reviewer narrowed the call's arguments\. Approval .* was given/);
    expect(waited._meta?.['taskgate/approval']).toMatchObject({ id: edited.id, status: 'approved' });
    const paid = await client.callTool(payment(610));
    expect(paid._meta?.['taskgate/edited']).toMatchObject({ arguments: { amount: 510 } });
    await client.close();
  });

  it('can be edited again, and shows the reviewer what the agent had asked', async () => {
    const client = await legacyClient(await broker.open({}));
    await client.callTool(payment(700));
    const first = asPending((await edit('bob', await nextPending(broker), { amount: 650 })).body);
    const second = asPending((await edit('carl', first, { amount: 640 })).body);
    const shown = await broker.v1(await broker.person('acme', 'bob'), 'GET', `/approvals/${second.id}`);
    expect(shown.body['proposal']).toMatchObject({ arguments: { amount: 640 }, edited: { approval: first.id, digest: first.digest, asked: { amount: 700 } } });
    expect((await edit('bob', second, { amount: 645 })).body).toMatchObject({ code: 'approval.edit_widens' });
    await vote(broker, 'bob', second, 'deny');
    expect(textOf((await client.callTool(payment(700))) as never)).toMatch(/denied/);
    await client.close();
  });

  it('is refused when it is outside the schema, the grant or policy, changes nothing, or lands elsewhere', async () => {
    const client = await legacyClient(await broker.open({}));
    await client.callTool(payment(800));
    const original = await nextPending(broker);
    const code = async (...given: Parameters<typeof edit>) => (await edit(...given)).body['code'];
    expect(await code('bob', original, { amount: 801 })).toBe('approval.edit_widens');
    expect(await code('bob', original, { amount: 800 })).toBe('approval.edit_nothing');
    expect(await code('bob', original, { iban: 'DE03120300000000202051', amount: 700 })).toBe('approval.edit_widens');
    expect(await code('bob', original, { iban: 'FR1420041010050500013M02606' })).toBe('approval.edit_refused');
    expect(await code('bob', original, { invoice: 'INV-8', amount: 700 })).toBe('approval.edit_refused');
    expect(await code('bob', original, { amount: 'seven' })).toBe('approval.edit_refused');
    expect(await code('bob', original, { amount: 700 }, { reason: ' ' })).toBe('approval.reason_required');
    expect(await code('bob', original, { amount: 700 }, { digest: '0'.repeat(64) })).toBe('approval.digest_mismatch');
    for (const name of ['ana', 'dana']) expect(await code(name, original, { amount: 700 })).toMatch(/^approval\.(excluded|not_reviewer)$/);
    await vote(broker, 'bob', original, 'deny');
    expect(await code('carl', original, { amount: 700 })).toBe('approval.not_pending');
    await client.close();
  });
});
