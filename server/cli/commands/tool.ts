import process from 'node:process';
import { Command } from 'commander';
import { z } from 'zod';
import { exits, Failure, usage } from '../../connect/index.ts';
import { changeDetail, tellWaiting } from '../changes.ts';
import { comparedTool, describeCompared, shortest } from '../compared-tools.ts';
import { plain, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';
import { toolImportCommand } from './tool-import.ts';

const tool = z.looseObject({
  name: z.string(),
  upstream: z.string(),
  kind: z.string(),
  effect: z.string(),
  reaches: z.string(),
  accepts: z.string().nullish(),
  digest: z.string(),
  held: z.looseObject({ change: z.string(), since: z.int() }).nullish(),
});
const compared = z.looseObject({
  items: z.array(comparedTool),
  unanswered: z.array(z.looseObject({ upstream: z.string(), cause: z.string(), remedy: z.string() })),
});
const waits = z.looseObject({ waiting: changeDetail.nullable() });

export function toolCommand(): Command {
  const group = new Command('tool').description('Tools, resources and prompts: registered, pinned, labelled operations of upstreams');
  group
    .command('list')
    .description('Tools, resources and prompts of the tenant; `held` are those that are not as they were pinned any more')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/tools', tool);
      answer(settings, { items }, () =>
        table(
          ['tool', 'kind', 'effect', 'reaches', 'accepts', 'pinned as', 'held'],
          items.map((one) => [
            ...[one.name, one.kind, one.effect, one.reaches, one.accepts, one.digest.slice(0, 12)],
            one.held ? { style: 'yellow', text: one.held.change } : '',
          ]),
        ),
      );
    });

  group
    .command('diff')
    .description('Ask upstreams what they offer now, and show what is not as it was pinned; exit code 3 when anything is')
    .argument('[upstream]', 'only this one')
    .action(async (upstream: string | undefined, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const found = await compare(await openV1(settings), upstream);
      if (found.items.length > 0 || found.unanswered.length > 0) process.exitCode = exits.check;
      answer(settings, found, () =>
        [
          ...found.unanswered.map((one) => `${plain(one.upstream)} ${plain(one.cause)}\n  ${plain(one.remedy)}.`),
          ...(found.items.length === 0 && found.unanswered.length === 0 ? ['Every tool is as it was pinned.'] : found.items.map(describeCompared)),
        ].join('\n\n'),
      );
    });

  group
    .command('accept <tool>')
    .description('Take the definition of a registered tool as `tool diff` showed it. Another admin approves it, and the exit code is 5')
    .requiredOption('--digest <sha256>', `of the definition as you read it; its first ${shortest} characters are enough`)
    .option('--reason <text>', 'why; who approves it reads it')
    .addHelpText('after', '\nExamples:\n  $ npx taskgate tool diff ledger\n  $ npx taskgate tool accept ledger__post_payment --digest 3f2a91c04be15d77\n')
    .action(async (name: string, options: { digest: string; reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      if (!/^[0-9a-f]{16,64}$/.test(options.digest)) throw usage(`--digest takes at least ${shortest} hex characters`, '`npx taskgate tool diff` prints it');
      const v1 = await openV1(settings);
      const registered = (await v1.list('/tools', tool)).find((one) => one.name === name);
      if (!registered) throw new Failure(`${v1.tenant} has no tool '${name}'`, { remedy: '`npx taskgate tool list` shows what there is' });
      const now = (await compare(v1, registered.upstream)).items.find((one) => one.name === name);
      if (!now) throw new Failure(`${name} is as it was pinned, and not held`, { remedy: 'nothing is left to accept' });
      if (now.digest === null || !now.digest.startsWith(options.digest)) {
        throw new Failure('the definition is not what that digest names', {
          remedy: `read it again with \`npx taskgate tool diff ${registered.upstream}\``,
          exit: exits.refused,
        });
      }
      const { reason } = options;
      const body = { upstream: now.upstream, tools: [{ tool: now.tool, digest: now.digest }], ...(reason === undefined ? {} : { reason }) };
      const done = await v1.post('/tools/accept', body, waits);
      const told = tellWaiting(done.waiting ? [done.waiting] : []);
      answer(settings, done, () => told);
    });
  return group.addCommand(toolImportCommand());
}

const compare = (v1: V1, upstream: string | undefined) => v1.post('/tools/diff', upstream === undefined ? {} : { upstream }, compared);
