import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findDoors } from '../../server/connect/broker.ts';
import { openBridge } from '../../server/connect/connect.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { nextPending, vote } from '../support/approvals.ts';
import { newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import { withLibrary } from '../support/library.ts';

/** Through the bridge, from a real host to a real upstream. */

let broker: TestBroker;
let dir: string;
beforeAll(async () => {
  dir = await newFolder();
  broker = await startTestBroker({ dir, holdMs: 1_000, ...withLibrary(dir) });
});
afterAll(() => broker.end());
const leaves: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(leaves.splice(0).map((leave) => leave()));
});

/** The bridge in this process, and its host's end of what stands for stdio. */
async function bridged(): Promise<InMemoryTransport> {
  const data = join(dir, 'data');
  const key = JSON.parse(await readFile(join(data, 'local', 'acme', 'people.json'), 'utf8')) as PrivateJwk;
  const sponsorToken = join(dir, 'sponsor.jwt');
  await writeFile(sponsorToken, await askIdToken(await findDoors(broker.url, 'acme'), key, 'ana', { agent: 'invoice-matcher' }));
  const task = { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } };
  const options = { url: broker.url, tenant: 'acme', data, agent: 'invoice-matcher', key: null, svidFile: null, sponsorToken, task };
  const bridge = await openBridge(options, '1', () => undefined);
  const [host, transport] = InMemoryTransport.createLinkedPair();
  serveStdio(bridge.factory, { transport });
  leaves.push(() => bridge.leave());
  return host;
}

describe.each(['2026-07-28', '2025-11-25'] as const)('a host of %s', (revision) => {
  const connect = async () => {
    const transport = await bridged();
    const modern = new ModernClient({ name: 'host', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const older = new Client({ name: 'host', version: '1' });
    if (revision === '2025-11-25') await older.connect(transport as Parameters<Client['connect']>[0]);
    else await modern.connect(transport);
    return revision === '2025-11-25' ? older : modern;
  };

  it('reads and is prompted with what its task is granted, and finds nothing else', async () => {
    const host = await connect();
    expect((await host.listResources()).resources.map(({ uri }) => uri)).toContain('library://handbook');
    expect((await host.listPrompts()).prompts.map(({ name }) => name)).toEqual(['library__audit', 'library__settle', 'library__summarise']);
    const asked = { ref: { type: 'ref/prompt' as const, name: 'library__settle' }, argument: { name: 'invoice', value: '' } };
    expect((await host.complete(asked)).completion.values).toEqual(['INV-7']);
    expect(await host.readResource({ uri: 'library://book/7' })).toMatchObject({ contents: [{ text: 'You read library://book/7' }] });
    expect(await host.getPrompt({ name: 'library__summarise', arguments: { topic: 'books' } })).toMatchObject({ description: 'About books' });
    const uri = 'library://book/hidden';
    await expect(host.readResource({ uri })).rejects.toMatchObject({ code: -32602, data: { uri } });
    await expect(host.readResource({ uri: 'library://book/9' })).rejects.toMatchObject({ code: 403, message: expect.stringContaining('Book nine is lent') });
  });

  it('waits for people as its tools do', async () => {
    const host = await connect();
    const read = host.readResource({ uri: 'library://minutes' }, { onprogress: () => undefined });
    await vote(broker, 'bob', await nextPending(broker), 'approve');
    expect(await read).toMatchObject({ contents: [{ text: 'The board has met.' }] });
  });
});

it('hands a host that neither follows rounds nor asked for progress the handle', async () => {
  const host = new Client({ name: 'host', version: '1' });
  await host.connect((await bridged()) as Parameters<Client['connect']>[0]);
  const refused = await host.getPrompt({ name: 'library__audit', arguments: { invoice: 'INV-7' } }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 403, data: { 'taskgate/approval': { status: 'pending', retry_after: 5 } } });
  await vote(broker, 'bob', await nextPending(broker), 'approve');
  expect(await host.getPrompt({ name: 'library__audit', arguments: { invoice: 'INV-7' } })).toMatchObject({ description: 'About INV-7' });
});
