import type { Client } from './children.ts';
import type { Options } from './options.ts';
import { cpuOf, residentOf } from './proc.ts';
import type { Row } from './rows.ts';
import { median } from './statistics.ts';
import type { Measured } from './wire.ts';

export interface RowFigures {
  readonly name: string;
  /** Latencies in microseconds, the median of all rounds. */
  readonly alone: Measured;
  readonly together: Measured;
  /** Each round by itself, for ratios within it. */
  readonly rounds: readonly { readonly alone: Measured; readonly together: Measured }[];
  readonly soak: {
    readonly calls: number;
    readonly rate: number;
    /** CPU of the process tree in between, microseconds a call; null for the direct row. */
    readonly cpu: number | null;
    /** MiB before the first call of the run, and after the soak. */
    readonly before: number | null;
    readonly after: number | null;
  };
}

const callers = 32;

/** Rounds in which every row has its turn, in reverse order every second time, and then one long soak of each. */
export async function measureRows(rows: readonly Row[], client: Client, options: Options, say: (line: string) => void): Promise<RowFigures[]> {
  const before = new Map(rows.map((row) => [row.name, memoryOf(row)]));
  for (const { name, job } of rows) {
    say(`warming ${name}`);
    await client.run({ ...job, callers, calls: options.callsTogether });
    await client.run({ ...job, callers: 1, calls: options.callsAlone / 2 });
  }
  const rounds = new Map<string, { alone: Measured; together: Measured }[]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    say(`round ${round + 1} of ${options.rounds}`);
    for (const { name, job } of round % 2 === 0 ? rows : rows.toReversed()) {
      const alone = await client.run({ ...job, callers: 1, calls: options.callsAlone });
      rounds.get(name)?.push({ alone, together: await client.run({ ...job, callers, calls: options.callsTogether }) });
    }
  }
  const figures: RowFigures[] = [];
  for (const row of rows) {
    say(`${options.soak} calls to ${row.name}`);
    const own = rounds.get(row.name) ?? [];
    const pid = row.pid();
    const cpu = pid === null ? null : cpuOf(pid);
    const soak = await client.run({ ...row.job, callers, calls: options.soak });
    figures.push({
      name: row.name,
      alone: middle(own.map(({ alone }) => alone)),
      together: middle(own.map(({ together }) => together)),
      rounds: own,
      soak: {
        calls: options.soak,
        rate: soak.rate,
        cpu: pid === null || cpu === null ? null : (cpuOf(pid) - cpu) / options.soak,
        before: before.get(row.name) ?? null,
        after: memoryOf(row),
      },
    });
  }
  return figures;
}

function memoryOf(row: Row): number | null {
  const pid = row.pid();
  return pid === null ? null : residentOf(pid);
}

function middle(all: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number): number => median(all.map(pick));
  return {
    p50: of(({ p50 }) => p50),
    p95: of(({ p95 }) => p95),
    p99: of(({ p99 }) => p99),
    rate: of(({ rate }) => rate),
    clientCpu: of(({ clientCpu }) => clientCpu),
  };
}
