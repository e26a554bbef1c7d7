import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../../server/identity/caller.ts';
import { callerOf, post, type Served, serveDoor, sessionOf, token } from '../mcp/fixture.ts';

let door: Served;
afterEach(() => door.close());

const list = JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: {} });
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});
const open = async (): Promise<string> => (await post(door.mcp, initialize)).headers.get('mcp-session-id') ?? '';
const named = (id: string) => ({ 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' });
const send = (method: 'GET' | 'DELETE', headers: Record<string, string>): Promise<Response> =>
  fetch(door.mcp, { method, headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers } });

describe('a protocol session that is not the caller’s', () => {
  const others: [string, Partial<Omit<Caller, never>>, object][] = [
    ['in another task', { session: 'ses_acme_BBBBBBBBBBBBBBBBBBBBBB' }, {}],
    ['of another agent', { agent: 'another' }, {}],
    ['of another tenant', { tenant: 'globex' }, {}],
    ['with another key', {}, { cnf: { jkt: 'another' } }],
    ['without the key', {}, { cnf: null }],
  ];
  it.each(others)('is not there for whoever is %s, by any method, like one that was never given', async (_what, caller, row) => {
    let who = callerOf();
    let more: object = { cnf: { jkt: 'mine' } };
    const enterSession = async (_ports: unknown, asks: Caller) => ({ ...sessionOf(asks), row: { ...sessionOf(asks).row, ...more } });
    door = await serveDoor({ parts: { authenticate: async () => who, enterSession: enterSession as never } });
    const id = await open();
    expect((await post(door.mcp, list, named(id))).status).toBe(200);
    who = callerOf(caller);
    more = { ...more, ...row };
    const answersTo = async (asked: string) =>
      Promise.all(
        [await post(door.mcp, list, named(asked)), await send('GET', named(asked)), await send('DELETE', named(asked))].map(async (response) => [
          response.status,
          await response.text(),
        ]),
      );
    const stolen = await answersTo(id);
    expect(stolen.map(([status]) => status)).toEqual([404, 404, 404]);
    for (const guessed of ['A'.repeat(43), 'x', id.slice(1), `${id}A`, id.toLowerCase()]) expect(await answersTo(guessed), guessed).toEqual(stolen);
    who = callerOf();
    more = { cnf: { jkt: 'mine' } };
    expect((await post(door.mcp, list, named(id))).status).toBe(200);
  });

  it('is not looked up for whoever has no token', async () => {
    door = await serveDoor();
    const id = await open();
    const read = vi.spyOn(door.ports.store, 'readProtocolSession');
    for (const method of ['GET', 'DELETE'] as const) expect((await send(method, { ...named(id), authorization: 'Bearer stolen' })).status).toBe(401);
    expect(read).not.toHaveBeenCalled();
  });
});
