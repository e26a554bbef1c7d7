import type { Report } from './report.ts';

export interface Goal {
  readonly name: string;
  readonly target: string;
  /** As measured, in the target's unit; null when it was not. */
  readonly value: number | null;
  readonly met: boolean | null;
}

const most = (name: string, limit: number, unit: string, value: number | null | undefined): Goal => ({
  name,
  target: `≤ ${limit}${unit}`,
  value: value ?? null,
  met: value === null || value === undefined ? null : value <= limit,
});
const least = (name: string, limit: number, unit: string, value: number | null | undefined): Goal => ({
  name,
  target: `≥ ${limit}${unit}`,
  value: value ?? null,
  met: value === null || value === undefined ? null : value >= limit,
});

/** Fewer cores cannot show what a second replica brings: client, upstream and database already fill them. */
const coresForReplicas = 4;

/** What Taskgate sets out to reach, the read on SQLite unless said otherwise. */
export function goalsOf(report: Report): Goal[] {
  const { ratios, lists, conditions } = report;
  const list = (tools: number): number | undefined => {
    const p99 = lists?.find((one) => one.tools === tools)?.p99;
    return p99 === undefined ? undefined : p99 / 1000;
  };
  const replicas = least('2 replicas against 1', 1.7, '×', report.replicas?.ratio);
  return [
    most('p50 by 1 caller, of the proxy', 2, '×', ratios?.p50_c1),
    most('p99 by 32 callers, of the proxy', 2, '×', ratios?.p99_c32),
    least('calls/s by 32 callers, of the proxy', 0.6, '×', ratios?.throughput),
    most('CPU a call', 250, ' µs', report.cpu_us),
    most('memory after the soak', 200, ' MiB', report.rss_mib),
    most('start to first list', 1_000, ' ms', report.start_ms),
    most('list of 100 tools, p99', 50, ' ms', list(100)),
    most('list of 1,000 tools, p99', 200, ' ms', list(1_000)),
    most('decision to waiting client, p95', 250, ' ms', report.approval?.p95),
    most('abort on the other replica, worst', 1_000, ' ms', report.abort?.worst),
    conditions.cores >= coresForReplicas ? replicas : { ...replicas, target: `${replicas.target} on ${coresForReplicas} cores or more`, met: null },
  ];
}
