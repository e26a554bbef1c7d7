import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { makeDatabase } from './databases.ts';
import { describeRun, rewriteSection } from './report.ts';
import { runStore, type StoreResult } from './run-store.ts';

/** `npm run chaos`: kills brokers, and says what of their promises held. */

const whole = (text: string): number => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('a whole number from 1');
  return number;
};
const oneOf = (text: string): 'sqlite' | 'postgres' | 'both' => {
  if (text === 'sqlite' || text === 'postgres' || text === 'both') return text;
  throw new InvalidArgumentError('sqlite, postgres or both');
};

const program = new Command('chaos')
  .description(
    'Kills real broker processes (SIGKILL) at every step of a call, an approval, a session, an apply, a change that widens, break-glass and a standing approval, and at random moments under load; then compares the store with what clients were told and what the upstream did.',
  )
  .option('--kills <number>', 'how many, over all stores', whole, 200)
  .option('--store <which>', 'sqlite, postgres or both', oneOf, 'both')
  .option('--seed <number>', 'repeats the choice of steps, delays and load (a fresh one)', whole)
  .option('--only <words>', 'kills at a step only in scenarios whose name holds one of these, by commas', (words: string) => words.split(','), [])
  .option('--minutes <number>', 'no kill begins after this long', whole, 60)
  .option('--json <file>', 'writes the whole result there')
  .option('--doc <file>', 'rewrites the table between the chaos markers of that page')
  .addHelpText(
    'after',
    `
Two ways of killing, both used:
  at a step   the process kills itself before or after a verb of its store, a call of its upstream, or one statement of a verb;
              every step that a scenario takes is found by letting it run once. Steps come first, statements as far as --kills goes.
  at random   from outside, after a seeded delay, one or both of two brokers on one store, under several clients.

Exit 0 when everything held, 3 when something did not: the evidence is printed and the store kept. PostgreSQL is looked for at
TASKGATE_TEST_POSTGRES (postgres://postgres@127.0.0.1:5432/postgres); each run has a database of its own.

Examples:
  $ npm run chaos -- --kills 200
  $ npm run chaos -- --kills 1000 --store postgres --seed 7 --json chaos.json
  $ npm run chaos -- --kills 300 --only glass,standing
  $ npm run chaos -- --kills 1000 --doc docs/reliability.md
`,
  );
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parse();
const options = program.opts<{
  kills: number;
  store: 'sqlite' | 'postgres' | 'both';
  seed?: number;
  only: string[];
  minutes: number;
  json?: string;
  doc?: string;
}>();

const seed = options.seed ?? 1 + Math.floor(Math.random() * 1_000_000_000);
const stores = options.store === 'both' ? (['sqlite', 'postgres'] as const) : [options.store];
const began = Date.now();
let killed = 0;
const progress = (line: string): void => void process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
const onKill = (): void => {
  killed += 1;
  if (process.stderr.isTTY || killed % 25 === 0) progress(`${killed} of ${options.kills} kills, ${Math.round((Date.now() - began) / 1000)} s`);
};

process.stdout.write(`chaos: ${options.kills} kills, ${stores.join(' and ')}, --seed ${seed}\n`);
const dir = await mkdtemp(join(tmpdir(), 'taskgate-chaos-'));
const results = await Promise.all(
  stores.map((store, index) => runOne(store, Math.floor(options.kills / stores.length) + (index < options.kills % stores.length ? 1 : 0))),
);
if (process.stderr.isTTY) process.stderr.write('\n');

const seconds = Math.round((Date.now() - began) / 1000);
const table = describeRun(results, { seed, seconds });
process.stdout.write(`${table}\n`);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ seed, seconds, results }, null, 2)}\n`);
if (options.doc !== undefined) await rewriteSection(options.doc, table);

const broken = results.filter(({ violations }) => violations.length > 0);
for (const { store, address, violations, dir } of broken) {
  process.stdout.write(`\n${store}: ${violations.length} broken; the store is kept: ${address}, journals and logs in ${dir}\n`);
  for (const { invariant, evidence } of violations.slice(0, 30)) process.stdout.write(`  ${invariant}: ${evidence}\n`);
}
if (broken.length === 0) await rm(dir, { recursive: true, force: true });
process.exit(broken.length > 0 ? 3 : 0);

async function runOne(store: 'sqlite' | 'postgres', kills: number): Promise<StoreResult> {
  const asked = { store, dir: join(dir, store), kills, seed, only: options.only, until: began + options.minutes * 60_000, onKill };
  if (store === 'sqlite') return runStore({ ...asked, address: `sqlite:${join(dir, store, 'data', 'taskgate.db')}` });
  const database = await makeDatabase();
  const result = await runStore({ ...asked, address: database.url });
  if (result.violations.length === 0) await database.drop();
  return result;
}
