import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import process from 'node:process';
import { killAll } from './children.ts';
import { withTables } from './document.ts';
import { goalsOf } from './goals.ts';
import { help, type Options, readOptions } from './options.ts';
import { drawPlot } from './plot.ts';
import { type Report, reportOf } from './report.ts';
import { runBench } from './run.ts';
import { describeConditions, drawText, goalTable, ratioTable, rowTable, sceneTable } from './tables.ts';

/** `npm run bench`. What is measured goes to standard output, progress to standard error. */

const longestRunMs = 20 * 60_000;

async function main(options: Options): Promise<number> {
  const began = performance.now();
  const loadBefore = loadavg()[0] ?? 0;
  const findings = await runBench(options, (line) => process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${line}\n`));
  const report = reportOf(findings, {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    node: process.versions.node,
    load_before: loadBefore,
    load_after: loadavg()[0] ?? 0,
    seconds: (performance.now() - began) / 1000,
    quick: options.quick,
  });
  process.stdout.write(`${textOf(report, options.goals)}\n`);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (report.failed.length > 0) return 1;
  const plot = drawPlot(report);
  if (options.plot !== null) {
    if (plot === null) throw new Error('--plot needs the row proxy, which everything is compared with');
    await writeFile(options.plot, plot);
  }
  if (options.doc !== null) await writeFile(options.doc, withTables(await readFile(options.doc, 'utf8'), report));
  return options.goals && goalsOf(report).some(({ met }) => met === false) ? 1 : 0;
}

function textOf(report: Report, goals: boolean): string {
  const tables = [rowTable(report), ratioTable(report), sceneTable(report), goals ? goalTable(report) : null];
  return [...tables.flatMap((table) => (table === null || table.rows.length === 0 ? [] : [drawText(table)])), describeConditions(report).join('\n')].join(
    '\n\n',
  );
}

/** Whatever waits for a process that is killed is told, so that the run cleans up behind itself. */
function stop(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
  killAll();
}

let options: Options | 'help';
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n  npm run bench -- --help\n`);
  process.exit(2);
}
if (options === 'help') {
  process.stdout.write(help);
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(`stopped by ${signal}`));
  setTimeout(() => stop(`stopped: a run takes at most ${longestRunMs / 60_000} minutes`), longestRunMs).unref();
  try {
    process.exitCode = await main(options);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    process.exitCode = 1;
  } finally {
    killAll();
  }
}
