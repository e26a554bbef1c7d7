import { Command } from 'commander';
import { z } from 'zod';
import { exits, Failure } from '../../connect/index.ts';
import { paint, plain } from '../print.ts';
import { readDocuments } from '../read-documents.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const problem = z.looseObject({ file: z.string(), line: z.int().nullish(), path: z.string().nullish(), cause: z.string(), remedy: z.string() });
const item = z.looseObject({
  tenant: z.string(),
  kind: z.string(),
  name: z.string(),
  change: z.string(),
  effect: z.string(),
  differences: z.array(z.string()),
});
const outcome = z.looseObject({ applied: z.boolean(), items: z.array(item), notices: z.array(z.string()) });

export function applyCommand(): Command {
  return new Command('apply')
    .description('Apply every *.yaml, *.cedar and *.cases.yaml below the paths: all of it, or nothing')
    .argument('<path...>', 'files or folders')
    .option('--dry-run', 'only plan')
    .option('--prune', 'remove what the paths no longer hold')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx taskgate apply --dry-run ./policies/tenants/acme ./tools/registry/acme\n  $ npx taskgate apply ./policies/tenants/acme\n',
    )
    .action(async (paths: string[], options: { dryRun?: true; prune?: true }, command: Command) => {
      const settings = settingsOf(command);
      const files = await readDocuments(paths);
      const v1 = await openV1(settings);
      const body = { files, prune: options.prune === true };
      const result = await v1.postOrProblems(options.dryRun === true ? '/documents/plan' : '/documents/apply', body, outcome, problem);
      if ('problems' in result) throw new Failure(['nothing was applied:', ...result.problems.map(describeProblem)].join('\n'), { exit: exits.check });
      answer(settings, result.value, () => describePlan(result.value, options.dryRun === true));
    });
}

export function describeProblem({
  file,
  line,
  path,
  cause,
  remedy,
}: {
  file: string;
  line?: number | null | undefined;
  path?: string | null | undefined;
  cause: string;
  remedy: string;
}): string {
  const at = [line === null || line === undefined ? file : `${file}:${line}`, path]
    .filter((part) => part !== null && part !== undefined && part !== '')
    .join(' ');
  return `  ${plain(at)}: ${plain(cause)}\n    ${plain(remedy)}`;
}

function describePlan({ items, notices, applied }: z.infer<typeof outcome>, dryRun: boolean): string {
  if (items.length === 0) return dryRun ? 'Nothing would change.' : '';
  const sign: Readonly<Record<string, string>> = { added: '+', changed: '~', removed: '-' };
  const lines = items.flatMap((one) => [
    `${sign[one.change] ?? '?'} ${plain(`${one.tenant} ${one.kind} ${one.name}`)}${one.effect === 'neutral' ? '' : ` ${paint(one.effect === 'widens' ? 'yellow' : 'green', one.effect)}`}`,
    ...one.differences.map((difference) => `    ${plain(difference)}`),
  ]);
  return [...lines, ...notices.map(plain), applied ? 'Applied.' : 'Not applied.'].join('\n');
}
