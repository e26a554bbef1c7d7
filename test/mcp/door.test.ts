import { Agent, request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Refusal, type RefusalCode, refuse } from '../../server/call/index.ts';
import { proofAlgorithms } from '../../server/identity/index.ts';
import { StoreUnavailable } from '../../server/store/store.ts';
import { argumentsOf, legacyClient, modernClient, post, postCall, refusal, type Served, serveDoor, session, sessionOf, textResult, token } from './fixture.ts';

let door: Served;
afterEach(() => door.close());

const list = JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: {} });
const errorOf = async (response: Response) => ((await response.json()) as { error: { code: number; message: string } }).error;

/** `fetch` sets Host itself, so what lies about it goes through node:http. */
function raw(
  url: string,
  headers: Record<string, string>,
  body: string,
  agent?: Agent,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers, ...(agent ? { agent } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
const good = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` };

describe('before anyone is asked who they are', () => {
  it('serves only its own names: 403 for another Host or Origin', async () => {
    door = await serveDoor();
    const { port } = new URL(door.url);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
      expect((await raw(door.mcp, { ...good, host }, list)).status, host).toBe(200);
    }
    for (const host of ['evil.example', `evil.example:${port}`, 'localhost:1', `localhost.evil.example:${port}`]) {
      expect((await raw(door.mcp, { ...good, host }, list)).status, host).toBe(403);
    }
    // What is no host at all does not even get this far.
    for (const host of [`localhost:${port}@evil.example`, `localhost:${port}/`]) {
      expect([400, 403], host).toContain((await raw(door.mcp, { ...good, host }, list)).status);
    }
    for (const origin of [`http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
      expect((await post(door.mcp, list, { origin })).status, origin).toBe(200);
    }
    for (const origin of ['null', 'http://evil.example', `https://localhost:${port}`, 'http://localhost:1', `http://localhost:${port}.evil.example`]) {
      expect((await post(door.mcp, list, { origin })).status, origin).toBe(403);
    }
    expect(door.calls).toHaveLength(0);
  });

  it('ignores what a forwarded header claims', async () => {
    door = await serveDoor();
    const { port } = new URL(door.url);
    expect(
      (await raw(door.mcp, { ...good, host: 'evil.example', 'x-forwarded-host': `localhost:${port}`, forwarded: `host=localhost:${port}` }, list)).status,
    ).toBe(403);
  });

  it('answers 405 to every method but POST, as long as no protocol session is named or the revision has none', async () => {
    door = await serveDoor();
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
      for (const url of [door.mcp, `${door.url}/mcp`]) {
        const modern = { ...good, 'mcp-protocol-version': '2026-07-28', 'mcp-session-id': 'A'.repeat(43) };
        for (const headers of [good, modern]) {
          const response = await fetch(url, { method, headers });
          expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'POST']);
        }
      }
    }
  });

  it('answers 415 to anything but JSON', async () => {
    door = await serveDoor();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json', 'application/json-seq', 'application/jsonx']) {
      expect((await post(door.mcp, list, { 'content-type': type })).status, type).toBe(415);
    }
    expect((await post(door.mcp, list, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
  });

  it('answers 413 above one MiB, whether the length is declared or not', async () => {
    door = await serveDoor();
    const big = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"${'a'.repeat(1_048_576)}"}}`;
    expect((await post(door.mcp, big)).status).toBe(413);
    const chunked = new Response(big).body;
    const response = await fetch(door.mcp, { method: 'POST', headers: good, body: chunked, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
    expect((await post(door.mcp, list)).status).toBe(200);
  });

  it.each([
    ['a duplicate key', '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}'],
    ['a duplicate key deep inside, escaped', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"to":"x","\\u0074o":"y"}}}'],
    ['a prototype', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"__proto__":{"a":1}}}'],
    ['nesting', `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a cut', '{"jsonrpc":"2.0","id":1,'],
    ['nothing', ''],
    ['an integer beyond 2^53', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"n":9007199254740993}}'],
  ])('answers 400 with a parse error to %s', async (_what, body) => {
    door = await serveDoor();
    const response = await post(door.mcp, body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: -32700 });
  });

  it('answers 400 to bytes that are not UTF-8', async () => {
    door = await serveDoor();
    expect((await post(door.mcp, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).status).toBe(400);
  });

  it.each(['[]', `[${list}]`, `[${list},${list}]`, '"x"', 'null', '7'])('refuses what is not one message: %s', async (body) => {
    door = await serveDoor();
    const response = await post(door.mcp, body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: -32600 });
  });

  it('serves a good request on the connection that just brought a broken one', async () => {
    door = await serveDoor();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const broken = await raw(door.mcp, good, '{"jsonrpc":', agent);
    const after = await raw(door.mcp, good, list, agent);
    expect([broken.status, after.status]).toEqual([400, 200]);
    expect(JSON.parse(after.body)).toMatchObject({ id: 3, result: { tools: expect.any(Array) } });
    agent.destroy();
  });
});

