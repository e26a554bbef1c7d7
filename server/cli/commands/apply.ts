import { Command } from 'commander';
import { z } from 'zod';
import { exits, Failure } from '../../connect/index.ts';
import { change, changeDetail, itemLines, tellWaiting } from '../changes.ts';
import { plain } from '../print.ts';
import { readDocuments } from '../read-documents.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const problem = z.looseObject({ file: z.string(), line: z.int().nullish(), path: z.string().nullish(), cause: z.string(), remedy: z.string() });
const item = change.shape.items.element.extend({ waits: z.boolean() });
const outcome = z.looseObject({ applied: z.boolean(), items: z.array(item), waiting: z.array(changeDetail), notices: z.array(z.string()) });

export function applyCommand(): Command {
  return new Command('apply')
    .description('Apply every *.yaml, *.cedar and *.cases.yaml below the paths; what widens waits for another admin, and the exit code is 5')
    .argument('<path...>', 'files or folders')
    .option('--dry-run', 'only plan')
    .option('--prune', 'remove what the paths no longer hold')
    .option('--reason <text>', 'why; who approves what waits reads it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx taskgate apply --dry-run ./policies/tenants/acme ./tools/registry/acme\n  $ npx taskgate apply ./policies/tenants/acme\n',
    )
    .action(async (paths: string[], options: { dryRun?: true; prune?: true; reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      const files = await readDocuments(paths);
      const v1 = await openV1(settings);
      const dryRun = options.dryRun === true;
      const body = { files, prune: options.prune === true, ...(dryRun || options.reason === undefined ? {} : { reason: options.reason }) };
      const result = await v1.postOrProblems(dryRun ? '/documents/plan' : '/documents/apply', body, outcome, problem);
      if ('problems' in result) throw new Failure(['nothing was applied:', ...result.problems.map(describeProblem)].join('\n'), { exit: exits.check });
      const { value } = result;
      const waits = tellWaiting(value.waiting);
      answer(settings, value, () => describePlan(value, dryRun, waits));
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

function describePlan({ items, notices, waiting, applied }: z.infer<typeof outcome>, dryRun: boolean, waits: string): string {
  if (items.length === 0) return dryRun ? 'Nothing would change.' : '';
  const outcome = applied ? (waiting.length > 0 ? 'Applied, but for what waits.' : 'Applied.') : 'Not applied.';
  // What waits is told once, with who may approve it.
  const rest = notices.filter((one) => !waiting.some(({ id, remedy }) => one.includes(id) || one === remedy));
  return [...itemLines(items), ...rest.map(plain), ...(waits === '' ? [] : [waits]), outcome].join('\n');
}
