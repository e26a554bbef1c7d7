import { Lost } from './doors.ts';
import type { Lane } from './lane.ts';
import { NotRecovered, type Scenario, type Stage } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import type { Point, Taken } from './steps.ts';
import type { Running } from './stock.ts';
import { writeWorld } from './world.ts';

/** Kills at steps: every step each scenario takes is found by letting it run once, then each is died at. */

export interface Target {
  readonly scenario: string;
  readonly point: Point;
}

export interface StepRun {
  /** All there is to die at: whole steps first, then statements. */
  readonly targets: readonly Target[];
  /** Dies at one target and lets the clients come back; false when the step was not reached. */
  die(target: Target): Promise<boolean>;
  close(): Promise<void>;
}

const applyAtStart = 'an apply at start';
const sweeping = 'a sweep';
/** Past every lease: the deadline of the upstream and the margin after it. */
export const pastLeases = 60_000;

const isRead = (step: string): boolean => /^(read|list|find|countChannels|recent|active|standingFor|sessionOf)/.test(step);
/** Taken by the broker itself, whenever it is time. */
const byTheClock: readonly string[] = ['sweep', 'readState', 'readRecords', 'subscribe', 'tenantsWithDeliveries', 'leaseDeliveries', 'settleDelivery'];

function pointsOf(taken: readonly Taken[]): Point[] {
  const steps = taken.filter(({ step, n }) => n === 1 || !isRead(step));
  // After a read is before whatever comes next: nothing lies between.
  const whole = steps.flatMap(({ step, n }): Point[] =>
    (isRead(step) ? (['before'] as const) : (['before', 'after'] as const)).map((when) => ({ step, n, statement: null, when })),
  );
  const inside = steps
    .filter(({ step, statements }) => !isRead(step) && statements > 0)
    .flatMap(({ step, n, statements }): Point[] => [
      // Before the first it is before the step.
      ...Array.from({ length: statements - 1 }, (_, index): Point => ({ step, n, statement: index + 2, when: 'before' })),
      { step, n, statement: statements, when: 'after' },
    ]);
  return [...whole, ...inside];
}

/** Of all there is to die at, only scenarios whose name holds one of the words; every one when there are none. */
export async function openStepRun(lane: Lane, words: readonly string[] = []): Promise<StepRun> {
  let broker: Running = await lane.start();
  const stage: Stage = { ...lane, url: () => broker.url };
  const targets: Target[] = [];
  const isMeant = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));
  function add(scenario: string, taken: readonly Taken[]): void {
    if (!isMeant(scenario)) return;
    const own = taken.filter(({ step }) => !byTheClock.includes(step) || (scenario === sweeping && step === 'sweep'));
    targets.push(...pointsOf(own).map((point) => ({ scenario, point })));
  }

  await lane.clients.logIn(broker.url);
  for (const { name, set } of scenarios.filter((one) => isMeant(one.name))) {
    const { act, after } = await set(stage);
    await broker.arm(null);
    await act();
    add(name, await broker.taken());
    await after();
  }
  await broker.close();
  broker = await lane.start({ documents: [await found()] });
  add(applyAtStart, await broker.taken());
  await leaveDispatched();
  await broker.close();
  broker = await lane.start({ ahead: pastLeases });
  await broker.arm(null);
  await broker.sweep();
  add(sweeping, await broker.taken());
  await broker.close();
  broker = await lane.start();
  targets.sort((a, b) => Number(a.point.statement !== null) - Number(b.point.statement !== null));

  /** A generation for the operator's document and all tenants, in files. */
  async function found(): Promise<string> {
    const generation = lane.newGeneration();
    lane.journal.note({ what: 'applying', generation });
    const documents = await writeWorld(lane.dir, lane.world, generation);
    lane.journal.note({ what: 'apply lost', generation });
    return documents;
  }

  /** One dispatch that nobody settles. */
  async function leaveDispatched(): Promise<void> {
    const [write] = scenarios.filter(({ name }) => name === 'a write');
    if (write) await dieIn(write, { step: 'upstream.call', n: 1, statement: null, when: 'after' });
  }

  async function dieIn(scenario: Scenario, point: Point): Promise<boolean> {
    const { act, after } = await scenario.set(stage);
    const victim = broker;
    await victim.arm(point);
    await act().catch((error: unknown) => {
      if (!(error instanceof Lost)) throw error;
    });
    // It died before it could answer, or a moment after; or the step never came, and it still listens.
    const died = (await Promise.race([victim.ended, victim.arm(null).then(() => null)])) === 'SIGKILL';
    if (died) {
      lane.journal.note({ what: 'killed', scenario: scenario.name, point, pid: victim.pid });
      broker = await lane.start();
    }
    await after();
    return died;
  }

  async function dieAtStart(point: Point): Promise<boolean> {
    await broker.close();
    const generation = lane.newGeneration();
    const documents = [await writeWorld(lane.dir, lane.world, generation)];
    lane.journal.note({ what: 'applying', generation });
    const died = await lane.startToDie({ documents, point });
    lane.journal.note({ what: 'killed', scenario: applyAtStart, point, pid: 0 });
    broker = await lane.start({ documents });
    lane.journal.note({ what: 'applied', generation });
    return died;
  }

  async function dieSweeping(point: Point): Promise<boolean> {
    await leaveDispatched();
    await broker.close();
    const victim = await lane.start({ ahead: pastLeases });
    await victim.arm(point);
    await victim.sweep();
    const died = (await Promise.race([victim.ended, victim.arm(null).then(() => null)])) === 'SIGKILL';
    if (died) lane.journal.note({ what: 'killed', scenario: sweeping, point, pid: victim.pid });
    else await victim.close();
    broker = await lane.start();
    return died;
  }

  return {
    targets,
    async die({ scenario, point }) {
      if (scenario === applyAtStart) return dieAtStart(point);
      if (scenario === sweeping) return dieSweeping(point);
      const found = scenarios.find(({ name }) => name === scenario);
      if (!found) throw new NotRecovered(`there is no scenario ${scenario}`);
      return dieIn(found, point);
    },
    close: () => broker.close(),
  };
}
