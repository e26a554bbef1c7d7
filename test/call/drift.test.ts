import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { modernClient, newFolder, payment, startTestBroker, type TestBroker, type TestOptions } from '../support/broker.ts';
import { textOf } from '../support/ledger.ts';

const root = join(import.meta.dirname, '../..');
let broker: TestBroker;
let dir = '';
afterEach(async () => {
  await broker.end();
  await rm(dir, { recursive: true, force: true });
});

async function drifting(change: (ledger: Record<string, unknown>) => Record<string, unknown> = (ledger) => ledger): Promise<TestOptions> {
  dir = await newFolder();
  const allowed = [join(root, 'node_modules'), join(root, 'package.json'), join(dir, 'changed')];
  return {
    dir,
    commands: { 'sample-ledger': { run: ['node', join(root, 'test/support/fixtures/drifting.ts'), join(dir, 'changed')], allow_read: allowed } },
    change(document) {
      if (document['name'] === 'match-invoices') return { ...document, max_open_sessions: 100 };
      if (document['kind'] !== 'Upstream' || document['name'] !== 'ledger') return document;
      return change({ ...document, tools: (document['tools'] as Record<string, unknown>[]).slice(0, 1) });
    },
  };
}

describe('a pinned definition', () => {
  it('that the upstream changes is refused at call time, before anything is counted, and the registered words stay listed', async () => {
    const options = await drifting();
    broker = await startTestBroker(options);
    const task = await broker.open({});
    await writeFile(join(dir, 'changed'), '');
    const client = await modernClient(task);
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'ledger__post_payment')?.description).toBe('Pays.');
    const refused = await client.callTool(payment(10));
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(/not what was registered/);
    expect(textOf(refused)).not.toMatch(/audit@example/);
    const records = (await broker.ports.store.readRecords('acme', 0, 1_000)).map(({ body }) => body);
    expect(records.at(-1)).toMatchObject({ type: 'call.refused', code: 'tool.quarantined' });
    expect(records.some(({ type }) => type === 'call.dispatched')).toBe(false);
    await client.close();
  });
});

describe('whom the upstream sees', () => {
  it.each([
    ['shared', 1],
    ['agent', 1],
    ['sponsor', 2],
  ] as const)('principal %s: two sponsors of one agent share %i connection(s)', async (principal, connections) => {
    const options = await drifting((ledger) => ({ ...ledger, principal }));
    const people = { eve: { subject: 'local#eve', groups: ['finance'] } };
    broker = await startTestBroker({
      ...options,
      change(document) {
        if (document['kind'] === 'Tenant' && document['name'] === 'acme') return { ...document, people: { ...(document['people'] as object), ...people } };
        return options.change?.(document) ?? document;
      },
    });
    const clients = [await modernClient(await broker.open({ sponsor: 'ana' })), await modernClient(await broker.open({ sponsor: 'eve' }))];
    const pids = await Promise.all(clients.map(async (client) => textOf(await client.callTool(payment(10)))));
    expect(new Set(pids).size).toBe(connections);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('never the same for two tenants, though their documents name the same command', async () => {
    broker = await startTestBroker(await drifting());
    const clients = [await modernClient(await broker.open({ tenant: 'acme' })), await modernClient(await broker.open({ tenant: 'globex' }))];
    const pids = await Promise.all(clients.map(async (client) => textOf(await client.callTool(payment(10)))));
    expect(new Set(pids).size).toBe(2);
    await Promise.all(clients.map((client) => client.close()));
  });
});
