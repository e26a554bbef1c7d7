import { Command } from 'commander';
import { z } from 'zod';
import { table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const tool = z.looseObject({ name: z.string(), effect: z.string(), reaches: z.string(), accepts: z.string().nullish(), digest: z.string() });

export function toolCommand(): Command {
  const group = new Command('tool').description('Tools: registered, pinned, labelled operations of upstreams');
  group
    .command('list')
    .description('Tools of the tenant')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/tools', tool);
      answer(settings, { items }, () =>
        table(
          ['tool', 'effect', 'reaches', 'accepts', 'pinned as'],
          items.map((one) => [one.name, one.effect, one.reaches, one.accepts, one.digest.slice(0, 12)]),
        ),
      );
    });
  return group;
}
