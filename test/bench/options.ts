import { parseArgs } from 'node:util';

/** The proxy's shape and Taskgate's, in the order of the table. */
export const rowNames = ['direct', 'proxy', 'taskgate-sqlite', 'taskgate-sqlite-write', 'taskgate-postgres', 'taskgate-postgres-write'] as const;
export type RowName = (typeof rowNames)[number];
export const sceneNames = ['start', 'denials', 'lists', 'decisions', 'approval', 'replicas', 'abort'] as const;
export type SceneName = (typeof sceneNames)[number];

export interface Options {
  readonly rounds: number;
  /** Calls of one round by 1 caller and by 32, and of the soak. */
  readonly callsAlone: number;
  readonly callsTogether: number;
  readonly soak: number;
  readonly only: ReadonlySet<string>;
  readonly quick: boolean;
  readonly goals: boolean;
  readonly json: string | null;
  readonly plot: string | null;
  readonly doc: string | null;
  /** A folder for a CPU profile of each Taskgate row. */
  readonly profile: string | null;
}

export const help = `npm run bench -- [options]

Measures Taskgate beside a plain reverse proxy, in front of the same fast upstream, all in one interleaved run on
loopback, each part in a process of its own. Compare ratios, not figures of different runs. Takes about eight minutes on
two cores; PostgreSQL is reached at TASKGATE_TEST_POSTGRES (postgres://postgres@127.0.0.1:5432/postgres), and rows that
need it are skipped where there is none.

  --quick         fewer calls: about a minute, figures to work with, not to publish
  --only NAMES    some rows and scenes, with commas: ${rowNames.join(', ')},
                  ${sceneNames.join(', ')}
  --goals         say of each goal whether it is met; exit 1 when one is not
  --json FILE     all figures, with ratios and conditions
  --plot FILE     the ratios as an SVG picture
  --doc FILE      put the tables between the markers of a Markdown page
  --profile DIR   a CPU profile of each Taskgate row by 1 caller and by 32 (its figures then mean little)
  --help          this

Examples:
  $ npm run bench -- --quick --only direct,proxy,taskgate-sqlite
  $ npm run bench -- --goals --json bench.json --plot docs/images/performance.svg --doc docs/performance.md
`;

/** Throws with words for the terminal on what it does not know. */
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
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const known: readonly string[] = [...rowNames, ...sceneNames];
  const only = values.only?.split(',').map((name) => name.trim()) ?? known;
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`--only does not know ${unknown.join(', ')}; it knows ${known.join(', ')}`);
  return {
    ...(values.quick ? { rounds: 3, callsAlone: 200, callsTogether: 600, soak: 2_000 } : { rounds: 5, callsAlone: 300, callsTogether: 1_500, soak: 20_000 }),
    only: new Set(only),
    quick: values.quick,
    goals: values.goals,
    json: values.json ?? null,
    plot: values.plot ?? null,
    doc: values.doc ?? null,
    profile: values.profile ?? null,
  };
}
