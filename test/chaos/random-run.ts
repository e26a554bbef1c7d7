import { setTimeout as pause } from 'node:timers/promises';
import type { Ended, Session } from './clients.ts';
import { Lost } from './doors.ts';
import { loadOnGiven, type Reach } from './given-load.ts';
import type { Lane } from './lane.ts';
import { NotRecovered } from './scenario.ts';
import type { Running } from './stock.ts';
import { filesOfAcme } from './world.ts';

/** Kills at random moments, from outside, of two brokers on one store under a mixed load; clients move to the one that is left. */

export type Random = () => number;

/** Mulberry32: small, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A call that was approved and whose client has no last word on it. */
export interface Open {
  readonly session: Session;
  readonly call: string;
}

const clientsAtOnce = 5;
const longestDelayMs = 250;
/** Of the kills, those that leave no broker alive. */
const bothShare = 0.25;

export interface RandomKills {
  readonly kills: number;
  /** Epoch milliseconds; no kill begins after it. */
  readonly until: number;
  readonly random: Random;
  onKill(): void;
}

/** Kills `kills` times; answers the calls whose end is still to be heard. */
export async function runRandom(lane: Lane, { kills, until, random, onKill }: RandomKills): Promise<Open[]> {
  const brokers: (Running | null)[] = [await lane.start(), await lane.start()];
  let changed = Promise.withResolvers<void>();
  let stopping = false;
  const open: Open[] = [];
  const given = loadOnGiven(lane);

  /** One of the brokers that are there; waits while there is none. */
  async function anyUrl(roll: Random): Promise<string> {
    while (!stopping || brokers.some((one) => one !== null)) {
      const alive = brokers.filter((one) => one !== null);
      const one = alive[Math.floor(roll() * alive.length)];
      if (one) return one.url;
      await changed.promise;
    }
    throw new NotRecovered('no broker is left');
  }
  /** Until a broker answers: what is asked this way may be asked twice. */
  async function insist<T>(roll: Random, work: (url: string) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < 40; attempt++) {
      try {
        return await work(await anyUrl(roll));
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        await pause(20);
      }
    }
    throw new NotRecovered('nobody answered 40 times in a row');
  }
  const once = <T>(roll: Random, work: (url: string) => Promise<T>): Promise<T | null> =>
    anyUrl(roll)
      .then(work)
      .catch((error: unknown) => {
        if (error instanceof Lost) return null;
        throw error;
      });

  async function replace(index: number): Promise<void> {
    brokers[index] = await lane.start();
    changed.resolve();
    changed = Promise.withResolvers();
  }
  async function kill(index: number): Promise<void> {
    const victim = brokers[index];
    if (!victim) return;
    victim.kill();
    brokers[index] = null;
    lane.journal.note({ what: 'killed', scenario: 'at random', point: null, pid: victim.pid });
    await victim.ended;
    onKill();
  }
  async function killAll(): Promise<void> {
    for (let done = 0; done < kills && Date.now() < until && !stopping; ) {
      await pause(5 + random() * longestDelayMs);
      const first = Math.floor(random() * 2);
      const both = random() < bothShare && done + 2 <= kills;
      await Promise.all([kill(first), ...(both ? [kill(1 - first)] : [])]);
      await Promise.all([replace(first), ...(both ? [replace(1 - first)] : [])]);
      done += both ? 2 : 1;
    }
    stopping = true;
  }

  async function live(roll: Random): Promise<void> {
    const reach: Reach = { insist: (work) => insist(roll, work), once: (work) => once(roll, work) };
    while (!stopping) {
      const session = await insist(roll, (url) => lane.clients.open(url, roll() < 0.2 ? 'daily' : 'work'));
      const tasks = 3 + Math.floor(roll() * 8);
      for (let task = 0; task < tasks && !stopping; task++) {
        const dice = roll();
        const wait = Math.floor(roll() * 15);
        if (dice < 0.3) await once(roll, (url) => lane.clients.call(url, session, 'look', lane.newCall(), wait));
        else if (dice < 0.55) await once(roll, (url) => lane.clients.call(url, session, 'note', lane.newCall(), wait));
        else if (dice < 0.86) await payWithApproval(roll, session);
        else if (dice < 0.89) await given.widen(reach, roll);
        else if (dice < 0.93) await given.payUnderGlass(reach, roll);
        else if (dice < 0.96) await given.payOnStanding(reach);
        else {
          const generation = lane.newGeneration();
          await once(roll, (url) => lane.clients.apply(url, generation, filesOfAcme(lane.world, generation)));
        }
      }
      if (roll() < 0.8) {
        await insist(roll, (url) => lane.clients.end(url, session));
        const after = await insist(roll, (url) => lane.clients.call(url, session, 'look', lane.newCall()));
        if (after.kind !== 'turned away') throw new NotRecovered(`a call in a session that was ended came to ${after.kind}`);
      }
    }
  }

  /** The same call from several clients at once, to whichever broker; votes from both reviewers; and the call again until its end is heard. */
  async function payWithApproval(roll: Random, session: Session): Promise<void> {
    const call = lane.newCall();
    const wait = Math.floor(roll() * 15);
    const many = 1 + Math.floor(roll() * 3);
    const fire = (): Promise<(Ended | null)[]> =>
      Promise.all(Array.from({ length: many }, () => once(roll, (url) => lane.clients.call(url, session, 'pay', call, wait))));
    await fire();
    const ended = await insist(roll, (url) => lane.clients.call(url, session, 'pay', call, wait));
    if (ended.kind !== 'refused' || ended.code !== 'approval.required' || ended.approval === null) return;
    const { approval } = ended;
    const dice = roll();
    if (dice < 0.1) return;
    const decision = dice < 0.2 ? 'deny' : 'approve';
    const statuses = await Promise.all((['bob', 'carl'] as const).map((person) => insist(roll, (url) => lane.clients.vote(url, person, approval, decision))));
    if (decision === 'deny' || statuses.some((status) => status !== 200)) return;
    if (dice > 0.93) await insist(roll, (url) => lane.clients.revoke(url, approval));
    await fire();
    const last = await insist(roll, (url) => lane.clients.call(url, session, 'pay', call, wait));
    if (last.kind !== 'result') open.push({ session, call });
  }

  /** The first thing that goes wrong ends it for all. */
  const orStop = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      stopping = true;
      changed.resolve();
      throw error;
    });
  const all = [killAll(), ...Array.from({ length: clientsAtOnce }, () => live(seeded(Math.floor(random() * 2 ** 32))))].map(orStop);
  const broken = (await Promise.allSettled(all)).find((one) => one.status === 'rejected');
  await Promise.all(brokers.map((one) => one?.close()));
  if (broken) throw broken.reason;
  return open;
}
