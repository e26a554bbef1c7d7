import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { exits, Failure, usage } from '../../connect/index.ts';
import { plain, table } from '../print.ts';
import { readPolicies } from '../read-documents.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';
import { describeProblem } from './apply.ts';

const problem = z.looseObject({ file: z.string(), line: z.int().nullish(), policy: z.string().nullish(), cause: z.string(), remedy: z.string() });
const testRun = z.looseObject({
  problems: z.array(problem),
  results: z.array(z.looseObject({ file: z.string(), case: z.string(), ok: z.boolean(), expected: z.unknown(), actual: z.unknown() })),
  untested: z.array(z.string()),
});

const suggestion = z.looseObject({
  would: z.array(z.looseObject({ calls: z.int() })),
  unused: z.array(z.string()),
  files: z.array(z.looseObject({ source: z.string(), text: z.string() })),
  notes: z.array(z.string()),
});

export function policyCommand(): Command {
  const group = new Command('policy').description('The tenant’s law: check it, test it, ask it why');

  group
    .command('check [path...]')
    .description('Validate and lint policies against the tenant’s tools; without paths, those in force')
    .addHelpText('after', '\nExample:\n  $ npx taskgate policy check ./policies/tenants/acme\n')
    .action(async (paths: string[], _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const { problems } = await (await openV1(settings)).post(
        '/policies/check',
        { files: await readPolicies(paths) },
        z.looseObject({ problems: z.array(problem) }),
      );
      refuseProblems(problems);
      answer(settings, { problems }, () => '');
    });

  group
    .command('test [path...]')
    .description('Run the cases beside the policies; dropping any policy must change some case')
    .action(async (paths: string[], _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const { problems, results, untested } = await (await openV1(settings)).post('/policies/test', { files: await readPolicies(paths) }, testRun);
      refuseProblems(problems);
      const failed = results.filter((one) => !one.ok);
      if (failed.length > 0 || untested.length > 0) {
        const lines = [
          ...failed.map((one) => `  ${plain(one.file)}: ${plain(one.case)}\n    expected ${plain(one.expected)}\n    got      ${plain(one.actual)}`),
          ...untested.map((id) => `  ${plain(id)}: no case notices when it is dropped`),
        ];
        throw new Failure([`${failed.length} of ${results.length} cases fail, ${untested.length} policies are untested:`, ...lines].join('\n'), {
          exit: exits.check,
        });
      }
      answer(settings, { results, untested }, () =>
        table(
          ['case', 'file', ''],
          results.map((one) => [one.case, one.file, 'ok']),
        ),
      );
    });

  group
    .command('explain <tool>')
    .description('Why a call would be allowed, denied or paused, and what would change that, in words')
    .option('--args <json>', 'arguments of the call')
    .option('--facts <file>', 'other facts, as in a *.cases.yaml but in JSON: agent, sponsor, session, inputs, satisfied')
    .option('--policies <path...>', 'judge by these policies in place of those in force of the same name')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx taskgate policy explain ledger__post_payment --args \'{"invoice":"INV-7","iban":"DE02120300000000202051","amount":600}\'\n',
    )
    .action(async (tool: string, options: { args?: string; facts?: string; policies?: string[] }, command: Command) => {
      const settings = settingsOf(command);
      const stated = options.facts === undefined ? {} : readObject(await readFacts(options.facts), options.facts);
      const facts = options.args === undefined ? stated : { ...stated, args: readObject(options.args, '--args') };
      const asked = { tool, facts, files: await readPolicies(options.policies ?? []) };
      const told = await (await openV1(settings)).post('/policies/explain', asked, z.looseObject({ text: z.string() })).catch((error: unknown) => {
        throw error instanceof Failure && error.code === 'not_found'
          ? new Failure(`there is no tool '${tool}'`, { remedy: '`npx taskgate tool list` shows them' })
          : error;
      });
      answer(settings, told, () => told.text.trimEnd());
    });

  group
    .command('suggest')
    .description('Grants and policy for what a use case was seen to use, and no more; applies nothing')
    .requiredOption('--use-case <name>', 'what kind of task')
    .option('--since <date>', 'count from the start of this day, UTC (all of the record)')
    .option('--out <folder>', 'write the files there instead of showing them; none may exist yet')
    .addHelpText('after', '\nExample:\n  $ npx taskgate policy suggest --use-case match-invoices --since 2026-11-01 --out ./suggested\n')
    .action(async (options: { useCase: string; since?: string; out?: string }, command: Command) => {
      const settings = settingsOf(command);
      const query = { use_case: options.useCase, since: options.since === undefined ? undefined : startOfDay(options.since) };
      const told = await (await openV1(settings)).get('/policies/suggest', suggestion, query).catch((error: unknown) => {
        throw error instanceof Failure && error.code === 'not_found'
          ? new Failure(`there is no use case '${options.useCase}'`, { remedy: 'check the name' })
          : error;
      });
      if (options.out !== undefined) await writeFiles(options.out, told.files);
      answer(settings, told, () => describeSuggestion(told, options.out === undefined));
    });

  group
    .command('schema')
    .description('The Cedar schema this tenant’s policies are checked against')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const told = await (await openV1(settings)).get('/policies/schema', z.looseObject({ schema: z.string() }));
      answer(settings, told, () => told.schema);
    });
  return group;
}

function refuseProblems(problems: readonly z.infer<typeof problem>[]): void {
  if (problems.length === 0) return;
  throw new Failure(['the policies do not hold:', ...problems.map((one) => describeProblem({ ...one, path: one.policy }))].join('\n'), { exit: exits.check });
}

async function readFacts(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`cannot read ${file}`, { remedy: 'check --facts', cause: error });
  });
}

function readObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usage(`${what} is not JSON`, 'for example \'{"amount":600}\'');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${what} is not a JSON object`);
  return { ...value };
}

function startOfDay(date: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at)) throw usage('--since is not a date', 'for example 2026-11-01');
  return at / 1000;
}

async function writeFiles(folder: string, files: z.infer<typeof suggestion>['files']): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { source, text } of files) {
    const path = join(folder, basename(source));
    await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
      throw new Failure(`cannot make ${path}`, { remedy: 'name a folder that does not hold it yet', cause: error });
    });
  }
}

/** The texts hold reasons and names from elsewhere: each line is made visible. */
function describeSuggestion({ files, notes }: z.infer<typeof suggestion>, whole: boolean): string {
  const lines = whole ? files.flatMap(({ source, text }) => [`# ---- ${source}`, ...text.trimEnd().split('\n')]) : [];
  return [...lines, ...notes.map((note) => `# ${note}`)].map(plain).join('\n');
}