describe('who stands at the door', () => {
  it('without a token gets a challenge that names where to get one, and no error code', async () => {
    door = await serveDoor();
    const { port } = new URL(door.url);
    for (const [url, path] of [
      [door.mcp, `sessions/${session}/mcp`],
      [`${door.url}/mcp`, 'mcp'],
    ] as const) {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: list });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer resource_metadata="http://localhost:${port}/.well-known/oauth-protected-resource/${path}", DPoP algs="${proofAlgorithms.join(' ')}"`,
      );
    }
  });

  it('with a bad token is told so, and nothing runs', async () => {
    door = await serveDoor();
    const response = await postCall(door.mcp, { name: 'a__b' }, { authorization: 'Bearer stolen' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="[^"]+", DPoP error="invalid_token", algs="[A-Za-z0-9 ]+"$/,
    );
    expect(door.calls).toHaveLength(0);
  });

  it('with an id in the path that could break a header gets a well-formed challenge', async () => {
    door = await serveDoor();
    const response = await post(`${door.url}/sessions/${encodeURIComponent('x", realm="evil\r\n')}/mcp`, list);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).not.toContain('realm="evil');
  });

  it.each([
    ['token.unproven', 'invalid_dpop_proof'],
    ['session.proof_required', 'invalid_token'],
  ] as const)('whom a bearer would not help is challenged to prove a key, and to nothing else: %s', async (code, error) => {
    door = await serveDoor({ parts: { enterSession: async () => refuse(code, 'Prove a key.') } });
    const response = await post(door.mcp, list);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      new RegExp(`^DPoP error="${error}", error_description="Prove a key.", resource_metadata="[^"]+", algs="[A-Za-z0-9 ]+"$`),
    );
  });

  const atDoor: RefusalCode[] = ['token.expired', 'session.not_found', 'session.expired', 'session.ended', 'session.suspended', 'agent.suspended'];
  it.each(atDoor)('is refused with 401 before any SDK sees the request: %s', async (code) => {
    door = await serveDoor({ parts: { enterSession: async () => refuse(code, 'It is "over".') } });
    const response = await post(door.mcp, list);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain(`error_description="It is 'over'."`);
    expect(await response.json()).toMatchObject({ id: 3, error: { code: 401, message: 'It is "over".', data: { code } } });
  });

  it.each([
    ['authenticate', { authenticate: () => Promise.reject(new StoreUnavailable('gone')) }],
    ['enterSession', { enterSession: () => Promise.reject(new StoreUnavailable('gone')) }],
    ['a bug', { enterSession: () => Promise.reject(new Error('secret')) }],
    ['stale', { enterSession: async () => refuse('stale', 'The configuration is changing; try again.') }],
  ])('is refused with 503 while nothing can be decided: %s', async (what, parts) => {
    door = await serveDoor({ parts });
    const response = await post(door.mcp, list);
    expect(response.status).toBe(503);
    const body = await response.text();
    // Nothing of a request is read before it is known who asks, so its id is not known either.
    expect(JSON.parse(body)).toMatchObject({ id: what === 'authenticate' ? null : 3, error: { code: -32603 } });
    expect(body).not.toContain('secret');
  });

  it.each(['modern', 'legacy'] as const)('of the %s era is refused with 401 or 503 also in the middle of a call', async (era) => {
    let with_: Refusal = refuse('session.ended', 'This task has ended.');
    door = await serveDoor({ answer: () => refusal(with_) });
    const legacyCall = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'a__b', arguments: {} } });
    const call = () => (era === 'modern' ? postCall(door.mcp, { name: 'a__b' }) : post(door.mcp, legacyCall));
    const ended = await call();
    expect(ended.status).toBe(401);
    expect(ended.headers.get('www-authenticate')).toContain('error="invalid_token"');
    with_ = refuse('unavailable', 'Taskgate cannot answer right now.');
    const out = await call();
    expect(out.status).toBe(503);
    expect(await errorOf(out)).toMatchObject({ code: -32603 });
  });
});

it('marks every answer private, sets no cookie, and gives a protocol session only to who initializes', async () => {
  door = await serveDoor();
  const initialize = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  });
  const progress = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'a__b', _meta: { progressToken: 1 } } });
  const answers = [
    await post(door.mcp, initialize),
    await post(door.mcp, list),
    await post(door.mcp, progress),
    await postCall(door.mcp, { name: 'a__b' }),
    await post(door.mcp, '{'),
    await post(door.mcp, list, { authorization: 'Bearer bad' }),
    await post(door.mcp, list, { origin: 'http://evil.example' }),
    await fetch(door.mcp),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400, 401, 403, 405]);
  for (const [n, { headers }] of answers.entries()) {
    const id = n === 0 ? expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) : null;
    expect([headers.get('cache-control'), headers.get('set-cookie'), headers.get('mcp-session-id')]).toEqual(['no-store', null, id]);
  }
});

it('refuses a modern request whose headers name another call than its body', async () => {
  door = await serveDoor();
  const response = await postCall(door.mcp, { name: 'ledger__post_payment' }, { 'mcp-name': 'ledger__get_invoice' });
  expect(response.status).toBe(400);
  expect(await errorOf(response)).toMatchObject({ code: -32020 });
  expect(door.calls).toHaveLength(0);
});

it('keeps two sessions apart though their clients count alike', async () => {
  door = await serveDoor({ answer: (request) => textResult(JSON.stringify(argumentsOf(request))) });
  const [one, two, three] = [await legacyClient(door.mcp), await legacyClient(door.mcp), await modernClient(door.mcp)];
  const answers = await Promise.all([one, two, three].map((client, n) => client.callTool({ name: 'a__b', arguments: { n } })));
  expect(answers.map(({ content }) => content)).toEqual([0, 1, 2].map((n) => [{ type: 'text', text: `{"n":${n}}` }]));
  for (const client of [one, two, three]) await client.close();
});

it('ignores a wish for a 2025-11-25 task where the tenant lets no call wait as one, and does not offer it', async () => {
  const plain = { tenant: { document: { pause: [] } } };
  door = await serveDoor({ parts: { enterSession: async (_ports, caller) => Object.assign(sessionOf(caller), plain) } });
  const client = await legacyClient(door.mcp);
  expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
  await client.close();
  const wish = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'a__b', arguments: {}, task: { ttl: 1000 } } });
  const body = (await (await post(door.mcp, wish)).json()) as { result: unknown };
  expect(body.result).toMatchObject({ content: [{ type: 'text', text: 'done' }] });
});
