import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { modernMeta } from '../mcp/fixture.ts';
import { payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { allNaughty, lookAlikes, someNaughty } from '../support/naughty.ts';
import { type Heard, keptAlive, type Line } from '../support/wire.ts';

/** Well-formed HTTP with what nobody expects in it, wherever a client may put text, at a whole broker. */

let broker: TestBroker;
let task: Task;
let line: Line;
const plenty = { per_second: 1_000_000, burst: 1_000_000 };
beforeAll(async () => {
  broker = await startTestBroker({
    limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty }, people: plenty },
  });
  task = await broker.open({});
  line = keptAlive();
});
afterAll(async () => {
  line.close();
  await broker.end();
});

type Message = { readonly jsonrpc?: string; readonly id?: unknown; readonly method?: string; readonly params?: unknown };
type Answer = {
  readonly id?: unknown;
  readonly result?: { readonly isError?: boolean; readonly content?: unknown };
  readonly error?: { readonly code: number };
};

const base = () => ({ authorization: `Bearer ${task.accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
/** The sentinel of SEP-2243 for what cannot stand in a header as it is. */
const headerOf = (text: string): string =>
  /^[\x21-\x7e]+$/.test(text) && !text.startsWith('=?') ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
const legacy = (message: Message | string): Promise<Heard> =>
  line.send(
    'POST',
    task.mcpUrl,
    { ...base(), 'mcp-protocol-version': '2025-11-25' },
    typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  );
const modern = (method: string, params: Readonly<Record<string, unknown>>, more: Record<string, string> = {}, id: unknown = 1): Promise<Heard> => {
  const { _meta, ...rest } = params;
  const name = typeof params['name'] === 'string' ? { 'mcp-name': headerOf(params['name']) } : {};
  return line.send(
    'POST',
    task.mcpUrl,
    { ...base(), 'mcp-protocol-version': '2026-07-28', 'mcp-method': headerOf(method), ...name, ...more },
    JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...rest, _meta: { ...modernMeta, ...(_meta as object) } } }),
  );
};

/** Refused clearly: an error of JSON-RPC or a result that says it is one. */
function refusedAs({ status, text }: Heard, what: string): Answer {
  expect(status, what).toBeLessThan(500);
  const answer = JSON.parse(text) as Answer;
  expect(answer.error !== undefined || answer.result?.isError === true, `${what}: ${text.slice(0, 300)}`).toBe(true);
  return answer;
}

const dispatched = async (): Promise<number> =>
  (await broker.ports.store.readRecords('acme', 0, 100_000)).filter(({ body: { type } }) => type === 'call.dispatched').length;

/** Runs nothing at an upstream; each request is one line of the log, none of them a complaint; the connection lives on. */
async function quietly(requests: number, run: () => Promise<void>): Promise<void> {
  const [before, from] = [await dispatched(), broker.logged().length];
  await run();
  expect(await dispatched()).toBe(before);
  const lines = broker
    .logged()
    .slice(from)
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as { level: number; msg: string });
  expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(requests);
  expect(line.connections()).toBe(1);
}

const tool = 'ledger__post_payment';

describe('a name that is none', () => {
  const names = [...allNaughty, ...lookAlikes(tool)].filter((name) => name !== tool);

  it('of a tool is unknown in either era, and says so without quoting what could break out', async () => {
    const again = [...someNaughty, ...lookAlikes(tool)].filter((name) => name !== tool);
    await quietly(names.length + again.length, async () => {
      for (const name of names) {
        const { error } = refusedAs(await legacy({ method: 'tools/call', params: { ...payment(12), name } }), JSON.stringify(name));
        expect(error?.code, JSON.stringify(name)).toBe(-32602);
      }
      for (const name of again) refusedAs(await modern('tools/call', { ...payment(12), name }), JSON.stringify(name));
    });
  });

  it('of an argument is no argument of the tool', async () => {
    const others = allNaughty.filter((name) => !(name in payment(12).arguments));
    await quietly(others.length, async () => {
      for (const name of others) {
        const text = JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { ...payment(12), arguments: Object.fromEntries([...Object.entries(payment(12).arguments), [name, 1]]) },
        });
        refusedAs(await legacy(text), JSON.stringify(name));
      }
    });
  });

  it('of a method is not found', async () => {
    await quietly(2 * someNaughty.length, async () => {
      for (const method of someNaughty) {
        refusedAs(await legacy({ method, params: {} }), JSON.stringify(method));
        refusedAs(await modern(method, {}), JSON.stringify(method));
      }
    });
  });
});

describe('a value nobody expects', () => {
  it('where money goes is refused', async () => {
    const places = ['iban', 'invoice', 'amount'];
    await quietly(places.length * someNaughty.length, async () => {
      for (const value of someNaughty)
        for (const place of places) refusedAs(await modern('tools/call', payment(12, { [place]: value })), `${place} ${JSON.stringify(value)}`);
    });
  });

  it('in free text reaches the tool that asks for it, or is refused; the broker stands either way', async () => {
    for (const query of someNaughty) {
      const { status, text } = await modern('tools/call', { name: 'mail__search', arguments: { query } });
      expect([status, JSON.parse(text).id], JSON.stringify(query)).toEqual([200, 1]);
    }
  });

  it('as an id comes back as it was, and what is no id comes back as none', async () => {
    const ids = [...someNaughty, 0, -1, 9007199254740991];
    await quietly(ids.length + 7, async () => {
      for (const id of ids) expect(refusedAs(await modern('tools/call', { name: 'nothing' }, {}, id), JSON.stringify(id)).id).toEqual(id);
      for (const id of ['null', '{}', '[]', 'true', '1.5', '1e300', '"\\ud800"'])
        refusedAs(await legacy(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"nothing","arguments":{}}}`), id);
    });
  });

  it('as a nonce, a state, a cursor or a trace opens nothing', async () => {
    const texts = someNaughty.filter((text) => text !== '');
    await quietly(texts.length * 3, async () => {
      for (const text of texts) {
        const what = JSON.stringify(text);
        refusedAs(
          await modern('tools/call', { ...payment(12, { iban: 'FR7630006000011234567890189' }), _meta: { 'taskgate/call': text, traceparent: text } }),
          what,
        );
        refusedAs(await modern('tools/call', { ...payment(12), requestState: text }), what);
        refusedAs(await modern('tools/list', { cursor: text }), what);
      }
    });
  });
});

