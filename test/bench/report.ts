import type { RowName } from './options.ts';
import type { ListFigures } from './scenes/lists.ts';
import type { AbortFigures, ReplicaFigures } from './scenes/replicas.ts';
import type { Round, RowFigures } from './scenes/rows.ts';
import { median } from './statistics.ts';

/** All that one run found; null is what was left out or skipped. */
export interface Findings {
  readonly rows: readonly RowFigures[];
  readonly start_ms: number | null;
  readonly lists: readonly ListFigures[] | null;
  /** Microseconds of one decision, by how many policies concern the tool. */
  readonly decisions: readonly { readonly policies: number; readonly p50: number; readonly p99: number }[] | null;
  /** Milliseconds. */
  readonly approval: { readonly p50: number; readonly p95: number } | null;
  readonly replicas: ReplicaFigures | null;
  readonly abort: AbortFigures | null;
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
  /** Scenes that broke; the run is no good for publishing. */
  readonly failed: readonly string[];
}

export interface Conditions {
  readonly date: string;
  readonly cores: number;
  readonly processor: string;
  readonly node: string;
  readonly load_before: number;
  readonly load_after: number;
  readonly seconds: number;
  readonly quick: boolean;
}

/** A row against the proxy: latencies × its own (lower is better), calls a second × its own (higher is better). */
export interface Ratios {
  readonly p50_c1: number;
  readonly p99_c32: number;
  readonly throughput: number;
}

export interface Report extends Findings {
  readonly conditions: Conditions;
  /** Of `taskgate-sqlite`, as are the three figures below. */
  readonly ratios: Ratios | null;
  readonly cpu_us: number | null;
  readonly rss_mib: number | null;
}

export const rowOf = ({ rows }: Findings, name: RowName): RowFigures | null => rows.find((row) => row.name === name) ?? null;

/** The median of the ratios within each round: what slows a whole round cancels out. */
export function ratiosOf(row: RowFigures, floor: RowFigures): Ratios {
  const of = (pick: (round: Round) => number): number =>
    median(
      row.rounds.map((round, index) => {
        const beside = floor.rounds[index];
        if (!beside) throw new RangeError(`${row.name} has a round that ${floor.name} has not`);
        return pick(round) / pick(beside);
      }),
    );
  return { p50_c1: of(({ alone }) => alone.p50), p99_c32: of(({ together }) => together.p99), throughput: of(({ together }) => together.rate) };
}

export function reportOf(findings: Findings, conditions: Conditions): Report {
  const [own, floor] = [rowOf(findings, 'taskgate-sqlite'), rowOf(findings, 'proxy')];
  return {
    ...findings,
    conditions,
    ratios: own && floor ? ratiosOf(own, floor) : null,
    cpu_us: own?.soak?.cpu ?? null,
    rss_mib: own?.soak?.rss?.after ?? null,
  };
}
