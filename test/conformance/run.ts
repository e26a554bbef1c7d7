import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'yaml';
import { startReferee } from './broker.ts';
import { baselineShape, describeSet, isGreen, judgeSet } from './judge-set.ts';
import { startProxy } from './proxy.ts';
import { type Check, issuerScenario, type Revision, revisions, runIssuer, runSuite, scenariosOf } from './suite.ts';

/** `npm run conformance`: the official suite, run through a whole broker. */

const program = new Command('conformance')
  .description(
    'Runs the official MCP conformance suite through a broker: a fixture server as its upstream, a task opened for it at the token endpoint, a loopback proxy that adds the token. What it does not offer stands in test/conformance/baseline.yaml with the reason.',
  )
  .option('--json <file>', 'writes the whole result there')
  .option('--not-offered', 'lists what the baseline names, with the reasons')
  .option('--log', "lets the broker's warnings through")
  .addHelpText(
    'after',
    `
A line for each set: what the revisions 2025-11-25 and 2026-07-28 require, the tasks extension's scenarios, and what the suite
has beyond that, the metadata of the authorization server among it. Exit 0 when every scenario passes or is in the baseline, 1 when one falls short of it or passes though it is
in it.

Examples:
  $ npm run conformance
  $ npm run conformance -- --json conformance.json --not-offered
`,
  );
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parse();
const options = program.opts<{ json?: string; notOffered?: true; log?: true }>();

const baseline = baselineShape.parse(parse(await readFile(join(import.meta.dirname, 'baseline.yaml'), 'utf8')));
const results = await mkdtemp(join(tmpdir(), 'taskgate-conformance-results-'));
const referee = await startReferee(options.log ? 'warn' : 'silent');
const [issuer, ...found] = await Promise.all([runIssuer(referee.issuer, join(results, 'issuer')), ...revisions.map(runRevision)]).finally(() =>
  referee.close(),
);
const ofIssuer = { set: 'authorization server', scenarios: [issuerScenario], checks: issuer };
const sets = [...(await Promise.all(found.map(setsOf))).flat(), ofIssuer].map(({ set, scenarios, checks }) =>
  judgeSet(set, scenarios, checks, baseline[set] ?? {}),
);
await rm(results, { recursive: true, force: true });

for (const set of sets) process.stdout.write(`${describeSet(set)}\n`);
if (options.notOffered) {
  for (const [set, entries] of Object.entries(baseline)) {
    process.stdout.write(
      `\nNot offered, ${set}:\n${Object.entries(entries)
        .map(([entry, why]) => `  ${entry}: ${why}\n`)
        .join('')}`,
    );
  }
}
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ sets, baseline }, null, 2)}\n`);
process.exit(sets.every(isGreen) ? 0 : 1);

interface Run {
  readonly revision: Revision;
  readonly checks: ReadonlyMap<string, readonly Check[]>;
}

async function runRevision(revision: Revision): Promise<Run> {
  const proxy = await startProxy(await referee.open());
  return { revision, checks: await runSuite(proxy.url, revision, join(results, revision)).finally(() => proxy.close()) };
}

async function setsOf({ revision, checks }: Run) {
  const { required, further } = await scenariosOf(revision);
  const isTask = (scenario: string): boolean => scenario.startsWith('tasks-');
  const sets = [
    { set: revision, scenarios: required },
    { set: `${revision} tasks`, scenarios: further.filter(isTask) },
    { set: `${revision} further`, scenarios: further.filter((scenario) => !isTask(scenario)) },
  ];
  return sets.filter(({ scenarios }) => scenarios.length > 0).map((one) => ({ ...one, checks }));
}
