import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokerCall, type CallAnswer, enterSession, isRefusal } from '../../server/call/index.ts';
import { authenticate, type Caller } from '../../server/identity/index.ts';
import type { Ports } from '../../server/ports.ts';
import { StoreUnavailable } from '../../server/store/index.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments, paymentsOf } from '../support/ledger.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ change: mayListPayments });
});
afterAll(() => broker.end());

/** The real store, but for a disk that fails when the claim's transaction is flushed. */
function failingFlush(): Ports {
  const { store } = broker.ports;
  const claim: typeof store.claim = async (request) => {
    const { answer, durable } = await store.claim(request);
    const lost = durable.then(() => Promise.reject(new StoreUnavailable('the flush failed')));
    lost.catch(() => undefined);
    return { answer, durable: lost };
  };
  return { ...broker.ports, store: { ...store, claim } };
}

async function call(ports: Ports, caller: Caller, tool: string, args: unknown): Promise<CallAnswer> {
  const io = {
    signal: new AbortController().signal,
    holdMs: 0,
    rung: 'handle' as const,
    onProgress: () => undefined,
    aside: <T>(wait: () => Promise<T>) => wait(),
  };
  const session = await enterSession(ports, caller);
  if (isRefusal(session)) throw new Error(session.message);
  return brokerCall(ports, session, { kind: 'tool', tool, arguments: args, nonce: null, resumes: null, traceparent: null }, io);
}

async function callerOf(task: { accessToken: string; session: string }): Promise<Caller> {
  const caller = await authenticate(broker.ports, { authorization: `Bearer ${task.accessToken}`, door: 'session', session: task.session });
  if (isRefusal(caller) || 'hash' in caller) throw new Error('not a caller');
  return caller;
}

describe('what is not durable has not happened', () => {
  it('an effect is not sent when its dispatch record is lost in the flush', async () => {
    const task = await broker.open({});
    const client = await modernClient(task);
    const answer = await call(failingFlush(), await callerOf(task), 'ledger__post_payment', payment(12).arguments);
    expect(answer).toMatchObject({ refused: 'unavailable' });
    expect(await paymentsOf(client)).toEqual([]);
    await client.close();
  });

  it('a read inside the tenant may have run by then, and still nothing of it is released', async () => {
    const task = await broker.open({});
    const answer = await call(failingFlush(), await callerOf(task), 'mail__search', { query: 'INV-7' });
    expect(answer).toMatchObject({ refused: 'unavailable' });
    expect(JSON.stringify(answer)).not.toContain('INV-7');
  });
});
