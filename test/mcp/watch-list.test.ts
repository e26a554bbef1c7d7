import { afterEach, expect, it, vi } from 'vitest';
import { refuse } from '../../server/call/index.ts';
import { legacyClient, postModern, type Served, serveDoor, session, sessionOf, tools } from './fixture.ts';

let door: Served;
afterEach(async () => {
  vi.useRealTimers();
  await door.close();
});

/** Messages of an event stream, one at a time; null once it has ended. */
function messagesOf(response: Response): () => Promise<Record<string, unknown> | null> {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = '';
  return async () => {
    for (;;) {
      const data = /^data: (.*)\n\n/m.exec(text);
      if (data) {
        text = text.slice(data.index + data[0].length);
        return JSON.parse(data[1] ?? '') as Record<string, unknown>;
      }
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
  };
}
const listen = () => postModern(door.mcp, 'subscriptions/listen', { notifications: { toolsListChanged: true } });

it('tells a listening client that its list has changed, only then, and ends with the session', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let listed = tools;
  let over = false;
  const looked = vi.fn();
  door = await serveDoor({
    parts: {
      listTools: () => {
        looked();
        return listed;
      },
      enterSession: async (_ports, who) => (over ? refuse('session.ended', 'This task has ended.') : sessionOf(who)),
    },
  });
  const next = messagesOf(await listen());
  expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });

  vi.advanceTimersByTime(5_000);
  await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(2));
  listed = tools.slice(1);
  vi.advanceTimersByTime(5_000);
  expect(await next()).toMatchObject({ method: 'notifications/tools/list_changed' });

  over = true;
  vi.advanceTimersByTime(5_000);
  expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  expect(await next()).toBeNull();
});

it('looks at once when a signal says that something changed, and at no more than one a second', async () => {
  let over = false;
  const looked = vi.fn();
  door = await serveDoor({
    parts: {
      enterSession: async (_ports, who) => {
        looked();
        return over ? refuse('session.ended', 'This task has ended.') : sessionOf(who);
      },
    },
  });
  const next = messagesOf(await listen());
  expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  const before = looked.mock.calls.length;
  // Another's, and a decision, which changes no list.
  door.signals.emit([{ kind: 'session', tenant: 'acme', id: 'ses_other' }]);
  door.signals.emit([{ kind: 'configuration', tenant: 'globex', id: '2' }]);
  door.signals.emit([{ kind: 'approval', tenant: 'acme', id: 'apr_1' }]);
  for (let n = 0; n < 50; n++) door.signals.emit([{ kind: 'resync' }]);
  await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(before + 1));
  const began = performance.now();
  over = true;
  for (let n = 0; n < 50; n++) door.signals.emit([{ kind: 'session', tenant: 'acme', id: session }]);
  expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  expect(await next()).toBeNull();
  expect(looked).toHaveBeenCalledTimes(before + 2);
  expect(performance.now() - began).toBeLessThan(2_000);
});

it('refuses a session more than four streams', async () => {
  door = await serveDoor();
  for (let n = 0; n < 4; n++) expect(await messagesOf(await listen())()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  expect(await (await listen()).json()).toMatchObject({ error: { code: -32603 } });
});

it('does not promise changes to a 2025-era client, which has no stream to hear them on', async () => {
  door = await serveDoor();
  const client = await legacyClient(door.mcp);
  expect(client.getServerCapabilities()).toEqual({ tools: {} });
  await client.close();
});
