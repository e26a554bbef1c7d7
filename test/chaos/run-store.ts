import { type Evidence, readEvidence } from './evidence.ts';
import { checkAll, type Violation } from './invariants.ts';
import { type Lane, openLane } from './lane.ts';
import { type Open, runRandom, seeded } from './random-run.ts';
import { NotRecovered } from './scenario.ts';
import { openStepRun, pastLeases, type StepRun, type Target } from './step-run.ts';

/** Everything that is done to one store. */

export interface Asked {
  readonly store: 'sqlite' | 'postgres';
  readonly dir: string;
  readonly address: string;
  readonly kills: number;
  readonly seed: number;
  /** Kills at a step only in scenarios whose name holds one of these; in all when there are none. */
  readonly only: readonly string[];
  /** Epoch milliseconds; no kill begins after it. */
  readonly until: number;
  onKill(): void;
}
export interface StoreResult {
  readonly store: Asked['store'];
  readonly address: string;
  readonly dir: string;
  readonly killsAtSteps: number;
  readonly killsAtRandom: number;
  /** How many steps there were to die at, and how many were died at; statements likewise. */
  readonly steps: Coverage;
  readonly statements: Coverage;
  readonly missed: readonly Target[];
  readonly violations: readonly Violation[];
  readonly figures: Figures;
  readonly scenarios: readonly { readonly name: string; readonly steps: readonly string[]; readonly kills: number }[];
  readonly seconds: number;
}
export interface Coverage {
  readonly all: number;
  readonly done: number;
}
export interface Figures {
  readonly effects: number;
  readonly results: number;
  readonly lost: number;
  readonly startsRefused: number;
  readonly approvals: number;
  readonly unknown: number;
  readonly records: number;
}

/** Of the kills, at least this share at random moments; the rest at steps, and what the steps leave over at random too. */
const randomShare = 0.3;
const spares = 2;

export async function runStore(asked: Asked): Promise<StoreResult> {
  const began = performance.now();
  const { store, dir, address, kills, seed, only, until } = asked;
  const random = seeded(seed);
  const lane = await openLane(dir, address, spares);
  const violations: Violation[] = [];
  const missed: Target[] = [];
  const done: Target[] = [];
  let targets: readonly Target[] = [];
  let open: Open[] = [];
  try {
    const steps = await openStepRun(lane, only);
    targets = steps.targets;
    await dieAtAll(steps, choose(targets, Math.floor(kills * (1 - randomShare)), random));
    await steps.close();
    open = await runRandom(lane, { kills: Math.max(0, kills - done.length), until, random, onKill: asked.onKill });
    await settle(lane, open);
  } catch (error) {
    // Whatever it is, it is not what a client of a broker that recovers would see.
    const why = error instanceof NotRecovered ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    violations.push({ invariant: 'recovers', evidence: `${why}; last: ${JSON.stringify(lane.journal.entries.slice(-5))}` });
  } finally {
    await lane.close();
  }
  const evidence = await readEvidence(address, lane.journal.entries, lane.effectsFile);
  violations.push(...(await checkAll(evidence)));
  const coverage = (inside: boolean): Coverage => ({ all: ofKind(targets, inside).length, done: ofKind(done, inside).length });
  return {
    store,
    address,
    dir,
    killsAtSteps: done.length,
    killsAtRandom: evidence.journal.filter((entry) => entry.what === 'killed' && entry.scenario === 'at random').length,
    steps: coverage(false),
    statements: coverage(true),
    missed,
    violations,
    figures: figuresOf(evidence),
    scenarios: scenariosOf(targets, done),
    seconds: Math.round((performance.now() - began) / 1000),
  };

  async function dieAtAll(steps: StepRun, chosen: readonly Target[]): Promise<void> {
    // Time that runs short is shared like the kills.
    const stepsUntil = until - (until - Date.now()) * randomShare;
    for (const target of chosen) {
      if (Date.now() > stepsUntil) return;
      if (await steps.die(target)) {
        done.push(target);
        asked.onKill();
      } else missed.push(target);
    }
  }
}

const ofKind = (targets: readonly Target[], inside: boolean): Target[] => targets.filter(({ point }) => (point.statement !== null) === inside);

/** As many as there may be: whole steps before statements, and of what does not fit another part with each seed. */
function choose(targets: readonly Target[], most: number, random: () => number): Target[] {
  const some = (all: readonly Target[], count: number): Target[] =>
    all
      .map((target) => ({ target, at: random() }))
      .sort((a, b) => a.at - b.at)
      .slice(0, Math.max(0, count))
      .map(({ target }) => target);
  const whole = some(ofKind(targets, false), most);
  return [...whole, ...some(ofKind(targets, true), most - whole.length)];
}

/** Lets every lease run out, sweeps, and tries once more what has had no last word: nothing of it may run again by itself. */
export async function settle(lane: Lane, open: readonly Open[]): Promise<void> {
  const before = await lane.start();
  // A token lives for minutes and a run may last longer; whose session is over keeps the old one.
  const renewed = await Promise.all(
    open.map(async ({ session, call }) => ({ call, session: await lane.clients.renew(before.url, session).catch(() => session) })),
  );
  await before.close();
  const broker = await lane.start({ ahead: pastLeases });
  await broker.sweep();
  for (const { session, call } of renewed) {
    const ended = await lane.clients.call(broker.url, session, 'pay', call);
    const said = ended.kind === 'refused' ? ended.code : ended.kind;
    if (said === 'approval.running') throw new NotRecovered(`${call} is said to be running after every lease ran out`);
  }
  await broker.sweep();
  await broker.close();
  lane.journal.note({ what: 'settled' });
}

function figuresOf({ journal, effects, approvals, dispatches, logs }: Evidence): Figures {
  const count = (what: string): number => journal.filter((entry) => entry.what === what).length;
  return {
    effects: effects.length,
    results: count('result'),
    lost: count('lost'),
    startsRefused: count('start refused'),
    approvals: approvals.length,
    unknown: dispatches.filter(({ status }) => status === 'unknown').length,
    records: [...logs.values()].reduce((sum, log) => sum + log.length, 0),
  };
}

function scenariosOf(targets: readonly Target[], done: readonly Target[]): StoreResult['scenarios'] {
  const names = [...new Set(targets.map(({ scenario }) => scenario))];
  return names.map((name) => {
    const steps = new Set(targets.filter(({ scenario, point }) => scenario === name && point.statement === null).map(({ point }) => point.step));
    return { name, steps: [...steps], kills: done.filter(({ scenario }) => scenario === name).length };
  });
}
