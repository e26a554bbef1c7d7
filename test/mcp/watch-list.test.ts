import { afterEach, expect, it, vi } from 'vitest';
import { refuse } from '../../server/call/index.ts';
import { callerOf, messagesOf, postModern, type Served, serveDoor, session, sessionOf, tools } from './fixture.ts';

let door: Served;
afterEach(async () => {
  vi.useRealTimers();
  await door.close();
});

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

it('tells of each list by itself, only to who asked for it and only where there is one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let resources = [{ uri: 'docs://a', name: 'docs__a', title: 'a' }];
  let templates = [{ uriTemplate: 'docs://{n}', name: 'docs__n', title: 'n' }];
  let prompts = [{ name: 'docs__p' }];
  door = await serveDoor({
    parts: {
      kindsOf: () => ({ resources: true, prompts: true }),
      listResources: () => resources,
      listTemplates: () => templates,
      listPrompts: () => prompts,
    },
  });
  const all = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true };
  const everything = messagesOf(await postModern(door.mcp, 'subscriptions/listen', { notifications: all }));
  const promptsAlone = messagesOf(await postModern(door.mcp, 'subscriptions/listen', { notifications: { promptsListChanged: true } }));
  expect(await everything()).toMatchObject({ params: { notifications: all } });
  expect(await promptsAlone()).toMatchObject({ params: { notifications: { promptsListChanged: true } } });

  resources = [];
  vi.advanceTimersByTime(5_000);
  expect(await everything()).toMatchObject({ method: 'notifications/resources/list_changed' });
  templates = [];
  vi.advanceTimersByTime(5_000);
  expect(await everything()).toMatchObject({ method: 'notifications/resources/list_changed' });
  prompts = [];
  vi.advanceTimersByTime(5_000);
  expect(await everything()).toMatchObject({ method: 'notifications/prompts/list_changed' });
  expect(await promptsAlone()).toMatchObject({ method: 'notifications/prompts/list_changed' });
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

it('stays open past its token while a later token of the session is good, and no longer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = Date.now();
  let until: number | null = now + 1_800_000;
  const caller = callerOf({ tokenExpires: Math.floor(now / 1000) + 900 });
  const authenticate = vi.fn(async () => caller);
  let listed = tools;
  door = await serveDoor({ parts: { authenticate, listTools: () => listed }, ports: { clock: () => now } });
  vi.spyOn(door.ports.store, 'renewedUntil').mockImplementation(async () => until);
  const next = messagesOf(await listen());
  expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });

  now += 1_000_000;
  listed = tools.slice(1);
  vi.advanceTimersByTime(5_000);
  expect(await next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  expect(authenticate).toHaveBeenCalledTimes(1);

  until = now;
  vi.advanceTimersByTime(5_000);
  expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  expect(await next()).toBeNull();
});

it('ends with its token when the session was not renewed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = Date.now();
  door = await serveDoor({ ports: { clock: () => now } });
  const next = messagesOf(await listen());
  expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  now += 900_000;
  vi.advanceTimersByTime(5_000);
  expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
});
