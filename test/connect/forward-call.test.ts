import type { Client } from '@modelcontextprotocol/client';
import { afterEach, expect, it, vi } from 'vitest';
import { forwardCall, type HostCall } from '../../server/connect/forward-call.ts';

afterEach(() => vi.useRealTimers());

const call = (more: Partial<HostCall<'tools/call'>>): HostCall<'tools/call'> => ({
  method: 'tools/call',
  params: { name: 'mail__waits', arguments: {} },
  meta: {},
  requestState: undefined,
  era: 'legacy',
  signal: new AbortController().signal,
  onProgress: null,
  ...more,
});

it('shows a host that asked for progress a sign of life at least every ten seconds', async () => {
  vi.useFakeTimers();
  let finish = (_result: object): void => undefined;
  const client = {
    request: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  } as unknown as Client;
  const clients = { modern: async () => client, plain: async () => client, close: async () => undefined };
  const beats: unknown[] = [];
  const waiting = forwardCall(clients, call({ onProgress: (...beat) => beats.push(beat) }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(beats).toEqual([[null, null]]);
  await vi.advanceTimersByTimeAsync(50_000);
  expect(beats.length).toBeGreaterThanOrEqual(6);
  finish({ content: [] });
  expect(await waiting).toEqual({ content: [] });
  const counted = beats.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(beats).toHaveLength(counted);
});

it('gives up on a broker that never ends its rounds', async () => {
  let rounds = 0;
  const client = { request: async () => ({ resultType: 'input_required', requestState: String(++rounds) }) } as unknown as Client;
  const clients = { modern: async () => client, plain: async () => client, close: async () => undefined };
  await expect(forwardCall(clients, call({ onProgress: () => undefined }))).rejects.toThrow('did not end the rounds');
  expect(rounds).toBeLessThan(20);
});
