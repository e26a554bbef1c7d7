import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leaseMs } from '../../server/notifications/deliver.ts';
import { attachTo, type Doors, newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import { newSecret, withChannels } from './channels.ts';
import { startHook } from './receivers.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});

async function brokerProcess(dir: string, place: string): Promise<{ child: ChildProcess; doors: Doors }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/broker.ts'), dir, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUps.push(async () => child.kill('SIGKILL'));
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, doors: attachTo(url, dir) };
}
const kill = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};
const idOf = ({ headers }: { headers: Record<string, unknown> }): string => String(headers['webhook-id']);

describe('a broker that is killed', () => {
  it('while a receiver has the message and has not answered sends it again, under the same id, and then no more', { timeout: 60_000 }, async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const hook = await startHook();
    cleanUps.push(() => hook.close());
    hook.answers.set('/hook', 'hang');
    const { child, doors } = await brokerProcess(dir, hook.place);
    const dana = await doors.person('acme', 'dana');
    await doors.v1(dana, 'PUT', '/credentials/hook-secret', { value: newSecret() });
    await doors.v1(dana, 'POST', '/channels/hook/test', {});
    const first = await hook.until(() => true);
    await kill(child);

    hook.answers.delete('/hook');
    const channels = withChannels({ hook: { transport: { type: 'webhook', url: `${hook.url}/hook` } } }, [hook.place]);
    const next = await startTestBroker({ dir, ahead: leaseMs, ...channels });
    cleanUps.push(() => next.close());
    const again = await hook.until((one) => one !== first);
    // Its link is the next broker's, which has another port.
    const { timestamp } = JSON.parse(first.body) as { timestamp: string };
    expect([idOf(again), JSON.parse(again.body)]).toMatchObject([idOf(first), { type: 'channel.test', timestamp }]);
    await vi.waitUntil(async () => (await next.ports.store.listDeliveries('acme', { status: 'delivered' }, { after: null, limit: 9 })).length === 1);
    next.travel(60 * 60_000);
    expect(await next.ports.store.tenantsWithDeliveries(next.ports.clock())).toEqual([]);
    expect(hook.received).toHaveLength(2);
  });

  it('before it sent anything loses nothing of what had happened', { timeout: 60_000 }, async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const hook = await startHook();
    const { place } = hook;
    const { child, doors } = await brokerProcess(dir, place);
    const dana = await doors.person('acme', 'dana');
    await doors.v1(dana, 'PUT', '/credentials/hook-secret', { value: newSecret() });
    // Nobody is there to receive.
    await hook.close();
    const task = await doors.open({});
    await doors.v1(dana, 'POST', `/sessions/${task.session}/suspend`, { reason: 'looks odd' });
    await kill(child);

    const back = await startHook(Number(place.split(':')[1]));
    cleanUps.push(() => back.close());
    const channels = withChannels({ hook: { transport: { type: 'webhook', url: `${back.url}/hook` } } }, [place]);
    const next = await startTestBroker({ dir, ahead: 2 * leaseMs, ...channels });
    cleanUps.push(() => next.close());
    const told = await back.until(({ body }) => body.includes('session.suspended'));
    expect(JSON.parse(told.body)).toMatchObject({ data: { session: task.session, agent: 'invoice-matcher' } });
  });

  it('beside others on its store: of three that send at once a message goes out once', { timeout: 60_000 }, async () => {
    const dir = await newFolder();
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const hook = await startHook();
    cleanUps.push(() => hook.close());
    const channels = withChannels({ hook: { transport: { type: 'webhook', url: `${hook.url}/hook` } } }, [hook.place]);
    const brokers: TestBroker[] = [];
    for (let i = 0; i < 3; i++) {
      const one = await startTestBroker({ dir, ...channels });
      cleanUps.push(() => one.close());
      brokers.push(one);
    }
    const [first] = brokers;
    if (!first) throw new Error('no broker');
    const dana = await first.person('acme', 'dana');
    await first.v1(dana, 'PUT', '/credentials/hook-secret', { value: newSecret() });
    const at = first.ports.clock();
    for (let i = 0; i < 30; i++) await first.ports.store.notify('acme', { type: 'session.revoked', at, about: `ses_${i}`, facts: { session: `ses_${i}` } });
    await vi.waitUntil(
      async () => {
        await Promise.all(brokers.map((one) => one.ports.store.tenantsWithDeliveries(one.ports.clock())));
        return (await first.ports.store.listDeliveries('acme', { status: 'delivered' }, { after: null, limit: 100 })).length === 30;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(new Set(hook.received.map(idOf)).size).toBe(30);
    expect(hook.received).toHaveLength(30);
  });
});
