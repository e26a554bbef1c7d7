import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamsBusy, UpstreamUnavailable } from '../../tools/index.ts';
import { call, type HeldPool, heldPool, hostile, textOf } from './upstreams.ts';

describe('the pool of upstream connections', () => {
  let held: HeldPool;
  beforeEach(() => {
    held = heldPool();
  });
  afterEach(() => held.pool.close());

  it('gives callers of one key one connection, also when they ask at once', async () => {
    const [a, b] = await Promise.all([held.pool.connect('k', hostile()), held.pool.connect('k', hostile())]);
    expect(a).toBe(b);
    expect(await held.pool.connect('k', hostile())).toBe(a);
  });

  it('never shares a connection across keys', async () => {
    const [a, b] = await Promise.all([held.pool.connect('acme/h', hostile()), held.pool.connect('globex/h', hostile())]);
    await call(a, 'noise');
    expect(textOf(await call(a, 'count'))).toBe('1');
    expect(textOf(await call(b, 'count'))).toBe('0');
  });

  it('backs off after a failure, says for how long, and waits longer each time', async () => {
    const dying = hostile('--die-at-start');
    await expect(held.pool.connect('k', dying)).rejects.toThrow(UpstreamUnavailable);
    await expect(held.pool.connect('k', dying)).rejects.toThrow('it failed 1 times; the next attempt is in 1 s');
    held.now += 499;
    await expect(held.pool.connect('k', dying)).rejects.toThrow(/next attempt/);
    held.now += 1;
    await expect(held.pool.connect('k', dying)).rejects.toThrow('ended with code 3');
    held.now += 999;
    await expect(held.pool.connect('k', dying)).rejects.toThrow('it failed 2 times; the next attempt is in 1 s');
    held.now += 1;
    expect((await (await held.pool.connect('k', hostile())).definitions()).length).toBeGreaterThan(0);
  });

  it('backs off for one key without touching another', async () => {
    await expect(held.pool.connect('a', hostile('--die-at-start'))).rejects.toThrow();
    await held.pool.connect('b', hostile());
  });

  it('backs off from a connection that dies before it has answered anything', async () => {
    const connection = await held.pool.connect('k', hostile());
    await call(connection, 'die');
    await expect(held.pool.connect('k', hostile())).rejects.toThrow(/next attempt/);
  });

  it('closes a connection nobody has used for the idle time, but not one in use', async () => {
    const brief = heldPool({ idleMs: 150 });
    const connection = await brief.pool.connect('k', hostile());
    expect(await call(connection, 'hang', {}, { deadlineMs: 400 })).toMatchObject({ why: 'timeout' });
    expect(textOf(await call(connection, 'count'))).toBe('1');
    await expect.poll(async () => (await call(connection, 'count')).kind, { interval: 400 }).toBe('failed');
    expect(textOf(await call(await brief.pool.connect('k', hostile()), 'count'))).toBe('0');
    await brief.pool.close();
  });

  it('refuses to connect once it is closed, and calls on what it gave out fail unsent', async () => {
    const connection = await held.pool.connect('k', hostile());
    await held.pool.close();
    await expect(held.pool.connect('k', hostile())).rejects.toThrow('stopping');
    expect(await call(connection, 'count')).toMatchObject({ kind: 'failed', why: 'died', sent: false });
  });

  describe('with children of a tenant capped', () => {
    const capped = (): HeldPool => heldPool({ children: 2 });
    it('stops the one that rested longest to make room, and leaves the other’s and another tenant’s alone', async () => {
      const brief = capped();
      const first = await brief.pool.connect('acme/one/x', hostile());
      brief.now += 1_000;
      const second = await brief.pool.connect('acme/two/x', hostile());
      const other = await brief.pool.connect('globex/one/x', hostile());
      brief.now += 5_000;
      await brief.pool.connect('acme/three/x', hostile());
      expect(await call(first, 'count')).toMatchObject({ kind: 'failed', sent: false });
      for (const alive of [second, other]) expect(textOf(await call(alive, 'count'))).toBe('0');
      await brief.pool.close();
    });

    it('refuses, saying why, while each is in use or was lent a moment ago, and takes no way round a failure', async () => {
      const brief = capped();
      const busy = await brief.pool.connect('acme/one/x', hostile());
      const ended = call(busy, 'hang', {}, { deadlineMs: 2_000 });
      brief.now += 60_000;
      await brief.pool.connect('acme/two/x', hostile());
      await expect(brief.pool.connect('acme/three/x', hostile())).rejects.toThrow(UpstreamsBusy);
      await expect(brief.pool.connect('acme/three/x', hostile())).rejects.toThrow('2 child processes, as many as it may have');
      brief.now += 5_000;
      await brief.pool.connect('acme/three/x', hostile());
      expect(await ended).toMatchObject({ why: 'timeout' });
      await brief.pool.close();
    });

    it('counts those that are only starting', async () => {
      const brief = capped();
      const asked = await Promise.allSettled(['one', 'two', 'three', 'four'].map((name) => brief.pool.connect(`acme/${name}/x`, hostile())));
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      await brief.pool.close();
    });
  });

  it('closes the older target of a place once it rests, such as one with a key that was rotated, and forgets what is closed', async () => {
    const old = await held.pool.connect('acme/one//aaaa', hostile());
    const other = await held.pool.connect('acme/two//aaaa', hostile());
    const young = await held.pool.connect('acme/one//bbbb', hostile());
    await expect.poll(() => held.pool.size(), { timeout: 15_000, interval: 100 }).toBe(2);
    expect(await call(old, 'count')).toMatchObject({ kind: 'failed', sent: false });
    for (const one of [young, other]) expect(textOf(await call(one, 'count'))).toBe('0');
    for (const one of [young, other]) await one.close();
    expect(held.pool.size()).toBe(0);
  });

  it.each([
    ['that never ends', '--endless-list', /more than 64 pages/],
    ['that names a tool twice', '--twice', /two tools of one name/],
  ])('does not connect to an upstream with a tool list %s', async (_, flag, reason) => {
    await expect(held.pool.connect('k', hostile(flag))).rejects.toThrow(reason);
  });

  it('does not wait for ever for an upstream that never lists its tools', async () => {
    const hurried = heldPool({ connectMs: 2_000 });
    await expect(hurried.pool.connect('k', hostile('--silent-on-list'))).rejects.toThrow(/could not be listed: Request timed out/);
    await hurried.pool.close();
  });
});
