import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { argumentsOf, modernMeta, post, type Served, serveDoor } from '../mcp/fixture.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { readSuite } from '../support/suites.ts';
import { type Heard, keptAlive, type Line } from '../support/wire.ts';

/** Every text of JSONTestSuite, as it is and within a request, at every door that reads JSON. */

interface Suite {
  readonly tests: readonly { readonly name: string; readonly expect: 'y' | 'n' | 'i'; readonly base64: string | null }[];
}
const suite = readSuite<Suite>('json-parsing/parsing.json');
/** Two are too long to be written down. */
const generated: Readonly<Record<string, string>> = {
  'n_structure_100000_opening_arrays.json': '['.repeat(100_000),
  'n_structure_open_array_object.json': `${'[{"":'.repeat(50_000)}\n`,
};
const texts = (suite?.tests ?? []).map(({ name, expect: expected, base64 }) => ({
  name,
  expected,
  bytes: base64 === null ? Buffer.from(generated[name] ?? '') : Buffer.from(base64, 'base64'),
}));

/** A request with the text where a value stands. */
const within = (bytes: Buffer, before: string, after: string): Buffer => Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
const meta = JSON.stringify(modernMeta);
const callWith = (name: string, bytes: Buffer, more: string): Buffer =>
  within(bytes, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":{"x":`, `}${more}}}`);
const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' };

/** What must parse, yet readers disagree on: a key twice, and integers that a double would round. */
const twoReadings = /^y_object_(duplicated_key|extreme_numbers)|^y_number(_real_capital_e|_real_exponent|_real_fraction_exponent)?\.json$/;

describe.skipIf(suite === null)(`JSONTestSuite (${suite === null ? 'not found: skipped' : `${texts.length} texts`})`, () => {
  describe('at the doors of a whole broker', () => {
    let broker: TestBroker;
    let task: Task;
    let person: string;
    let line: Line;
    const plenty = { per_second: 1_000_000, burst: 1_000_000 };
    beforeAll(async () => {
      broker = await startTestBroker({
        limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty }, people: plenty },
      });
      task = await broker.open({});
      person = await broker.person('acme', 'dana');
      line = keptAlive();
    });
    afterAll(async () => {
      line.close();
      await broker.end();
    });

    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const agent = () => ({ ...json, authorization: `Bearer ${task.accessToken}` });
    const formOf = (bytes: Buffer): string =>
      `grant_type=client_credentials&client_assertion_type=${encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')}&client_assertion=e30.e30.AA&authorization_details=${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;
    const toToken = (bytes: Buffer): Promise<Heard> =>
      line.send('POST', `${broker.url}/t/acme/oauth/token`, { 'content-type': 'application/x-www-form-urlencoded' }, formOf(bytes));
    const tool = 'ledger__post_payment';
    const doors: readonly [string, (bytes: Buffer) => Promise<Heard>][] = [
      ['/mcp, modern', (bytes) => line.send('POST', task.mcpUrl, { ...agent(), ...modernHeaders, 'mcp-name': tool }, bytes)],
      [
        '/mcp, modern, as an argument',
        (bytes) => line.send('POST', task.mcpUrl, { ...agent(), ...modernHeaders, 'mcp-name': tool }, callWith(tool, bytes, `,"_meta":${meta}`)),
      ],
      ['/mcp, 2025-era', (bytes) => line.send('POST', task.mcpUrl, { ...agent(), 'mcp-protocol-version': '2025-11-25' }, bytes)],
      [
        '/mcp, 2025-era, as an argument',
        (bytes) => line.send('POST', task.mcpUrl, { ...agent(), 'mcp-protocol-version': '2025-11-25' }, callWith(tool, bytes, '')),
      ],
      ['/v1', (bytes) => line.send('POST', `${broker.url}/v1/approvals/apr_none/decisions`, { ...json, authorization: `Bearer ${person}` }, bytes)],
      [
        '/v1, as a member',
        (bytes) =>
          line.send(
            'POST',
            `${broker.url}/v1/sessions/${task.session}/suspend`,
            { ...json, authorization: `Bearer ${person}` },
            within(bytes, '{"reason":"","x":', '}'),
          ),
      ],
      ['the token endpoint', toToken],
      ['the token endpoint, as an input', (bytes) => toToken(within(bytes, '[{"type":"taskgate-task","use_case":"match-invoices","inputs":{"x":', '}}]'))],
    ];

    it.each(doors)('%s: a clear answer to each, nothing done, one line in the log, and the connection goes on', async (door, send) => {
      const before = broker.logged().length;
      for (const { name, expected, bytes } of texts) {
        const { status, text } = await send(bytes);
        // Nothing in the suite is a request: whatever parses is refused for its shape, or by the tool it is no argument of.
        const answer = JSON.parse(text) as { error?: { code: number } | string; code?: string; result?: { isError?: boolean } };
        const refused = answer.result ? answer.result.isError === true : status >= 400 && status < 500;
        expect(refused, `${door}: ${name}: ${status} ${text}`).toBe(true);
        const unread = [-32700, 'body.bad_json'].includes((typeof answer.error === 'object' ? answer.error.code : answer.code) ?? '');
        const tellsUnread = !door.startsWith('the token');
        if (tellsUnread && expected === 'n' && bytes.length > 0) expect(unread, `${name} is no JSON`).toBe(true);
      }
      const lines = broker.logged().slice(before).trim().split('\n');
      const requests = lines.map((one) => JSON.parse(one) as { level: number; msg: string }).filter(({ msg }) => msg === 'request');
      expect(requests).toHaveLength(texts.length);
      expect(lines.filter((one) => (JSON.parse(one) as { level: number }).level > 30)).toEqual([]);
      expect(line.connections()).toBe(1);
    });

    it('afterwards nothing was dispatched, and the task does its work', async () => {
      const records = (await broker.ports.store.readRecords('acme', 0, 10_000)).map(({ body }) => body);
      expect(records.filter(({ type }) => type === 'call.dispatched')).toEqual([]);
      const client = await modernClient(task);
      expect((await client.callTool(payment(12))).isError).toBeFalsy();
      await client.close();
    });
  });

  describe('what is let through', () => {
    let door: Served;
    beforeAll(async () => {
      door = await serveDoor({ holdMs: 0 });
    });
    afterAll(() => door.close());

    it('reaches the call path as every reader of JSON would read it, in either era', async () => {
      const read = new Map<string, unknown>();
      for (const era of ['modern', 'legacy'] as const) {
        for (const { name, bytes } of texts) {
          const before = door.calls.length;
          const more = era === 'modern' ? `,"_meta":${meta}` : '';
          const headers = era === 'modern' ? { ...modernHeaders, 'mcp-name': 'ledger__post_payment' } : { 'mcp-protocol-version': '2025-11-25' };
          await (await post(door.mcp, callWith('ledger__post_payment', bytes, more), headers)).text();
          if (door.calls.length > before) read.set(`${era} ${name}`, (argumentsOf(door.calls.at(-1)?.request) as { x?: unknown } | undefined)?.x);
        }
      }
      for (const { name, expected, bytes } of texts) {
        for (const era of ['modern', 'legacy']) {
          const passed = read.has(`${era} ${name}`);
          if (expected === 'n') expect(passed, name).toBe(false);
          if (passed) expect(read.get(`${era} ${name}`), name).toEqual(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
        }
        // What must parse and can be read in one way alone is not turned away.
        if (expected === 'y') expect(read.has(`modern ${name}`), name).toBe(!twoReadings.test(name));
      }
    });
  });
});
