import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createDecisions } from '../../server/approvals/index.ts';
import { createSignals } from '../../server/store/signals.ts';

const never = new AbortController().signal;
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

/** The part of a store that tells, and how many wait. */
function bench() {
  const attended: boolean[] = [];
  const signals = createSignals((now) => void attended.push(now));
  const decisions = createDecisions(signals);
  const wait = async (tenant: string, approval: string, ms: number, signal: AbortSignal): Promise<void> => {
    const watch = decisions.watch(tenant, approval);
    await watch.changed(ms, signal);
    watch.stop();
  };
  return { decisions, wait, attended, tell: (tenant: string, id: string) => signals.emit([{ kind: 'approval', tenant, id }]), signals };
}

describe('waiting for a decision', () => {
  test('a decision wakes everyone who waits for that approval of that tenant, and nobody else', async () => {
    const { wait, tell } = bench();
    const woken: string[] = [];
    const abort = new AbortController();
    const waits = [wait('acme', 'apr_1', 60_000, never).then(() => woken.push('first')), wait('acme', 'apr_1', 60_000, never).then(() => woken.push('second'))];
    const others = [
      wait('globex', 'apr_1', 60_000, abort.signal).then(() => woken.push('other tenant')),
      wait('acme', 'apr_2', 60_000, abort.signal).then(() => woken.push('other approval')),
    ];
    tell('acme', 'apr_1');
    await Promise.all(waits);
    expect(woken).toEqual(['first', 'second']);
    abort.abort();
    await Promise.all(others);
  });

  test('it ends when something may have been missed, or when agents of the tenant may do otherwise than before', async () => {
    const { wait, signals } = bench();
    for (const kind of ['agent', 'configuration'] as const) {
      const waiting = wait('acme', 'apr_1', 60_000, never);
      signals.emit([{ kind, tenant: 'acme', id: 'x' }]);
      await waiting;
    }
    const waiting = wait('acme', 'apr_1', 60_000, never);
    signals.emit([{ kind: 'resync' }]);
    await waiting;
  });

  test('what is decided between two waits, or before the first, is not lost', async () => {
    const { decisions, tell } = bench();
    const watch = decisions.watch('acme', 'apr_1');
    tell('acme', 'apr_1');
    await watch.changed(60_000, never);
    const waiting = watch.changed(60_000, never);
    tell('acme', 'apr_1');
    await waiting;
    tell('acme', 'apr_1');
    await watch.changed(60_000, never);
    watch.stop();
  });

  test('it ends by itself after its time, so that decisions of other processes are seen', async () => {
    const began = performance.now();
    await bench().wait('acme', 'apr_1', 30, never);
    expect(performance.now() - began).toBeGreaterThan(25);
  });

  test('it ends at once when the client goes away, also when it had gone before', async () => {
    const abort = new AbortController();
    const { wait } = bench();
    const waiting = wait('acme', 'apr_1', 60_000, abort.signal);
    abort.abort();
    await waiting;
    await wait('acme', 'apr_1', 60_000, abort.signal);
  });

  test('no time to wait is no wait', async () => {
    const { wait } = bench();
    await wait('acme', 'apr_1', 0, never);
    await wait('acme', 'apr_1', -5, never);
    await wait('acme', 'apr_1', Number.NaN, never);
  });

  test('however a wait ends, it leaves no timer and no listener behind', async () => {
    const { wait, tell, attended } = bench();
    const before = timers();
    const stays = new AbortController();
    const leaves = new AbortController();
    const waits = Array.from({ length: 200 }, (_, i) => wait('acme', `apr_${i % 10}`, i % 4 === 0 ? 5 : 60_000, i % 2 ? stays.signal : leaves.signal));
    expect(timers()).toBeGreaterThan(before);
    leaves.abort();
    for (let i = 0; i < 10; i++) tell('acme', `apr_${i}`);
    await Promise.all(waits);
    expect(timers()).toBe(before);
    expect(attended).toEqual([true, false]);
    expect(getEventListeners(stays.signal, 'abort')).toHaveLength(0);
    expect(getEventListeners(leaves.signal, 'abort')).toHaveLength(0);
  });
});
