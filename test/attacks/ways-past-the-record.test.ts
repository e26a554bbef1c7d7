import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RecordBody } from '../../server/audit/index.ts';
import { newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { slowLedger } from '../support/slow-ledger.ts';

/** What is refused, or done, and leaves nothing behind, or says too much of it. */

let broker: TestBroker;
let ledger: ReturnType<typeof slowLedger>;
beforeAll(async () => {
  const dir = await newFolder();
  ledger = slowLedger(dir);
  broker = await startTestBroker({
    dir,
    ...ledger,
    holdMs: 0,
    commands: {
      ...ledger.commands,
      'sample-mail': {
        run: ['node', join(import.meta.dirname, 'fixtures/whispering-mail.ts')],
        allow_read: [join(import.meta.dirname, '../../node_modules'), join(import.meta.dirname, '../../package.json')],
      },
    },
  });
});
afterAll(() => broker.end());

let ids = 0;
const post = (url: string, token: string | null, name: string, args: unknown, meta: Record<string, unknown> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++ids, method: 'tools/call', params: { name, arguments: args, _meta: meta } }),
  });
const recordsOf = async (tenant: string | null): Promise<RecordBody[]> => (await broker.ports.store.readRecords(tenant, 0, 1_000)).map(({ body }) => body);

describe('every refusal is on a record', () => {
  it('a call after the end of its task stands in the record of the tenant', async () => {
    const task = await broker.open({});
    const admin = await broker.person('acme', 'dana');
    await broker.v1(admin, 'POST', `/sessions/${task.session}/end`, { reason: 'done' });
    expect((await post(task.mcpUrl, task.accessToken, 'ledger__post_payment', payment(10).arguments)).status).toBe(401);
    const after = (await recordsOf('acme')).filter(({ session, code }) => session === task.session && code === 'session.ended');
    expect(after).not.toEqual([]);
  });

  it('a token of nobody at the agents’ doors stands in the platform log', async () => {
    const before = (await recordsOf(null)).length;
    expect((await post(`${broker.url}/mcp`, `tgc_${'A'.repeat(43)}`, 'ledger__post_payment', {})).status).toBe(401);
    expect((await recordsOf(null)).length).toBeGreaterThan(before);
  });

  it('a token of nobody at the door of people stands in the platform log', async () => {
    const before = (await recordsOf(null)).length;
    expect((await broker.v1('not-a-token', 'GET', '/approvals')).status).toBe(401);
    expect((await recordsOf(null)).length).toBeGreaterThan(before);
  });

  it('a call under a connection token that has no task stands in the record of the tenant', async () => {
    const made = await byTwoAdmins(broker, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3_600 });
    const answer = await post(`${broker.url}/mcp`, String(made.body['token']), 'ledger__post_payment', payment(10).arguments);
    expect(await answer.text()).toContain('-32602');
    expect((await recordsOf('acme')).filter(({ type, tool }) => type === 'call.refused' && tool === 'ledger__post_payment')).not.toEqual([]);
  });

  it('a wait for an approval of somebody else stands in the record of the tenant', async () => {
    const task = await broker.open({});
    await post(task.mcpUrl, task.accessToken, 'await_approval', { approval: 'apr_AAAAAAAAAAAAAAAAAAAAAA' });
    const mine = (await recordsOf('acme')).filter(({ session, tool }) => session === task.session && tool === 'await_approval');
    expect(mine).toMatchObject([{ type: 'call.refused', code: 'approval.unknown' }]);
  });

  it('a proof the local provider does not take stands in the platform log', async () => {
    const before = (await recordsOf(null)).length;
    const body = JSON.stringify({ assertion: 'e30.e30.e30' });
    expect((await fetch(`${broker.url}/t/acme/local/svid`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(403);
    expect((await recordsOf(null)).length).toBe(before + 1);
  });

  it('the platform log, which the operator reads, names no person of a tenant', async () => {
    await expect(broker.open({ sponsor: 'dana' })).rejects.toThrow();
    expect(JSON.stringify(await recordsOf(null))).not.toContain('dana');
    expect((await recordsOf('acme')).at(-1)).toMatchObject({ type: 'session.refused', sponsor: 'local#dana' });
  });
});

describe('a record says no more than it may', () => {
  it('an argument that an upstream quotes in its error is no part of the record', async () => {
    const task = await broker.open({});
    const canary = 'DE99999999999999999999';
    await post(task.mcpUrl, task.accessToken, 'mail__search', { query: canary });
    const mine = (await recordsOf('acme')).filter(({ session }) => session === task.session);
    expect(mine.some(({ tool }) => tool === 'mail__search')).toBe(true);
    expect(JSON.stringify(mine)).not.toContain(canary);
  });
});

describe('labels cannot be slipped past', () => {
  it('progress numbers come from the upstream: whoever was told them has its label', async () => {
    const task = await broker.open({});
    const answer = await post(task.mcpUrl, task.accessToken, 'mail__read_contract', { id: 'C-1' }, { progressToken: 'p' });
    const heard = await answer.text();
    const view = await broker.ports.store.readSession('acme', task.session);
    // Told while the call runs, before any label can rise: so it is not told at all.
    expect(heard).not.toContain('4711');
    expect(view?.label.sensitivity).toBe('confidential');
  });
});

describe('after the effect', () => {
  it('a payment that went out while the store was lost is never answered with "nothing was done, try again"', async () => {
    const task = await broker.open({});
    const before = ledger.payments().length;
    const call = post(task.mcpUrl, task.accessToken, 'ledger__post_payment', payment(33).arguments);
    await vi.waitUntil(() => ledger.payments().length === before + 1, { timeout: 10_000, interval: 20 });
    const file = join(broker.dir, 'data/taskgate.db');
    await rename(file, `${file}.away`);
    ledger.release();
    const answer = await call;
    const said = await answer.text();
    await rename(`${file}.away`, file);
    await vi.waitUntil(async () => (await fetch(`${broker.url}/readyz`)).status === 200, { timeout: 10_000, interval: 50 });
    expect(said).not.toMatch(/nothing more was done|[Tt]ry again/);
    expect(answer.headers.get('retry-after')).toBeNull();
  });
});
