import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Bench, type Replica, requestInto } from '../broker.ts';
import type { Client } from '../children.ts';
import type { Options } from '../options.ts';
import { median } from '../statistics.ts';
import { brokerTarget } from '../targets.ts';
import { callers } from './rows.ts';

export interface ReplicaFigures {
  /** Calls a second with 32 callers. */
  readonly one: number;
  readonly two: number;
  /** The median of the ratios within each round. */
  readonly ratio: number;
}

/** Every session has callers at both replicas. */
const sessions = 8;

/** One replica against two, whose connections are dealt out in turn, on one PostgreSQL: several sessions of one tenant. */
export async function measureReplicas(bench: Bench, other: Replica, client: Client, options: Options): Promise<ReplicaFigures> {
  const targets = [];
  for (let session = 0; session < sessions; session++) targets.push(brokerTarget('taskgate-postgres', bench, await bench.open(), 'echo'));
  const job = { requests: targets.flatMap((target) => target.job.requests), expect: targets[0]?.job.expect ?? '', callers, calls: options.callsTogether };
  const run = async (ports: readonly number[]): Promise<number> => (await client.run({ ...job, ports })).rate;
  await run([other.port]);
  const rounds: { one: number; two: number }[] = [];
  for (let round = 0; round < Math.min(3, options.rounds); round++) {
    const twoFirst = round % 2 === 1 ? await run([bench.port, other.port]) : null;
    const one = await run([bench.port]);
    rounds.push({ one, two: twoFirst ?? (await run([bench.port, other.port])) });
  }
  return { one: median(rounds.map(({ one }) => one)), two: median(rounds.map(({ two }) => two)), ratio: median(rounds.map(({ one, two }) => two / one)) };
}

export interface AbortFigures {
  /** Milliseconds. */
  readonly median: number;
  readonly worst: number;
}

/** No abort is waited for longer, in milliseconds. */
export const longestAbort = 10_000;

/** From ending a session at one replica until the other answers its call that hangs in the upstream. `hanging`: it got there. */
export async function measureAbort(bench: Bench, other: Replica, hanging: () => Promise<unknown>, repeats: number): Promise<AbortFigures> {
  const times: number[] = [];
  for (let time = 0; time < repeats; time++) {
    const task = await bench.open();
    const arrived = hanging();
    const call = connect(other.port, '127.0.0.1');
    const answered = new Promise<void>((resolve, reject) => {
      call.once('data', () => resolve());
      call.once('error', reject);
      call.once('close', () => reject(new Error('the connection of a hanging call was closed unanswered')));
    });
    answered.catch(() => undefined);
    call.write(requestInto(task, 'tools/call', { name: 'bench__hang', arguments: { text: 'hangs' } }));
    await arrived;
    const began = performance.now();
    await bench.end(task);
    const gaveUp = new AbortController();
    await Promise.race([answered, wait(longestAbort - (performance.now() - began), null, { signal: gaveUp.signal })]);
    gaveUp.abort();
    times.push(Math.min(longestAbort, performance.now() - began));
    call.destroy();
  }
  return { median: median(times), worst: Math.max(...times) };
}
