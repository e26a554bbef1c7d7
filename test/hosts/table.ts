import { type Cell, cells, generations, hosts, type Rung, ways } from './cells.ts';

/** The table of docs/hosts.md, as the cells say. */

export const begins = '<!-- made from test/hosts/cells.ts -->';
export const ends = '<!-- up to here -->';

const words: Readonly<Record<Rung, string>> = { task: 'a task', rounds: 'rounds', hold: 'a hold', handle: 'a handle' };

function wordOf({ special, way, rung }: Cell): string {
  if (special && 'empty' in special) return special.empty === 'not shown' ? '–' : `– (${special.empty})`;
  // Over stdio `connect` waits for the host; a test of another kind shows that it gets in.
  return way === 'connect' || special ? 'yes' : `yes, by ${words[rung]}`;
}

export function hostsTable(versions: Readonly<Record<string, string>>): string {
  const rows = hosts.flatMap(({ name, package: source, speaks }) =>
    generations
      .filter((generation) => generation in speaks)
      .map((generation) => {
        const found = ways.map((way) => cells.find((cell) => cell.host === name && cell.generation === generation && cell.way === way));
        return `| ${name} (\`${source}\` ${versions[source]}) | ${generation} | ${found.map((cell) => (cell ? wordOf(cell) : '–')).join(' | ')} |`;
      }),
  );
  return [`| host | speaks | ${ways.join(' | ')} |`, `|---|---|${ways.map(() => '---|').join('')}`, ...rows].join('\n');
}
