import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { refuse } from '../../server/call/index.ts';
import { post, postCall, refusal, type Served, serveDoor } from '../mcp/fixture.ts';

/** What an agent, or whoever sits on its network, may try at the MCP door. */

let door: Served;
const approval = { id: 'apr_1', status: 'pending', expiresAt: Date.now() + 3_600_000 };
beforeAll(async () => {
  door = await serveDoor({ answer: () => refusal(refuse('approval.required', 'Not executed.', { approval })), holdMs: 0 });
});
afterAll(() => door.close());

const payment = { name: 'ledger__post_payment', arguments: { amount: 600 } };
type Body = { result?: { requestState?: string; resultType?: string }; error?: { code: number; message: string } };
const call = async (params: Record<string, unknown>): Promise<Body> => (await (await postCall(door.mcp, params)).json()) as Body;

it('no body, however it is made, gets past the parser unless it is one JSON-RPC message', async () => {
  const before = door.calls.length;
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.json({ maxDepth: 8 }).map((text) => new TextEncoder().encode(text)),
    fc
      .constantFrom('[', '{"a":', '{"jsonrpc":"2.0","id":{},"method":"tools/call"}', '{"method":"tools/call","params":null}')
      .map((text) => new TextEncoder().encode(text)),
  );
  await fc.assert(
    fc.asyncProperty(hostile, async (body) => {
      const response = await post(door.mcp, body);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(((await response.json()) as Body).error?.code).toBeTypeOf('number');
    }),
    { numRuns: 150 },
  );
  expect(door.calls).toHaveLength(before);
});

it('no credential but the right one reaches the call path', async () => {
  const before = door.calls.length;
  const visible = fc.string({ unit: fc.constantFrom(...' !#$%&()*+,-./0123456789:;<=>?@ABCabc[]^_`{|}~'), maxLength: 60 });
  const credential = fc.oneof(
    visible,
    visible.map((text) => `Bearer ${text}`),
    fc.constantFrom('Bearer good-tokeN', 'bearer', 'Basic good-token', 'Bearer good-token, Bearer x'),
  );
  await fc.assert(
    fc.asyncProperty(credential, async (authorization) => {
      const response = await postCall(door.mcp, payment, { authorization });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer ([a-z_]+="[^"\\]*", )+DPoP ([a-z_]+="[^"\\]*"(, )?)+$/);
    }),
    { numRuns: 100 },
  );
  expect(door.calls).toHaveLength(before);
});

it('no change to a sealed state makes it name anything else', async () => {
  const sealed = (await call(payment)).result?.requestState ?? '';
  await fc.assert(
    fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom(...'AZaz09-_.=~'), fc.constantFrom('replace', 'insert', 'delete'), async (at, char, how) => {
      const changed = sealed.slice(0, at) + (how === 'delete' ? '' : char) + sealed.slice(how === 'insert' ? at : at + 1);
      const before = door.calls.length;
      const body = await call({ ...payment, requestState: changed });
      // The last character of a base64url tag has bits that mean nothing; a state that opens is the very same one.
      if (body.error) expect([body.error.code, door.calls.length]).toEqual([-32602, before]);
      else expect([door.calls.at(-1)?.request.resumes, changed.slice(0, -2)]).toEqual(['apr_1', sealed.slice(0, -2)]);
    }),
    { numRuns: 150 },
  );
});

it('no other arguments ride on a state', async () => {
  const requestState = (await call(payment)).result?.requestState;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), async (args) => {
      fc.pre(JSON.stringify(args) !== JSON.stringify(payment.arguments));
      const before = door.calls.length;
      const response = await postCall(door.mcp, { ...payment, arguments: args, requestState });
      const { error } = (await response.json()) as Body;
      // -32700: values JSON readers could disagree on do not even parse.
      expect([-32602, -32700]).toContain(error?.code);
      expect(door.calls).toHaveLength(before);
    }),
    { numRuns: 100 },
  );
});

it('an answer to a question nobody asked approves nothing', async () => {
  const requestState = (await call(payment)).result?.requestState;
  const inputResponses = { approve: { action: 'accept', content: { approve: true } }, apr_1: { action: 'accept' } };
  const body = await call({ ...payment, requestState, inputResponses });
  expect(body.result?.resultType).toBe('input_required');
  expect(door.calls.at(-1)?.request).toEqual({
    kind: 'tool',
    tool: payment.name,
    arguments: payment.arguments,
    nonce: null,
    resumes: 'apr_1',
    traceparent: null,
  });
});

it('the rounds of a pause cannot be wound back by sending an older state: a hold is all it buys', async () => {
  let requestState = (await call(payment)).result?.requestState;
  const first = requestState;
  for (let round = 2; round <= 8; round++) requestState = (await call({ ...payment, requestState })).result?.requestState;
  expect(requestState).toBeTypeOf('string');
  expect((await call({ ...payment, requestState })).result?.requestState).toBeUndefined();
  expect((await call({ ...payment, requestState: first })).result?.resultType).toBe('input_required');
  expect(door.calls.at(-1)?.request.resumes).toBe('apr_1');
});

it('a name in a call cannot break out of the answer', async () => {
  const odd = `x"}\u202e\r\n${'y'.repeat(5000)}`;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: odd, arguments: {} } });
  const response = await post(door.mcp, body);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ id: 1 });
});
