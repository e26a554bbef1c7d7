import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { attachTo, legacyClient, modernClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';
import { slowLedger } from '../support/slow-ledger.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});
async function broker(options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> {
  const made = await startTestBroker({ change: mayListPayments, ...options });
  cleanUps.push(() => made.end());
  return made;
}

/** A broker in its own process, so that it can be killed for real. */
async function brokerToKill(dir: string): Promise<{ url: string; kill(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, '../support/broker-process.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  cleanUps.push(kill);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [url] = (await once(lines, 'line')) as [string];
  return { url, kill };
}

const post = (url: string, token: string, body: unknown) =>
  fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify(body),
  });
const call = (name: string, args: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });

describe('what fails, denies', () => {
  it('the store gone: 503 on every door, a JSON-RPC error on MCP, no effect, and back by itself', async () => {
    const it = await broker();
    const task = await it.open({});
    const admin = await it.person('acme', 'dana');
    const file = join(it.dir, 'data/taskgate.db');
    await rename(file, `${file}.away`);
    const answer = await post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(10).arguments));
    expect(answer.status).toBe(503);
    expect(((await answer.json()) as { error: { code: number } }).error.code).toBeLessThan(0);
    expect((await it.v1(admin, 'GET', '/sessions')).status).toBe(503);
    expect((await fetch(`${it.url}/readyz`)).status).toBe(503);
    await rename(`${file}.away`, file);
    await vi.waitUntil(async () => (await fetch(`${it.url}/readyz`)).status === 200, { timeout: 10_000, interval: 50 });
    const client = await modernClient(task);
    expect(await paymentsOf(client)).toEqual([]);
    expect((await client.callTool(payment(10))).isError ?? false).toBe(false);
    await client.close();
  });

  it('a record that cannot be made durable: no effect', async () => {
    const it = await broker();
    const task = await it.open({});
    const client = await modernClient(task);
    expect(await paymentsOf(client)).toEqual([]);
    const locker = new DatabaseSync(join(it.dir, 'data/taskgate.db'));
    locker.exec('BEGIN IMMEDIATE');
    const answer = await post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(11).arguments));
    expect(answer.status).toBe(503);
    locker.exec('ROLLBACK');
    locker.close();
    expect(await paymentsOf(client)).toEqual([]);
    await client.close();
  });

  it('a policy that fails to evaluate: denied, and said so on the record alone', async () => {
    const overflow = `@id("acme/overflows")\n@reason("Never shown")\nforbid (principal, action == Taskgate::Action::"mail__search", resource)\nwhen { context.now * 9007199254740991 < 0 };\n`;
    const cases = '- case: never decided\n  tool: mail__search\n  facts: { args: { query: x } }\n  expect: { decision: deny }\n';
    const it = await broker({ files: { 'acme/overflows.cedar': overflow, 'acme/overflows.cases.yaml': cases } });
    const client = await modernClient(await it.open({}));
    const denied = await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    expect(denied.isError).toBe(true);
    expect(textOf(denied)).toMatch(/could not be evaluated/);
    expect(textOf(denied)).not.toMatch(/overflow/);
    const records = await it.ports.store.readRecords('acme', 0, 1_000);
    expect(records.at(-1)?.body).toMatchObject({ type: 'call.refused', code: 'policy.error', tool: 'mail__search' });
    await client.close();
  });

  it('a credential refused after approval: nothing taken, nothing counted, and the same approval runs once it is back', async () => {
    const it = await broker({ holdMs: 0 });
    const client = await legacyClient(await it.open({}));
    await client.callTool(payment(900));
    await approveByTwo(it, await nextPending(it));
    const database = new DatabaseSync(join(it.dir, 'data/taskgate.db'));
    const [held] = database.prepare("SELECT sealed FROM secrets WHERE tenant = 'acme' AND name = 'ledger-key'").all() as { sealed: Uint8Array }[];
    database.prepare("DELETE FROM secrets WHERE tenant = 'acme' AND name = 'ledger-key'").run();
    const refused = await client.callTool(payment(900));
    expect(textOf(refused)).toMatch(/credential/);
    const { count } = database.prepare("SELECT COUNT(*) AS count FROM counters WHERE name = 'tool:ledger__post_payment'").get() as { count: number };
    expect(count).toBe(0);
    const [approved] = await it.ports.store.listApprovals('acme', { status: 'approved' }, { after: null, limit: 10 });
    expect(approved?.dispatch).toBeNull();
    database.close();
    const { setSecret } = await import('../../server/credentials/index.ts');
    expect(held).toBeDefined();
    await setSecret(it.ports, 'acme', 'ledger-key', 'another', 'local#dana', {});
    expect((await client.callTool(payment(900))).isError ?? false).toBe(false);
    expect((await it.ports.store.readApproval('acme', approved?.id ?? ''))?.status).toBe('used');
    await client.close();
  });

  it('a crash while waiting for approval loses nothing: the retry re-attaches and runs once', async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const ledger = slowLedger(dir);
    ledger.release();
    const first = await brokerToKill(dir);
    const task = await attachTo(first.url, dir).open({});
    const held = post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(700).arguments)).catch(() => null);
    const database = new DatabaseSync(join(dir, 'data/taskgate.db'), { readOnly: true });
    await vi.waitUntil(() => (database.prepare('SELECT COUNT(*) AS n FROM approvals').get() as { n: number }).n === 1, { timeout: 10_000, interval: 20 });
    database.close();
    await first.kill();
    await held;
    const restarted = await startTestBroker({ dir, ...ledger, holdMs: 20_000 });
    cleanUps.push(() => restarted.close());
    await approveByTwo(restarted, await nextPending(restarted));
    const client = await modernClient(await restarted.renew(task.session));
    const paid = await client.callTool(payment(700));
    expect(paid.isError ?? false).toBe(false);
    expect(ledger.payments()).toEqual(['700']);
    await client.close();
  });

  it('a crash between claim and outcome: unknown, shown as such, and never sent again', async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const ledger = slowLedger(dir);
    const first = await brokerToKill(dir);
    const task = await attachTo(first.url, dir).open({});
    const running = post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(20).arguments)).catch(() => null);
    await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
    await first.kill();
    await running;
    ledger.release();
    const restarted = await startTestBroker({ dir, ...ledger, holdMs: 0, ahead: 120_000 });
    cleanUps.push(() => restarted.close());
    expect((await restarted.ports.store.sweep(restarted.ports.clock())).dispatches).toBe(1);
    const records = await restarted.ports.store.readRecords('acme', 0, 1_000);
    expect(records.at(-1)?.body).toMatchObject({ type: 'call.unknown', tool: 'ledger__post_payment' });
    expect(ledger.payments()).toEqual(['20']);
  });

  it('a crash while an approved call runs: the retry is told that nobody knows, and nothing runs twice', async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const ledger = slowLedger(dir);
    const first = await brokerToKill(dir);
    const task = await attachTo(first.url, dir).open({});
    const running = post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(800).arguments)).catch(() => null);
    const deciders = attachTo(first.url, dir);
    await approveByTwo(deciders, await nextPending(deciders));
    const again = post(task.mcpUrl, task.accessToken, call('ledger__post_payment', payment(800).arguments)).catch(() => null);
    await vi.waitUntil(() => ledger.payments().length === 1, { timeout: 10_000, interval: 20 });
    await first.kill();
    await Promise.all([running, again]);
    ledger.release();
    const restarted = await startTestBroker({ dir, ...ledger, holdMs: 0 });
    cleanUps.push(() => restarted.close());
    const client = await modernClient(await restarted.renew(task.session));
    restarted.travel(120_000);
    await restarted.ports.store.sweep(restarted.ports.clock());
    const answer = await client.callTool(payment(800));
    expect(textOf(answer)).toMatch(/nobody can tell/);
    expect(ledger.payments()).toEqual(['800']);
    await client.close();
  });
});
