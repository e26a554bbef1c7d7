import type { Pool } from 'pg';
import type { Engine, Reach } from '../engine.ts';
import { createSignals, type Listener } from '../signals.ts';
import { StoreUnavailable } from '../store.ts';
import { run, type Verb } from '../verb.ts';
import { TryAgain } from './failures.ts';
import type { Outcome } from './in-turn.ts';
import { createLanes } from './lanes.ts';
import { createLink, type Link } from './link.ts';
import type { Listening } from './listen.ts';
import { connect } from './pool.ts';
import { chainsOf, readAll, readOnce, writeAll } from './transactions.ts';

/** How long a verb waits for those of its tenant before it, in milliseconds. */
const patienceMs = 5000;
const attempts = 4;

interface Job {
  readonly reach: Reach;
  readonly verb: () => Verb<unknown>;
  readonly deadline: number;
  settle(outcome: Outcome): void;
}

/**
 * Verbs that write for one tenant share a transaction and a flush with those that came while the one before ran, each in a savepoint
 * of its own, and hold one connection between them: a tenant with much to write takes no more than that from the others.
 */
export function createPostgresEngine(pool: Pool, here: string, listen: (hear: Listener) => Listening): Engine {
  let closed = false;
  const listening = listen((signal) => signals.emit([signal]));
  const signals = createSignals(() => undefined);
  const running = new Set<Promise<unknown>>();
  const lanes = createLanes<Job>((_, jobs) => runAll(jobs));

  function track<T>(promise: Promise<T>): Promise<T> {
    running.add(promise);
    const forget = (): void => void running.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  async function runAll(jobs: readonly Job[]): Promise<void> {
    const now = performance.now();
    const late = jobs.filter(({ deadline }) => deadline <= now);
    for (const one of late) one.settle({ error: new StoreUnavailable('the store has too much to write for this tenant') });
    const inTime = jobs.filter(({ deadline }) => deadline > now);
    const [first] = inTime;
    if (!first) return;
    try {
      const verbs = inTime.map(({ verb }) => verb);
      const { outcomes, changes } = await onLink((link) => writeAll(link, first.reach, verbs));
      signals.emit(changes);
      for (const [index, one] of inTime.entries()) one.settle(outcomes[index] ?? { error: new Error('a verb without an outcome') });
    } catch (error) {
      for (const one of inTime) one.settle({ error });
    }
  }

  /** Runs work on a connection of its own, again from its start when the server took it back through no fault of the work. */
  async function onLink<T>(work: (link: Link) => Promise<T>, ending?: 'COMMIT'): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const client = await connect(pool);
      const link = createLink(client, here);
      try {
        const answer = await work(link);
        if (ending)
          track(link.finish(ending)).then(
            () => client.release(),
            () => client.release(true),
          );
        else client.release();
        return answer;
      } catch (error) {
        // After an outage nothing of a connection is trusted; closing it takes back whatever was begun.
        client.release(true);
        if (!(error instanceof TryAgain)) throw error;
        if (attempt === attempts) throw new StoreUnavailable(`the store took the transaction back ${attempts} times: ${error.message}`);
      }
    }
  }

  async function commit<T>(reach: Reach, verb: () => Verb<T>): Promise<T> {
    if (closed) throw new StoreUnavailable('the store was closed');
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const job: Job = { reach, verb, deadline: performance.now() + patienceMs, settle: resolve };
    const chains = chainsOf(reach);
    if (chains.length === 1) lanes.push(chains[0] ?? '', job);
    else void runAll([job]);
    const outcome = await track(promise);
    if ('error' in outcome) throw outcome.error;
    return outcome.answer as T;
  }

  async function once<T>(reach: Reach, verb: () => Verb<T>): Promise<T> {
    if (closed) throw new StoreUnavailable('the store was closed');
    return track(onLink((link) => readOnce(link, reach, verb)));
  }

  return {
    check: () => commit({ tenants: [] }, checkIn),
    async close() {
      closed = true;
      await listening.close();
      await Promise.allSettled(running);
      if (!pool.ending) await pool.end();
    },
    async write(reach, verb) {
      return { answer: await commit(reach, verb), durable: Promise.resolve() };
    },
    commit,
    async read(reach, verb) {
      if (closed) throw new StoreUnavailable('the store was closed');
      // What was read stands whatever becomes of the end of its transaction: nobody waits for that.
      return track(onLink((link) => readAll(link, reach, verb), 'COMMIT'));
    },
    readOnce: once,
    // What others see of a transaction is committed, and with that durable.
    peek: once,
    subscribe(listener, idle) {
      listening.start();
      return signals.subscribe(listener, idle);
    },
  };
}

/** Only a row that is written shows that the server takes it. */
function* checkIn(): Verb<void> {
  yield* run('UPDATE meta SET checked = checked + 1');
}
