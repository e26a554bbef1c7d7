import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { modernClient, startTestBroker, type TestBroker } from '../support/broker.ts';
import { documentsFor } from '../support/hostile-http.ts';

/** Everything a child process may do to the broker that started it, through the whole broker. */

interface Row {
  readonly tool: string;
  readonly code?: string;
  readonly reads?: RegExp;
}
const rows: readonly Row[] = [
  { tool: 'hang', code: 'upstream.timeout' },
  { tool: 'die', code: 'upstream.failed' },
  { tool: 'flood_line', code: 'upstream.too_large' },
  { tool: 'flood_lines', code: 'upstream.too_large' },
  { tool: 'flood_notices', code: 'upstream.too_large' },
  { tool: 'flood_answers', code: 'upstream.too_large' },
  { tool: 'flood_requests', code: 'upstream.too_large' },
  { tool: 'huge', code: 'upstream.too_large' },
  { tool: 'wrong_id', code: 'upstream.timeout' },
  { tool: 'batch', code: 'upstream.timeout' },
  { tool: 'broken', code: 'upstream.timeout' },
  { tool: 'scalar', code: 'upstream.timeout' },
  { tool: 'twice', reads: /^first$/ },
  { tool: 'ahead', reads: /^mine$/ },
];

const child = join(import.meta.dirname, 'fixtures/hostile-child.ts');
let broker: TestBroker;
let client: Client;
let other: Client;

beforeAll(async () => {
  const transport = { type: 'stdio', command: 'hostile-child' };
  const hostile = documentsFor('', [...rows.map(({ tool }) => tool), 'calm', 'counted'], {}, { transport, egress: [], deadline: '2s' });
  const calm = documentsFor('', ['calm'], {}, { transport, egress: [], tenant: 'globex' });
  broker = await startTestBroker({
    commands: { 'hostile-child': { run: ['node', child] } },
    files: { 'acme/hostile.yaml': stringify(hostile.document), 'globex/hostile.yaml': stringify(calm.document) },
    change(one) {
      if (one['name'] !== 'match-invoices') return one;
      const more = one['tenant'] === 'acme' ? hostile.grants : calm.grants;
      return { ...one, grants: [...(one['grants'] as object[]), ...more], budget: { calls: 500 } };
    },
  });
  client = await modernClient(await broker.open({}));
  other = await modernClient(await broker.open({ tenant: 'globex' }));
  // One that never answered anything would be left alone for a while once it dies.
  await call('calm');
});
afterAll(async () => {
  await Promise.all([client.close(), other.close()]);
  await broker.end();
});

const records = async () => (await broker.ports.store.readRecords('acme', 0, 5_000)).map(({ body }) => body);
const call = (name: string, by = client) => by.callTool({ name: `hostile__${name}`, arguments: {} }, { timeout: 20_000 });
const saidBy = ({ content }: Awaited<ReturnType<typeof call>>): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('');

async function misdeed({ tool, code, reads }: Row): Promise<void> {
  const began = performance.now();
  const result = await call(tool);
  expect(performance.now() - began, tool).toBeLessThan(6_000);
  const ours = (await records()).filter((one) => one.type.startsWith('call.') && one.tool === `hostile__${tool}`);
  expect(ours.map(({ type }) => type)).toEqual(code === undefined ? ['call.dispatched', 'call.completed'] : ['call.dispatched', 'call.failed', 'call.refused']);
  expect([tool, ours[1]?.code]).toEqual([tool, code]);
  if (reads) expect(saidBy(result)).toMatch(reads);
  else expect(result.isError).toBe(true);
  expect(JSON.stringify(result)).not.toContain('IGNORE');
}

const isSilent = ({ code }: Row): boolean => code === 'upstream.timeout';

describe('a child process that', () => {
  it.each(rows.filter((row) => !isSilent(row)))(
    'does $tool ends in one typed answer and one outcome; its neighbour lives on, and so does the next of its kind',
    async (row) => {
      const neighbour = saidBy(await call('calm', other));
      await misdeed(row);
      expect(saidBy(await call('calm', other))).toBe(neighbour);
      expect(saidBy(await call('calm'))).toMatch(/^pid \d+$/);
    },
  );

  it(`gives no answer (${rows.flatMap((row) => (isSilent(row) ? [row.tool] : [])).join(', ')}) is waited for until the deadline and no longer`, async () => {
    await Promise.all(rows.filter(isSilent).map(misdeed));
    expect(saidBy(await call('calm'))).toMatch(/^pid \d+$/);
  });

  it('died or was stopped is never asked a second time for the same call', async () => {
    expect(saidBy(await call('counted'))).toBe('run 1');
    expect(saidBy(await call('counted'))).toBe('run 2');
  });

  it('did all of this has taken no memory to speak of', () => {
    expect(process.memoryUsage().rss).toBeLessThan(900_000_000);
  });
});
