import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SettlementAnswer } from '../../server/store/store.ts';
import type { CallSignal } from '../../tools/index.ts';
import { approveByTwo, nextPending, vote } from '../support/approvals.ts';
import { legacyClient, modernClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { textOf } from '../support/ledger.ts';
import { slowLedger } from '../support/slow-ledger.ts';

/** What changes between the judgement of a call and the release of its result. */

let broker: TestBroker;
let ledger: ReturnType<typeof slowLedger>;
beforeAll(async () => {
  const dir = await newFolder();
  ledger = slowLedger(dir);
  broker = await startTestBroker({
    dir,
    ...ledger,
    holdMs: 15_000,
    change(document) {
      const changed = ledger.change?.(document) ?? document;
      if (changed['kind'] !== 'Tenant' || changed['name'] !== 'acme') return changed;
      const people = { ...(changed['people'] as object), eve: { subject: 'local#eve', groups: ['finance'], roles: ['admin', 'reviewer'] } };
      return { ...changed, people };
    },
    files: {
      'acme/autonomous.yaml': `
kind: UseCase
tenant: acme
name: pay-alone
workflow: invoice-matching
owner: dana
purpose: Pays without a sponsor
accountable: dana
grants: [{ tool: ledger__post_payment }]
ceiling: confidential
lifetime: { default: 30m, longest: 4h }
budget: { calls: 200 }
max_open_sessions: 50
expires: 2027-06-30
review_by: 2027-01-31
`,
    },
  });
});
afterAll(() => broker.end());

describe('a paused call', () => {
  it('that is superseded asks again with the label as it is now, not as it was when the call came', async () => {
    const client = await modernClient(await broker.open({}));
    const call = client.callTool(payment(600)).catch(() => null);
    const first = await nextPending(broker);
    await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    await approveByTwo(broker, first);
    const second = await nextPending(broker);
    expect(second.id).not.toBe(first.id);
    const { body } = await broker.v1(await broker.person('acme', 'bob'), 'GET', `/approvals/${second.id}`);
    expect((body['proposal'] as { label: unknown }).label).toMatchObject({ sensitivity: 'internal', integrity: 'external' });
    await vote(broker, 'bob', second, 'deny', 'enough of this');
    await call;
    await client.close();
  });

  it('releases a replayed outcome only while its task lives', async () => {
    ledger.release();
    const task = await broker.open({});
    const { store } = broker.ports;
    const settle = store.settle.bind(store);
    // The task ends the moment before the outcome is written down: it is there to be replayed, and its task is not.
    const ending = async (...asked: Parameters<typeof settle>): Promise<SettlementAnswer> => {
      const at = broker.ports.clock();
      const record = { type: 'session.revoked' as const, at, tenant: 'acme', session: task.session };
      await store.endSession('acme', task.session, { status: 'revoked', reason: 'revoked' }, at, record);
      return settle(...asked);
    };
    const [one, two] = [await modernClient(task), await modernClient(task)];
    const calls = [one.callTool(payment(650)), two.callTool(payment(650))].map((call) => call.catch((error: unknown) => String(error)));
    const approval = await nextPending(broker);
    Object.assign(store, { settle: ending });
    try {
      await approveByTwo(broker, approval);
      const answers = await Promise.all(calls);
      const released = answers.filter((answer) => typeof answer !== 'string' && !answer.isError);
      expect(answers.filter((answer) => JSON.stringify(answer).includes('taskgate/replayed'))).toEqual([]);
      expect(released).toEqual([]);
    } finally {
      Object.assign(store, { settle });
    }
  });
});

describe('the release of a result', () => {
  it('is refused when the agent was suspended while the call ran', async () => {
    const { store } = broker.ports;
    const task = await broker.open({});
    const client = await modernClient(task);
    const settle = store.settle.bind(store);
    const admin = await broker.person('acme', 'dana');
    Object.assign(store, {
      settle: async (...asked: Parameters<typeof settle>) => {
        expect((await broker.v1(admin, 'POST', '/agents/invoice-matcher/suspend', { reason: 'compromised' })).status).toBe(200);
        return settle(...asked);
      },
    });
    try {
      const answer = await client
        .callTool({ name: 'mail__search', arguments: { query: 'INV-7' } })
        .catch((error: unknown) => ({ content: String(error), isError: true }));
      expect(answer.isError).toBe(true);
      expect(textOf(answer)).not.toContain('INV-7');
    } finally {
      Object.assign(store, { settle });
      await byTwoAdmins(broker, 'POST', '/agents/invoice-matcher/activate', {});
    }
  });
});

describe('nobody in the chain approves', () => {
  it('not whoever made the connection token the task was opened with', async () => {
    const eve = await broker.person('acme', 'eve');
    const made = await broker.v1(eve, 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3_600 });
    const { id, digest } = made.body['waiting'] as { id: string; digest: string };
    expect((await broker.v1(await broker.person('acme', 'emma'), 'POST', `/changes/${id}/approve`, { digest })).status).toBe(200);
    const client = await modernClient({ mcpUrl: `${broker.url}/mcp`, accessToken: String(made.body['token']) });
    const opened = await client.callTool({ name: 'open_task', arguments: { use_case: 'pay-alone', objective: 'Pay', inputs: {} } });
    expect(opened.isError ?? false).toBe(false);
    const call = client.callTool(payment(700)).catch(() => null);
    const approval = await nextPending(broker);
    const answer = await vote(broker, 'eve', approval, 'approve');
    await vote(broker, 'bob', approval, 'deny', 'only a test');
    await call;
    expect(answer.status).toBe(403);
    await client.close();
  });
});

