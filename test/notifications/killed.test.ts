import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leaseMs } from '../../server/notifications/deliver.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { newFolder } from '../support/broker.ts';
import { type Hook, startHook } from './receivers.ts';
import { foundChannel, openSender, type Sender } from './sender.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
const clean = async (): Promise<void> => {
  for (const one of cleanUps.splice(0).reverse()) await one();
};

async function senderProcess(address: string, dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/sender.ts'), address, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUps.push(async () => child.kill('SIGKILL'));
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}
const kill = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};
const idOf = ({ headers }: { headers: Record<string, unknown> }): string => String(headers['webhook-id']);

/** `fresh`: an empty store, by its address, for each test. */
function killed(fresh: (dir: string) => Promise<string>): void {
  afterEach(clean);

  const begin = async (): Promise<{ address: string; dir: string; hook: Hook }> => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const hook = await startHook();
    cleanUps.push(() => hook.close());
    const address = await fresh(dir);
    await foundChannel(address, dir, hook.place);
    return { address, dir, hook };
  };
  const sending = async (address: string, dir: string, ahead = 0): Promise<Sender> => {
    const one = await openSender(address, dir, ahead);
    cleanUps.push(() => one.close());
    return one;
  };
  const happens = ({ store }: Pick<Sender, 'store'>, about: string, at = Date.now()) =>
    store.notify('acme', { type: 'session.revoked', at, about, facts: { session: about } });

  it('while a receiver has the message and has not answered sends it again, under the same id, and then no more', { timeout: 60_000 }, async () => {
    const { address, dir, hook } = await begin();
    hook.answers.set('/hook', 'hang');
    const child = await senderProcess(address, dir);
    const watcher = await sending(address, dir, -leaseMs);
    await happens(watcher, 'ses_1');
    const first = await hook.until(() => true);
    await kill(child);
    await watcher.close();

    hook.answers.delete('/hook');
    const next = await sending(address, dir, 2 * leaseMs);
    await next.delivering.look();
    const again = await hook.until((one) => one !== first);
    expect([idOf(again), again.body]).toEqual([idOf(first), first.body]);
    await vi.waitUntil(async () => (await next.store.listDeliveries('acme', { status: 'delivered' }, { after: null, limit: 9 })).length === 1, {
      timeout: 20_000,
    });
    next.clock.ahead += 60 * 60_000;
    expect(await next.store.tenantsWithDeliveries(Date.now() + next.clock.ahead)).toEqual([]);
    expect(hook.received).toHaveLength(2);
  });

  it('before anybody received anything loses nothing of what had happened', { timeout: 60_000 }, async () => {
    const { address, dir, hook } = await begin();
    await hook.close();
    const child = await senderProcess(address, dir);
    const watcher = await sending(address, dir, -leaseMs);
    await happens(watcher, 'ses_1');
    const failed = async () => typeof (await watcher.store.listDeliveries('acme', {}, { after: null, limit: 1 }))[0]?.error === 'string';
    await vi.waitUntil(failed, { timeout: 20_000, interval: 50 });
    await kill(child);
    await watcher.close();

    const back = await startHook(Number(hook.place.split(':')[1]));
    cleanUps.push(() => back.close());
    const next = await sending(address, dir, 2 * leaseMs);
    await next.delivering.look();
    expect(JSON.parse((await back.until(() => true)).body)).toMatchObject({ type: 'session.revoked', data: { session: 'ses_1' } });
  });

  it('beside others on its store: of three that send at once a message goes out once', { timeout: 60_000 }, async () => {
    const { address, dir, hook } = await begin();
    const senders = [await sending(address, dir), await sending(address, dir), await sending(address, dir)];
    const [first] = senders;
    if (!first) throw new Error('no sender');
    const at = Date.now();
    for (let i = 0; i < 20; i++) await happens(first, `ses_${i}`, at);
    await vi.waitUntil(
      async () => {
        await Promise.all(senders.map(({ delivering }) => delivering.look()));
        return (await first.store.listDeliveries('acme', { status: 'delivered' }, { after: null, limit: 100 })).length === 20;
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(new Set(hook.received.map(idOf)).size).toBe(20);
    expect(hook.received).toHaveLength(20);
  });
}

describe('a sender that is killed, on SQLite', () => killed(async (dir) => `sqlite:${join(dir, 'taskgate.db')}`));

await describeOnPostgres((database) => {
  describe('a sender that is killed, on PostgreSQL', () =>
    killed(async () => {
      await database.wipe();
      return database.url;
    }));
});
