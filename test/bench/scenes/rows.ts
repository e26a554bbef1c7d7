import type { Client } from '../children.ts';
import type { Options, RowName } from '../options.ts';
import { cpuOf, residentOf } from '../proc.ts';
import { median } from '../statistics.ts';
import type { Target } from '../targets.ts';
import type { Measured } from '../wire.ts';

export interface Round {
  readonly alone: Measured;
  readonly together: Measured;
}

/** What one row of the table says. */
export interface RowFigures extends Round {
  readonly name: RowName;
  /** Each round by itself, for ratios within it; `alone` and `together` are their medians. */
  readonly rounds: readonly Round[];
  /** Null for a row without one. */
  readonly soak: Soak | null;
}

export interface Soak {
  readonly calls: number;
  /** Calls a second. */
  readonly rate: number;
  /** Of the row's own process tree, microseconds a call. */
  readonly cpu: number | null;
  /** Resident memory in MiB, before the first call of the run and after the soak. */
  readonly rss: { readonly before: number; readonly after: number } | null;
}

export const callers = 32;

/** Rounds in which every row has its turn, in reverse order every second time; then one long soak of each. */
export async function measureRows(targets: readonly Target[], client: Client, options: Options, say: (line: string) => void): Promise<RowFigures[]> {
  const before = new Map(targets.map(({ name, pid }) => [name, pid === null ? 0 : residentOf(pid)]));
  for (const { name, job } of targets) {
    say(`warming ${name}`);
    await client.run({ ...job, callers, calls: options.callsTogether });
    await client.run({ ...job, callers: 1, calls: options.callsAlone });
  }
  const rounds = new Map<RowName, Round[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; targets.length > 0 && round < options.rounds; round++) {
    say(`round ${round + 1} of ${options.rounds}`);
    for (const { name, job } of round % 2 === 0 ? targets : targets.toReversed()) {
      const alone = await client.run({ ...job, callers: 1, calls: options.callsAlone });
      rounds.get(name)?.push({ alone, together: await client.run({ ...job, callers, calls: options.callsTogether }) });
    }
  }
  const figures: RowFigures[] = [];
  for (const target of targets) {
    const own = rounds.get(target.name) ?? [];
    if (target.soaks) say(`${options.soak} calls to ${target.name}`);
    const soak = target.soaks ? await soakOf(target, client, options.soak, before.get(target.name) ?? 0) : null;
    figures.push({ name: target.name, alone: middle(own.map(({ alone }) => alone)), together: middle(own.map(({ together }) => together)), rounds: own, soak });
  }
  return figures;
}

async function soakOf({ job, pid }: Target, client: Client, calls: number, before: number): Promise<Soak> {
  const cpu = pid === null ? 0 : cpuOf(pid);
  const { rate } = await client.run({ ...job, callers, calls });
  if (pid === null) return { calls, rate, cpu: null, rss: null };
  return { calls, rate, cpu: (cpuOf(pid) - cpu) / calls, rss: { before, after: residentOf(pid) } };
}

function middle(all: readonly Measured[]): Measured {
  const of = (key: keyof Measured): number => median(all.map((one) => one[key]));
  return { p50: of('p50'), p95: of('p95'), p99: of('p99'), rate: of('rate'), clientCpu: of('clientCpu') };
}
