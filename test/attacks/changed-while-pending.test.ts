import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { legacyClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { textOf } from '../support/ledger.ts';
import { generous } from '../support/standing.ts';

const root = join(import.meta.dirname, '../..');
let broker: TestBroker;
let dir = '';
afterEach(async () => {
  await broker.end();
  await rm(dir, { recursive: true, force: true });
});
const seen: Record<string, Record<string, unknown>> = {};

/** A broker whose ledger changes its definition once a file is there. */
async function start(): Promise<void> {
  dir = await newFolder();
  const allowed = [join(root, 'node_modules'), join(root, 'package.json'), join(dir, 'changed')];
  broker = await startTestBroker({
    dir,
    holdMs: 300,
    commands: { 'sample-ledger': { run: ['node', join(root, 'test/support/fixtures/drifting.ts'), join(dir, 'changed')], allow_read: allowed } },
    change(document) {
      const changed =
        document['kind'] === 'UseCase'
          ? { ...generous(document), grants: [{ tool: 'ledger__post_payment' }, { tools: ['mail__*'], effect: 'read' }] }
          : document;
      seen[`${document['tenant'] ?? ''}/${document['name']}`] = changed;
      if (changed['kind'] !== 'Upstream' || changed['name'] !== 'ledger') return changed;
      return { ...changed, tools: (changed['tools'] as unknown[]).slice(0, 1) };
    },
  });
}
const dispatched = async (): Promise<number> =>
  (await broker.ports.store.readRecords('acme', 0, 5_000)).filter(({ body }) => body.type === 'call.dispatched' && body.tool === 'ledger__post_payment').length;

it('the definition of the tool: what was approved does not run, and nothing is taken', async () => {
  await start();
  const agent = await legacyClient(await broker.open({}));
  await agent.callTool(payment(600));
  const approval = await nextPending(broker);
  await writeFile(join(dir, 'changed'), '');
  await approveByTwo(broker, approval);
  expect(textOf(await agent.callTool(payment(600)))).toMatch(/not what was registered/);
  expect(await dispatched()).toBe(0);
  expect((await broker.ports.store.readApproval('acme', approval.id))?.status).toBe('approved');
  await agent.close();
});

it('the sponsor leaves the group that may sponsor: what was approved for them does not run', async () => {
  await start();
  const agent = await legacyClient(await broker.open({}));
  await agent.callTool(payment(600));
  const approval = await nextPending(broker);
  await approveByTwo(broker, approval);
  const tenant = structuredClone(seen['/acme']) as { people: { ana: { groups: string[] } } };
  tenant.people.ana.groups = [];
  const files = [{ source: 'tenant.yaml', text: stringify(tenant) }];
  expect((await broker.v1(await broker.person('acme', 'dana'), 'POST', '/documents/apply', { files })).status).toBe(200);
  expect((await agent.callTool(payment(600))).isError).toBe(true);
  expect(await dispatched()).toBe(0);
  await agent.close();
});

it('the labels of the task rise: it is asked again, with the labels as they are', async () => {
  await start();
  const agent = await legacyClient(await broker.open({}));
  await agent.callTool(payment(600));
  const first = await nextPending(broker);
  await agent.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
  await approveByTwo(broker, first);
  expect(textOf(await agent.callTool(payment(600)))).toMatch(/waits for a human/);
  expect((await nextPending(broker)).id).not.toBe(first.id);
  expect((await broker.ports.store.readApproval('acme', first.id))?.status).toBe('superseded');
  expect(await dispatched()).toBe(0);
  await agent.close();
});

it('the task ends: its approval can be given no more', async () => {
  await start();
  const task = await broker.open({});
  const agent = await legacyClient(task);
  await agent.callTool(payment(600));
  const approval = await nextPending(broker);
  await broker.v1(await broker.person('acme', 'dana'), 'POST', `/sessions/${task.session}/end`, { reason: 'over' });
  await expect(approveByTwo(broker, approval)).rejects.toThrow(/not_pending/);
  await expect(agent.callTool(payment(600))).rejects.toThrow();
  expect(await dispatched()).toBe(0);
});
