import { afterEach, describe, expect, it } from 'vitest';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';

let broker: TestBroker;
afterEach(() => broker.end());

const memory = (kind: 'none' | 'shared') => (document: Record<string, unknown>) =>
  document['name'] === 'invoice-matcher' ? { ...document, memory: kind } : mayListPayments(document);
const readContract = { name: 'mail__read_contract', arguments: { id: 'CON-1' } };

describe('labels rise with what a session has read', () => {
  it('and a sink that accepts less is then closed to it, with a reason the agent can act on', async () => {
    broker = await startTestBroker({ change: mayListPayments });
    const client = await modernClient(await broker.open({}));
    expect((await client.callTool(payment(10))).isError ?? false).toBe(false);
    expect((await client.callTool(readContract)).isError ?? false).toBe(false);
    const refused = await client.callTool(payment(10, { memo: 'again' }));
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(/sensitive/i);
    expect((await paymentsOf(client)).length).toBe(1);
    await client.close();
  });

  it('for a fresh session of an agent that remembers nothing they start anew', async () => {
    broker = await startTestBroker({ change: memory('none') });
    const first = await modernClient(await broker.open({}));
    await first.callTool(readContract);
    const second = await modernClient(await broker.open({}));
    expect((await second.callTool(payment(10))).isError ?? false).toBe(false);
    await Promise.all([first.close(), second.close()]);
  });

  it('for every session of an agent whose memory is shared they are one', async () => {
    broker = await startTestBroker({ change: memory('shared') });
    const early = await modernClient(await broker.open({}));
    const reader = await broker.open({});
    const first = await modernClient(reader);
    await first.callTool(readContract);
    await broker.v1(await broker.person('acme', 'dana'), 'POST', `/sessions/${reader.session}/end`, { reason: 'done' });
    const late = await modernClient(await broker.open({}));
    for (const client of [early, late]) expect(textOf(await client.callTool(payment(10)))).toMatch(/sensitive/i);
    await Promise.all([early.close(), late.close()]);
  });

  it('for a child session they are its parent’s, both ways', async () => {
    broker = await startTestBroker({ change: memory('none') });
    const parent = await broker.open({});
    const child = await modernClient(await broker.open({ parent: parent.session }));
    await child.callTool(readContract);
    const above = await modernClient(parent);
    expect(textOf(await above.callTool(payment(10)))).toMatch(/sensitive/i);
    await Promise.all([child.close(), above.close()]);
  });

  it('and what was approved under lower labels is asked again under higher ones', async () => {
    broker = await startTestBroker({
      holdMs: 0,
      change: (document) => {
        if (document['kind'] !== 'Upstream' || document['name'] !== 'ledger') return mayListPayments(document);
        const tools = (document['tools'] as Record<string, unknown>[]).map((tool) =>
          tool['name'] === 'post_payment' ? { ...tool, accepts: 'restricted' } : tool,
        );
        return { ...document, tools };
      },
    });
    const { approveByTwo, nextPending } = await import('../support/approvals.ts');
    const client = await legacyClient(await broker.open({}));
    await client.callTool(payment(700));
    const shown = await nextPending(broker);
    await approveByTwo(broker, shown);
    await client.callTool(readContract);
    const again = await client.callTool(payment(700));
    expect(textOf(again)).toMatch(/waits for a human/);
    expect((await broker.ports.store.readApproval('acme', shown.id))?.status).toBe('superseded');
    expect((await nextPending(broker)).id).not.toBe(shown.id);
    await client.close();
  });
});
