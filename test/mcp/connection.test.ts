import { afterEach, describe, expect, it } from 'vitest';
import { type Refusal, refuse } from '../../server/call/index.ts';
import type { Caller } from '../../server/identity/caller.ts';
import type { Parts } from '../../server/mcp/index.ts';
import type { Ports } from '../../server/ports.ts';
import type { SessionRow } from '../../server/store/store.ts';
import { askedFor, callerOf, legacyClient, modernClient, type Served, serveDoor, sessionOf } from './fixture.ts';

let door: Served;
afterEach(() => door.close());

const hash = 'h'.repeat(64);
const connection = { kind: 'connection' as const, tenant: 'acme', agent: 'explorer', hash, createdBy: 'local#dana', expiresAt: Date.now() + 3_600_000 };
const row = {
  id: 'ses_acme_CCCCCCCCCCCCCCCCCCCCCC',
  tenant: 'acme',
  agent: 'explorer',
  requester: 'spiffe://acme.example/agent/explorer',
  expiresAt: Date.now() + 1_800_000,
} as SessionRow;

/** A host with one static credential, and a broker that keeps one live task for it. */
async function serveConnection(over: Partial<Parts> = {}) {
  const seen = { live: null as SessionRow | null, opened: [] as unknown[], ended: [] as unknown[], entered: null as Refusal | null };
  door = await serveDoor({
    ports: {
      store: { sessionOfConnection: async (tenant: string, asked: string) => (tenant === 'acme' && asked === hash ? seen.live : null) },
      tenants: { current: async () => ({ tenant: 'acme' }) },
    } as unknown as Partial<Ports>,
    parts: {
      authenticate: async (_ports, { door: kind }) => (kind === 'mcp' ? connection : refuse('token.invalid', 'This token is not valid here.')),
      callerOfConnection: (_connection, session): Caller => callerOf({ agent: 'explorer', session: session.id, door: 'mcp' }),
      enterSession: async (_ports, who) => seen.entered ?? sessionOf(who, row.expiresAt),
      openSession: async (_ports, _snapshot, request) => {
        seen.opened.push(request);
        if (seen.live) return refuse('session.already_open', 'A task is open already; end it first.');
        seen.live = row;
        return row;
      },
      endSession: async (_ports, ...what) => {
        seen.ended.push(what);
        seen.live = null;
        return true;
      },
      ...over,
    },
  });
  return seen;
}

const task = { use_case: 'browse-samples', objective: 'Look around', inputs: { topic: 'invoices' } };
const connect = { modern: modernClient, legacy: legacyClient };

