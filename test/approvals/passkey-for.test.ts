import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveByTwo, nextPending, vote } from '../support/approvals.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ holdMs: 15_000 });
});
afterAll(() => broker.end());

const requirementsOf = async (id: string) => (await broker.ports.store.readApproval('acme', id))?.requirements;

/** acme as it is, with the switch. */
async function switchOn(): Promise<void> {
  const snapshot = await broker.ports.tenants.current('acme');
  const text = JSON.stringify({ ...snapshot?.document, approvals: { passkey_for: 'destructive' } });
  const dana = await broker.person('acme', 'dana');
  const applied = await broker.v1(dana, 'POST', '/documents/apply', { files: [{ source: 'tenant.yaml', text }] });
  if (applied.status !== 200) throw new Error(applied.text);
  expect(applied.text).toContain('narrows');
}

describe('a tenant that has votes on destructive calls signed', () => {
  it('lets no plain vote count that was given before it said so: the call is asked again, for signed ones', async () => {
    const client = await modernClient(await broker.open({}));
    const call = client.callTool(payment(600)).catch(() => null);
    const before = await nextPending(broker);
    expect(await requirementsOf(before.id)).toEqual(['approval:finance:2']);
    await switchOn();
    await approveByTwo(broker, before);
    const after = await nextPending(broker);
    expect(after.id).not.toBe(before.id);
    expect(await requirementsOf(after.id)).toEqual(['approval:finance:2:passkey']);
    expect((await broker.ports.store.readApproval('acme', before.id))?.status).toBe('superseded');
    expect((await vote(broker, 'bob', after, 'approve')).body).toMatchObject({ code: 'passkey.required' });
    await vote(broker, 'bob', after, 'deny', 'enough of this');
    expect(await call).toMatchObject({ isError: true });
    await client.close();
  });

  it('asks nobody for more where policy asks nobody', async () => {
    const client = await modernClient(await broker.open({}));
    expect((await client.callTool(payment(20))).isError ?? false).toBe(false);
    await client.close();
  });
});