describe('authority only narrows', () => {
  it('a grant taken out of the use case is gone from its running tasks', async () => {
    const task = await broker.open({ use_case: 'pay-alone', inputs: {}, sponsor: null });
    const client = await modernClient(task);
    const { readFile, writeFile } = await import('node:fs/promises');
    const file = join(broker.documents, 'tenants/acme/autonomous.yaml');
    const text = (await readFile(file, 'utf8')).replace('[{ tool: ledger__post_payment }]', '[{ tool: mail__search }]');
    await writeFile(file, text);
    const applied = await byTwoAdmins(broker, 'POST', '/documents/apply', { files: [{ source: 'autonomous.yaml', text }] });
    expect(applied.status).toBe(200);
    const before = ledger.payments().length;
    ledger.release();
    await client.callTool(payment(40)).catch(() => null);
    expect(ledger.payments().length).toBe(before);
    await client.close();
  });
});

describe('one agent cannot take the broker for itself', () => {
  it('a session has at most four listening streams, however they are opened', async () => {
    const task = await broker.open({});
    const aborts = new AbortController();
    const listen = (id: number) =>
      fetch(task.mcpUrl, {
        method: 'POST',
        signal: aborts.signal,
        headers: {
          authorization: `Bearer ${task.accessToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'subscriptions/listen',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id,
          method: 'subscriptions/listen',
          params: {
            notifications: { toolsListChanged: true },
            _meta: {
              'io.modelcontextprotocol/protocolVersion': '2026-07-28',
              'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
              'io.modelcontextprotocol/clientCapabilities': {},
            },
          },
        }),
      });
    const answers = await Promise.all(Array.from({ length: 16 }, (_, id) => listen(id)));
    const open = answers.filter((answer) => answer.headers.get('content-type')?.startsWith('text/event-stream'));
    aborts.abort();
    expect(open.length).toBeGreaterThan(0);
    expect(open.length).toBeLessThanOrEqual(4);
  });

  it('a wait is let go when its client has gone away, whatever its era: holding costs the one who holds', async () => {
    const task = await broker.open({});
    const client = await legacyClient(task);
    const paused = await client.callTool(payment(610));
    const { id } = (paused._meta as Record<string, { id: string }>)['taskgate/approval'] ?? { id: '' };
    const { decisions } = broker.ports;
    const { watch } = decisions;
    let signal = null as CallSignal | null;
    Object.assign(decisions, {
      watch(...asked: Parameters<typeof watch>) {
        const made = watch(...asked);
        if (asked[1] !== id) return made;
        const changed: typeof made.changed = (ms, given) => {
          signal = given;
          return made.changed(ms, given);
        };
        return { ...made, changed };
      },
    });
    try {
      const gone = new AbortController();
      const held = fetch(task.mcpUrl, {
        method: 'POST',
        signal: gone.signal,
        headers: {
          authorization: `Bearer ${task.accessToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-06-18',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 77, method: 'tools/call', params: { name: 'await_approval', arguments: { approval: id } } }),
      }).catch(() => null);
      await vi.waitUntil(() => signal !== null, { timeout: 5_000, interval: 10 });
      gone.abort();
      await held;
      await vi.waitUntil(() => signal?.aborted, { timeout: 2_000, interval: 20 });
    } finally {
      Object.assign(decisions, { watch });
      const admin = await broker.person('acme', 'dana');
      await broker.v1(admin, 'POST', `/sessions/${task.session}/end`, { reason: 'a test' });
      await client.close();
    }
  });
});

describe('an end is an end', () => {
  it('also when the clock is set back after it', async () => {
    const task = await broker.open({ lifetime: 60 });
    const list = () =>
      fetch(task.mcpUrl, {
        method: 'POST',
        headers: { authorization: `Bearer ${task.accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      });
    expect((await list()).status).toBe(200);
    broker.travel(120_000);
    try {
      await broker.ports.store.sweep(broker.ports.clock());
      expect((await list()).status).toBe(401);
    } finally {
      broker.travel(-120_000);
    }
    expect((await list()).status).toBe(401);
  });
});
