import { readFile, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, platform } from 'node:os';
import { invariants } from './invariants.ts';
import type { StoreResult } from './run-store.ts';

const begin = '<!-- chaos: begin -->';
const end = '<!-- chaos: end -->';

/** The run as Markdown, for the terminal and for the documentation alike. */
export function describeRun(results: readonly StoreResult[], { seed, seconds }: { seed: number; seconds: number }): string {
  const kills = results.reduce((sum, { killsAtSteps, killsAtRandom }) => sum + killsAtSteps + killsAtRandom, 0);
  const head = ['', ...results.map(({ store }) => (store === 'sqlite' ? 'SQLite' : 'PostgreSQL'))];
  const line = (name: string, of: (result: StoreResult) => string | number): string => `| ${[name, ...results.map(of)].join(' | ')} |`;
  const table = [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---|').join('')}`,
    line('kills at a step', ({ killsAtSteps }) => killsAtSteps),
    line('steps died at, before and after, of all there are', ({ steps }) => `${steps.done} of ${steps.all}`),
    line('statements inside a step died at, of all there are', ({ statements }) => `${statements.done} of ${statements.all}`),
    line('points tried and not reached that time', ({ missed }) => missed.length),
    line('kills at a random moment', ({ killsAtRandom }) => killsAtRandom),
    line('effects at the upstream', ({ figures }) => figures.effects),
    line('results released; calls left without an answer', ({ figures }) => `${figures.results}; ${figures.lost}`),
    line('starts refused because store or upstream were slow, and repeated', ({ figures }) => figures.startsRefused),
    line('approvals', ({ figures }) => figures.approvals),
    line('dispatches that became `unknown`', ({ figures }) => figures.unknown),
    line('records in the chains', ({ figures }) => figures.records),
    ...invariants.map(({ name, promises }) => line(promises, ({ violations }) => held(violations.filter(({ invariant }) => invariant === name).length))),
    line('every broker started again and every client got its answer', ({ violations }) =>
      held(violations.filter(({ invariant }) => invariant === 'recovers').length),
    ),
  ];
  const conditions = `${kills} kills in ${seconds} s, seed ${seed}, Node ${process.versions.node}, ${platform()} ${arch()}, ${availableParallelism()} cores.`;
  return [conditions, '', ...table, '', ...describeSteps(results)].join('\n');
}

const held = (broken: number): string => (broken === 0 ? 'held' : `**broken ${broken} times**`);

function describeSteps(results: readonly StoreResult[]): string[] {
  const names = [...new Set(results.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))];
  const rows = names.map((name) => {
    const all = results.map(({ scenarios }) => scenarios.find((one) => one.name === name));
    const steps = [...new Set(all.flatMap((one) => one?.steps ?? []))];
    return `| ${name} | ${steps.map((step) => `\`${step}\``).join(', ')} | ${all.map((one) => one?.kills ?? 0).join(' | ')} |`;
  });
  return [
    `| while | steps killed at, before and after | ${results.map(({ store }) => store).join(' | ')} |`,
    `|---|---|${results.map(() => '---|').join('')}`,
    ...rows,
  ];
}

/** Puts `text` between the markers of the page. */
export async function rewriteSection(file: string, text: string): Promise<void> {
  const page = await readFile(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no section between ${begin} and ${end}`);
  await writeFile(file, `${page.slice(0, from)}${begin}\n${text}\n${page.slice(to)}`);
}
