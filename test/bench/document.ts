import type { Report } from './report.ts';
import { describeConditions, drawMarkdown, goalTable, ratioTable, rowTable, sceneTable } from './tables.ts';

const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];

/** The page with this run's tables between its two markers; throws when it has no such place. */
export function withTables(page: string, report: Report): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page has no place for the tables: ${start} … ${end}`);
  const tables = [rowTable(report), ratioTable(report), sceneTable(report), goalTable(report)];
  const parts = [describeConditions(report).join(' '), ...tables.flatMap((table) => (table === null || table.rows.length === 0 ? [] : [drawMarkdown(table)]))];
  return `${page.slice(0, from)}${start}\n\n${parts.join('\n\n')}\n\n${page.slice(to)}`;
}
