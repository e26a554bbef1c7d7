import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';

const root = join(import.meta.dirname, '../..');
const canary = 'CANARY-5f1d9a0c7b3e48d2';
/** Every form in which it could stand somewhere. */
const forms = [
  canary,
  Buffer.from(canary).toString('base64').replace(/=+$/, ''),
  Buffer.from(canary).toString('hex'),
  encodeURIComponent(canary),
  JSON.stringify(canary).slice(1, -1),
];

let broker: TestBroker;
/** Tokens agents and people were given: theirs alone as well. */
const tokens: string[] = [];
const seen: string[] = [];
/** Keeps everything anybody outside was told. */
const keep = <T>(value: T): T => {
  seen.push(typeof value === 'string' ? value : JSON.stringify(value));
  return value;
};

beforeAll(async () => {
  const fixture = join(root, 'test/support/fixtures/telltale.ts');
  broker = await startTestBroker({
    holdMs: 0,
    commands: { 'sample-ledger': { run: ['node', fixture], allow_read: [join(root, 'node_modules'), join(root, 'package.json')] } },
    change(document) {
      if (document['kind'] !== 'Upstream' || document['name'] !== 'ledger') return document;
      return { ...document, tools: (document['tools'] as Record<string, unknown>[]).slice(0, 1) };
    },
  });
  keep((await byTwoAdmins(broker, 'PUT', '/credentials/ledger-key', { value: canary })).text);
});
afterAll(() => broker.end());

describe('a secret stays inside', () => {
  it('when the upstream tells it in results, errors and its dying words, and through approvals and replays', async () => {
    const task = await broker.open({});
    tokens.push(task.accessToken);
    const client = await modernClient(task);
    for (const amount of [1, 2]) keep(await client.callTool(payment(amount)).catch((error: Error) => error.message));
    const paid = keep(await client.callTool(payment(3)));
    expect(JSON.stringify(paid)).toContain('paid with [secret]');
    const legacy = await legacyClient(await broker.open({}));
    keep(await legacy.callTool(payment(900)));
    await approveByTwo(broker, keep(await nextPending(broker)));
    keep(await legacy.callTool(payment(900)));
    const replayed = keep(await legacy.callTool(payment(900)));
    expect(JSON.stringify(replayed)).toContain('[secret]');
    await Promise.all([client.close(), legacy.close()]);
  });

  it('at every door of /v1, for everyone', async () => {
    for (const name of ['ana', 'bob', 'dana']) {
      const token = await broker.person('acme', name);
      tokens.push(token);
      for (const path of [
        '/credentials',
        '/changes',
        '/changes?status=applied',
        '/approvals?status=used',
        '/sessions',
        '/upstreams',
        '/tools',
        '/agents',
        '/use-cases',
        '/audit/records?from=0&limit=500',
        '/me',
      ]) {
        keep((await broker.v1(token, 'GET', path)).text);
      }
      keep((await broker.v1(token, 'PUT', '/credentials/nothing', { value: canary })).text);
      keep((await broker.v1(token, 'PUT', '/credentials/ledger-key', { valve: canary })).text);
      keep((await broker.v1(token, 'PUT', '/credentials/ledger-key', canary)).text);
    }
    expect(seen.filter((text) => forms.some((form) => text.includes(form)))).toEqual([]);
  });

  it('in the record, the log at its most talkative, and every byte on disk', async () => {
    const records = JSON.stringify([await broker.ports.store.readRecords('acme', 0, 1_000), await broker.ports.store.readRecords(null, 0, 1_000)]);
    expect(records).toContain('call.completed');
    expect(tokens).toHaveLength(4);
    for (const form of [...forms, ...tokens]) {
      expect(records).not.toContain(form);
      expect(broker.logged()).not.toContain(form);
    }
    const data = join(broker.dir, 'data');
    for (const file of await readdir(data, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const bytes = await readFile(join(file.parentPath, file.name));
      for (const form of [...forms, ...tokens]) expect(bytes.includes(form), `${file.name}`).toBe(false);
    }
  });
});