describe.each(['modern', 'legacy'] as const)('a %s host with a connection token', (era) => {
  it('opens one task, uses its tools and ends it', async () => {
    const seen = await serveConnection();
    const client = await connect[era](`${door.url}/mcp`);
    const names = async () => (await client.listTools()).tools.map(({ name }) => name);
    expect(await names()).toEqual(['open_task', 'end_task']);
    expect(client.getInstructions()).toContain('open_task');
    await expect(client.callTool({ name: 'ledger__get_invoice', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await expect(client.callTool({ name: 'await_approval', arguments: { approval: 'a' } })).rejects.toMatchObject({ code: -32602 });

    const opened = await client.callTool({ name: 'open_task', arguments: task });
    expect(opened.isError).toBeFalsy();
    expect(seen.opened).toEqual([
      {
        agent: 'explorer',
        useCase: 'browse-samples',
        objective: 'Look around',
        inputs: { topic: 'invoices' },
        attestedBy: 'agent',
        connection: hash,
        requester: 'local#dana',
      },
    ]);
    expect(await names()).toEqual(['ledger__get_invoice', 'ledger__post_payment', 'await_approval', 'request_access', 'open_task', 'end_task']);
    await client.callTool({ name: 'ledger__post_payment', arguments: { amount: 1 } });
    expect(door.calls[0]?.caller).toMatchObject({ session: row.id, agent: 'explorer' });

    const second = await client.callTool({ name: 'open_task', arguments: task });
    expect(second).toMatchObject({ isError: true, _meta: { 'taskgate/refusal': { code: 'session.already_open' } } });

    expect((await client.callTool({ name: 'end_task', arguments: {} })).isError).toBeFalsy();
    expect(seen.ended).toEqual([['acme', row.id, { status: 'ended', reason: 'finished' }, row.requester]]);
    expect(await names()).toEqual(['open_task', 'end_task']);
    expect(await client.callTool({ name: 'end_task', arguments: {} })).toMatchObject({ isError: true });
    await client.close();
  });

  it('may read nothing before it has a task, though its tasks may have something', async () => {
    await serveConnection();
    const client = await connect[era](`${door.url}/mcp`);
    expect(client.getServerCapabilities()).toMatchObject({ resources: { listChanged: true }, prompts: { listChanged: true } });
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listPrompts()).prompts).toEqual([]);
    const uri = 'docs://handbook';
    await expect(client.readResource({ uri })).rejects.toMatchObject({ code: era === 'modern' ? -32602 : -32002, data: { uri } });
    await expect(client.getPrompt({ name: 'open_task' })).rejects.toMatchObject({ code: -32602 });
    expect(door.calls).toEqual([]);
    await client.close();
  });

  it('keeps its token when the task ends in the middle of a call', async () => {
    const seen = await serveConnection({ brokerCall: async () => ({ ...refuse('session.ended', 'This task has ended.'), decision: 'dec_1', record: 3 }) });
    seen.live = row;
    const client = await connect[era](`${door.url}/mcp`);
    const answer = await client.callTool({ name: 'ledger__get_invoice', arguments: {} });
    expect(answer).toMatchObject({ isError: true, content: [{ text: 'This task has ended.' }], _meta: { 'taskgate/refusal': { code: 'session.ended' } } });
    await client.close();
  });

  it('is told why a suspended task does not run, and can end it', async () => {
    const seen = await serveConnection();
    seen.live = row;
    seen.entered = refuse('session.suspended', 'This task is suspended: over the ceiling.');
    const client = await connect[era](`${door.url}/mcp`);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['open_task', 'end_task']);
    const answer = await client.callTool({ name: 'ledger__get_invoice', arguments: {} });
    expect(answer).toMatchObject({ isError: true, content: [{ text: 'This task is suspended: over the ceiling.' }] });
    expect(door.calls).toHaveLength(0);
    await client.callTool({ name: 'end_task', arguments: {} });
    expect(seen.ended).toHaveLength(1);
    await client.close();
  });

  it('hears what is wrong with the arguments of open_task, and nothing is opened', async () => {
    const seen = await serveConnection();
    const client = await connect[era](`${door.url}/mcp`);
    for (const bad of [{}, { ...task, inputs: [] }, { ...task, use_case: 7 }, { ...task, attested_by: 'sponsor' }, { ...task, objective: 'x'.repeat(2001) }]) {
      expect(await client.callTool({ name: 'open_task', arguments: bad })).toMatchObject({
        isError: true,
        _meta: { 'taskgate/refusal': { code: 'arguments.invalid' } },
      });
    }
    expect(seen.opened).toEqual([]);
    await client.close();
  });

  it('is turned away when its agent is suspended', async () => {
    const seen = await serveConnection();
    seen.live = row;
    seen.entered = refuse('agent.suspended', 'This agent is suspended; its tasks have stopped.');
    await expect(connect[era](`${door.url}/mcp`)).rejects.toThrow();
  });
});

it('shows the task tools to nobody with a task token', async () => {
  door = await serveDoor();
  const client = await modernClient(`${door.url}/mcp`);
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('open_task');
  await expect(client.callTool({ name: 'open_task', arguments: task })).resolves.toMatchObject({ content: [{ text: 'done' }] });
  expect(askedFor(door.calls[0]?.request)).toBe('open_task');
  await client.close();
});
