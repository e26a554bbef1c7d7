import { parseArgs } from 'node:util';

export const rowNames = [
  'direct',
  'proxy',
  'proxy-durable',
  'taskgate-sqlite',
  'taskgate-sqlite-fresh',
  'taskgate-sqlite-write',
  'taskgate-sqlite-denied',
  'taskgate-postgres',
] as const;
export type RowName = (typeof rowNames)[number];
export const sceneNames = ['start', 'lists', 'decisions', 'approval', 'replicas', 'abort'] as const;

export interface Options {
  readonly rounds: number;
  /** Calls of one round by 1 caller and by 32. */
  readonly callsAlone: number;
  readonly callsTogether: number;
  readonly soak: number;
  /** Times the slow things are repeated: lists, human decisions, aborts. */
  readonly repeats: { readonly lists: number; readonly approvals: number; readonly aborts: number };
  readonly only: ReadonlySet<string>;
  readonly quick: boolean;
  readonly goals: boolean;
  readonly json: string | null;
  readonly plot: string | null;
  readonly doc: string | null;
}

export const help = `npm run bench -- [options]

Measures Taskgate beside a plain reverse proxy, in front of the same fast upstream, in one interleaved run on loopback,
each part in a process of its own. Trust the ratios within a run, not figures of two runs. Takes some eight minutes on
two cores. PostgreSQL is looked for at TASKGATE_TEST_POSTGRES (postgres://postgres@127.0.0.1:5432/postgres); what needs
it is skipped where there is none. Needs Linux (/proc).

  --quick       fewer calls and rounds: figures to work with, not to publish
  --only NAMES  some rows and scenes, with commas between them:
                ${rowNames.join(', ')},
                ${sceneNames.join(', ')}
  --goals       say of each goal whether it is met; exit 1 when one is not
  --json FILE   all figures, ratios to the proxy and conditions
  --plot FILE   the ratios as an SVG picture
  --doc FILE    put the tables between the markers of a Markdown page
  --help        this

Examples:
  $ npm run bench -- --quick --only direct,proxy,taskgate-sqlite
  $ npm run bench -- --goals --json bench.json
  $ npm run bench -- --plot docs/images/performance.svg --doc docs/performance.md
  $ NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/prof' npm run bench -- --quick --only taskgate-sqlite
`;

const full = { rounds: 5, callsAlone: 300, callsTogether: 1_000, soak: 20_000, repeats: { lists: 60, approvals: 40, aborts: 5 } };
const quick = { rounds: 3, callsAlone: 100, callsTogether: 400, soak: 1_500, repeats: { lists: 10, approvals: 10, aborts: 2 } };

/** Throws, with words for the terminal, on what it does not know. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      goals: { type: 'boolean', default: false },
      json: { type: 'string' },
      plot: { type: 'string' },
      doc: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const known: readonly string[] = [...rowNames, ...sceneNames];
  const only = values.only?.split(',').map((name) => name.trim()) ?? known;
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`--only does not know ${unknown.join(', ')}; it knows ${known.join(', ')}`);
  return {
    ...(values.quick ? quick : full),
    only: new Set(only),
    quick: values.quick,
    goals: values.goals,
    json: values.json ?? null,
    plot: values.plot ?? null,
    doc: values.doc ?? null,
  };
}
