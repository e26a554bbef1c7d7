import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { freePort } from '../../server/cli/demo/documents.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { exchangePerson, type Task } from '../../server/connect/session.ts';
import { runCli } from '../cli/run-cli.ts';
import { approveByTwo, nextPending } from '../support/approvals.ts';
import { newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { slowLedger } from '../support/slow-ledger.ts';

/** What somebody could still do with what an older copy of the store holds: a token, an approval, a sealed state, a login. */

let dir: string;
let port: number;
let broker: TestBroker;
let ledger: ReturnType<typeof slowLedger>;
const start = (): Promise<TestBroker> => startTestBroker({ dir, port, ...ledger, holdMs: 0 });

let ids = 0;
interface Answer {
  readonly status: number;
  readonly result: { readonly isError?: boolean; readonly requestState?: string } | null;
}
/** One call by a modern client that declares nothing, as it goes over the wire. */
async function call(task: Pick<Task, 'mcpUrl' | 'accessToken'>, amount: number, more: Record<string, unknown> = {}): Promise<Answer> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { ...payment(amount), ...more, _meta };
  const response = await fetch(task.mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${task.accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'ledger__post_payment',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++ids, method: 'tools/call', params }),
  });
  const text = await response.text();
  const data = text.split('\n').findLast((line) => line.startsWith('data:'));
  const body = JSON.parse(data?.slice(5) ?? text) as { result?: Answer['result'] };
  return { status: response.status, result: body.result ?? null };
}

/** What stood at the moment of the backup. */
let task: Task;
let unused: Task;
let pending: { id: string; digest: string };
let approved: { id: string; digest: string };
let sealed: string;
let connection: string;
let login: string;

beforeAll(async () => {
  dir = await newFolder();
  port = await freePort();
  ledger = slowLedger(dir);
  ledger.release();
  broker = await start();
  task = await broker.open({});
  unused = await broker.open({});

  sealed = (await call(task, 710)).result?.requestState ?? '';
  expect(sealed).not.toBe('');
  approved = await nextPending(broker);
  await approveByTwo(broker, approved);
  await call(task, 720);
  pending = await nextPending(broker);
  const made = await byTwoAdmins(broker, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3_600 });
  connection = String(made.body['token']);

  const backup = await runCli(['backup', join(dir, 'backup'), '--data', join(dir, 'data'), '--json']);
  expect(backup, backup.stderr).toMatchObject({ exit: 0 });

  // After the backup: the approved call runs, its task ends, the other approval is given and a login is used.
  expect((await call(task, 710, { requestState: sealed })).result?.isError ?? false).toBe(false);
  expect(ledger.payments()).toEqual(['710']);
  await approveByTwo(broker, pending);
  login = await logIn();
  await exchange(login);
  await broker.close();

  const restored = await runCli(['restore', join(dir, 'backup'), '--data', join(dir, 'data'), '--replace', '--json']);
  expect(restored, restored.stderr).toMatchObject({ exit: 0 });
  expect(JSON.parse(restored.stdout)).toMatchObject({ epoch: 2, kept: expect.stringContaining('before-restore') });
  const second = Math.floor(Date.now() / 1000);
  broker = await start();
  // A login says only in which second it was made; one made in the second of the restore may be older than that.
  await vi.waitUntil(() => Math.floor(Date.now() / 1000) > second, { timeout: 5_000, interval: 20 });
});
afterAll(async () => {
  await broker?.close();
  await rm(dir, { recursive: true, force: true });
});

async function logIn(): Promise<string> {
  const key = JSON.parse(await readFile(join(dir, 'data', 'local', 'acme', 'people.json'), 'utf8')) as PrivateJwk;
  return askIdToken(await findDoors(broker.url, 'acme'), key, 'bob', null);
}
const exchange = async (idToken: string) => exchangePerson(await findDoors(broker.url, 'acme'), idToken);

describe('after a restore', () => {
  it('a token from before is refused, at its task and for whatever it had not used', async () => {
    expect((await call(task, 10)).status).toBe(401);
    expect((await call(unused, 10)).status).toBe(401);
    expect(ledger.payments()).toEqual(['710']);
  });

  it('a task from before is not renewed', async () => {
    await expect(broker.renew(task.session)).rejects.toThrow();
  });

  it('an approval that had been given and not used runs nothing, nor is it given again', async () => {
    expect(await broker.ports.store.readApproval('acme', approved.id)).toMatchObject({ status: 'cancelled', dispatch: null });
    const token = await broker.person('acme', 'bob');
    const voted = await broker.v1(token, 'POST', `/approvals/${pending.id}/decisions`, { decision: 'approve', digest: pending.digest, reason: 'as ordered' });
    expect(voted.status).toBe(409);
    expect(await broker.ports.store.readApproval('acme', pending.id)).toMatchObject({ status: 'cancelled' });
  });

  it('the call that ran after the backup does not run again: not by its sealed state, in a new task neither', async () => {
    expect((await call(task, 710, { requestState: sealed })).status).toBe(401);
    const fresh = await broker.open({});
    const answer = await call(fresh, 710, { requestState: sealed });
    expect(answer.result?.isError ?? true).toBe(true);
    // The same call in a new task asks anew.
    expect((await call(fresh, 710)).result?.requestState).toEqual(expect.any(String));
    expect(ledger.payments()).toEqual(['710']);
  });

  it('a connection token opens nothing, though it was not revoked then', async () => {
    expect((await call({ mcpUrl: `${broker.url}/mcp`, accessToken: connection }, 10)).status).toBe(401);
  });

  it('a login that was used after the backup is not good once more', async () => {
    await expect(exchange(login)).rejects.toThrow(/used before|not valid/);
    await exchange(await logIn());
  });

  it('new logins and tasks work, and every record is whole and says what happened', async () => {
    const fresh = await broker.open({ inputs: { invoice: 'INV-7' } });
    expect((await call(fresh, 10)).result?.isError ?? false).toBe(false);
    for (const tenant of ['acme', 'globex', null]) {
      expect(await verifyChain(recordsOf(broker.ports.store, tenant))).toMatchObject({ ok: true });
      const types = (await broker.ports.store.readRecords(tenant, 0, 1000)).map(({ body }) => body.type);
      expect(types.filter((type) => type.startsWith('store.'))).toEqual(['store.restored']);
    }
  });
});