describe('a body of another shape', () => {
  const call = (args: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}`;
  const pay = JSON.stringify(payment(12).arguments).slice(1, -1);
  const shapes: readonly [string, string][] = [
    ['arguments ten thousand deep', call(`{${pay},"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)],
    ['objects ten thousand deep', call(`{${pay},"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`)],
    ['an object of sixty thousand members', call(`{${pay},${Array.from({ length: 60_000 }, (_, i) => `"k${i}":0`).join()}}`)],
    ['a list of half a million', call(`{${pay},"x":[${'0,'.repeat(500_000)}0]}`)],
    ['a name of half a megabyte', call(`{${pay},"${'n'.repeat(500_000)}":1}`)],
    ['an account of half a megabyte', call(`{"invoice":"INV-7","amount":12,"iban":"${'D'.repeat(500_000)}"}`)],
    ['an amount of a hundred thousand digits', call(`{"invoice":"INV-7","iban":"DE02120300000000202051","amount":12.${'0'.repeat(100_000)}1}`)],
    ['an amount twice', call(`{${pay},"amount":1}`)],
    ['an amount twice, once in disguise', call(`{${pay},"\\u0061mount":1}`)],
    ['a name twice', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mail__search","name":"${tool}","arguments":{${pay}}}}`],
    ['a method twice', `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"${tool}","arguments":{${pay}}}}`],
    ['a prototype of its own', call(`{${pay},"__proto__":{"amount":1}}`)],
    ['a constructor', call(`{${pay},"constructor":{"prototype":{"amount":1}}}`)],
    ['an extension of the policy language', call(`{"invoice":"INV-7","iban":"DE02120300000000202051","amount":{"__extn":{"fn":"decimal","arg":"12.0"}}}`)],
    ['an entity of the policy language', call(`{${pay},"x":{"__entity":{"type":"Taskgate::Agent","id":"acme/invoice-matcher"}}}`)],
    ['half a letter', call(`{${pay},"x":"\\ud83d"}`)],
    [
      'arguments that are a list',
      call(
        `[${pay
          .split(',')
          .map((_, at) => at)
          .join()}]`,
      ),
    ],
    ['arguments that are text', call('"all"')],
    ['arguments that are nothing', call('null')],
    ['two calls in one', `[${call(`{${pay}}`)},${call(`{${pay}}`)}]`],
    ['a version that is not spoken', call(`{${pay}}`).replace('"2.0"', '"1.0"')],
    ['no version', call(`{${pay}}`).replace('"jsonrpc":"2.0",', '')],
  ];

  it.each(shapes)('%s: refused', async (what, text) => {
    await quietly(1, async () => void refusedAs(await legacy(text), what));
  });
});

it('an answer to nothing is taken and changes nothing', async () => {
  await quietly(1, async () => expect(await legacy('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')).toMatchObject({ status: 202, text: '' }));
});

it('after all of it the same connection, task and broker pay as before', async () => {
  const { status, text } = await modern('tools/call', payment(12));
  expect([status, (JSON.parse(text) as Answer).result?.isError]).toEqual([200, undefined]);
  expect(line.connections()).toBe(1);
});
