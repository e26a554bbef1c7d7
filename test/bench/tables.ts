import { type Goal, goalsOf } from './goals.ts';
import { type Report, ratiosOf, rowOf } from './report.ts';
import { longestAbort } from './scenes/replicas.ts';
import { callers } from './scenes/rows.ts';

/** A table before it is drawn: words in the first column, figures in the rest. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

export function rowTable({ rows }: Report): Table {
  const many = `${callers}`;
  return {
    head: ['latency in ms', 'p50 at 1', 'p95', 'p99', `p50 at ${many}`, 'p95', 'p99', 'calls/s', 'CPU µs', 'RSS MiB'],
    rows: rows.map(({ name, alone, together, soak }) => [
      name,
      ...[alone.p50, alone.p95, alone.p99, together.p50, together.p95, together.p99].map((us) => figure(us / 1000)),
      figure(together.rate),
      figure(soak?.cpu),
      soak?.rss ? `${figure(soak.rss.before)} → ${figure(soak.rss.after)}` : '–',
    ]),
  };
}

/** Every row against the proxy, within each round. */
export function ratioTable(report: Report): Table | null {
  const floor = rowOf(report, 'proxy');
  if (!floor) return null;
  const floorCpu = floor.soak?.cpu;
  return {
    head: ['of the proxy', 'p50 at 1', `p99 at ${callers}`, 'calls/s', 'CPU'],
    rows: report.rows.map((row) => {
      const { p50_c1, p99_c32, throughput } = ratiosOf(row, floor);
      const cpu = row.soak?.cpu && floorCpu ? row.soak.cpu / floorCpu : null;
      return [row.name, ...[p50_c1, p99_c32, throughput, cpu].map((ratio) => (ratio === null ? '–' : `${figure(ratio)}×`))];
    }),
  };
}

export function sceneTable({ start_ms, lists, decisions, approval, replicas, abort }: Report): Table {
  const ms = (value: number): string => `${figure(value)} ms`;
  const within = (value: number): string => (value >= longestAbort ? `not within ${ms(value)}` : ms(value));
  return {
    head: ['', 'p50', 'p99'],
    rows: [
      ...(lists ?? []).flatMap(({ tools, first, p50, p99 }) => [
        [`the first tools/list of ${tools.toLocaleString('en')} tools after a start`, ms(first / 1000), ''],
        [`tools/list of ${tools.toLocaleString('en')} tools`, ms(p50 / 1000), ms(p99 / 1000)],
      ]),
      ...(decisions ?? []).map(({ policies, p50, p99 }) => [
        `decision by ${policies.toLocaleString('en')} policies, in process`,
        ms(p50 / 1000),
        ms(p99 / 1000),
      ]),
      ...(approval ? [['human decision to waiting client (p50, p95)', ms(approval.p50), ms(approval.p95)]] : []),
      ...(abort ? [['session ended at one replica to answer at the other (median, worst)', within(abort.median), within(abort.worst)]] : []),
      ...(start_ms === null ? [] : [['start to first tools/list (median of 3)', ms(start_ms), '']]),
      ...(replicas ? [['calls/s with 1 replica, with 2', figure(replicas.one), `${figure(replicas.two)} (${figure(replicas.ratio)}×)`]] : []),
    ],
  };
}

const verdict = ({ met, value }: Goal): string => (met === null ? (value === null ? 'not measured' : 'only reported') : met ? 'met' : 'not met');

export function goalTable(report: Report): Table {
  return { head: ['goal', 'target', 'measured', ''], rows: goalsOf(report).map((goal) => [goal.name, goal.target, figure(goal.value), verdict(goal)]) };
}

export function describeConditions({ conditions, rows, skipped, failed }: Report): string[] {
  const { date, cores, processor, node, load_before, load_after, seconds, quick } = conditions;
  const client = rows.find(({ name }) => name === 'direct')?.together.clientCpu;
  return [
    `${date}, ${cores} cores (${processor}), Node ${node}, load ${figure(load_before)} before and ${figure(load_after)} after, ${Math.round(seconds)} s${quick ? ', a quick run' : ''}.`,
    ...(client === undefined ? [] : [`The client costs ${figure(client)} µs of CPU a call, in every row alike.`]),
    ...skipped.map((one) => `Skipped: ${one}.`),
    ...failed.map((one) => `Failed: ${one}`),
  ];
}

export function drawText({ head, rows }: Table): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

export function drawMarkdown({ head, rows }: Table): string {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
