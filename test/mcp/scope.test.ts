import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { legacyClient, modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { askNarrowed } from '../support/narrowed.ts';
import { postCall } from './fixture.ts';

/** A token narrowed to less than its session may do. */

let broker: TestBroker;
let task: Task;
beforeAll(async () => {
  broker = await startTestBroker();
  task = await broker.open({});
});
afterAll(() => broker.end());

const search = { name: 'mail__search', arguments: { query: 'INV-7' } };

const narrowed = (scope: string | null) => askNarrowed(broker, task, scope);

describe.each([
  ['modern', modernClient],
  ['2025-era', legacyClient],
] as const)('a %s client with a token for reading', (_era, connect) => {
  it('lists and calls what reads, and nothing else', async () => {
    const { body, task: reading } = await narrowed('tools:read');
    expect(body['scope']).toBe('tools:read');
    const client = await connect(reading);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('mail__search');
    expect(names).not.toContain('ledger__post_payment');
    expect((await client.callTool(search)).isError ?? false).toBe(false);
    await expect(client.callTool(payment(10))).rejects.toThrow();
    await client.close();
  });
});

it('answers what it is too narrow for with 403, naming at once all that a token needs for it and for what this one could do', async () => {
  const { task: reading } = await narrowed('tools:read tools:write');
  const response = await postCall(reading.mcpUrl, payment(10), { authorization: `Bearer ${reading.accessToken}` });
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toMatch(
    /^Bearer error="insufficient_scope", scope="tools:read tools:write tools:destructive", error_description="[^"]+", resource_metadata="[^"]+"$/,
  );
  expect(await response.json()).toMatchObject({ id: 1, error: { code: 403, data: { code: 'token.scope' } } });
  const { task: wider } = await narrowed('tools:read tools:write tools:destructive');
  expect((await postCall(wider.mcpUrl, payment(10), { authorization: `Bearer ${wider.accessToken}` })).status).toBe(200);
});

it('tells a narrow token nothing of a tool that its session does not have', async () => {
  const { task: reading } = await narrowed('tools:read');
  const ask = async (name: string) => {
    const response = await postCall(reading.mcpUrl, { name }, { authorization: `Bearer ${reading.accessToken}` });
    return [response.status, ((await response.json()) as { error: { code: number } }).error.code];
  };
  expect(await ask('ledger__list_payments')).toEqual(await ask('ledger__nothing'));
});

it('narrows nothing when none is asked for, and refuses a scope it does not know', async () => {
  expect((await narrowed(null)).body).not.toHaveProperty('scope');
  for (const scope of ['tools:*', 'tools:read openid', 'tools:read  tools:write', 'TOOLS:READ']) {
    expect(await narrowed(scope), scope).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  }
});
