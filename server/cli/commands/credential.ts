import { Command } from 'commander';
import { z } from 'zod';
import { usage } from '../../connect/index.ts';
import { changeDetail, tellWaiting } from '../changes.ts';
import { moment, table } from '../print.ts';
import { answer, readStdin, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const credential = z.looseObject({ name: z.string(), type: z.string().optional(), version: z.int().nullish(), updated_at: z.int().nullish() });
const waits = z.looseObject({ waiting: changeDetail.nullable() });

export function credentialCommand(): Command {
  const group = new Command('credential').description('What upstreams accept; agents never see it, and neither does anyone once it is set');

  group
    .command('set <name>')
    .description('Set the value of a Credential document, read from stdin; one final line break is left off. Another admin approves it, and the exit code is 5')
    .option('--reason <text>', 'why; who approves it reads it')
    .addHelpText('after', '\nExample:\n  $ pass show ledger-key | npx taskgate credential set ledger-key --tenant acme\n')
    .action(async (name: string, { reason }: { reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      const value = (await readStdin('the value')).replace(/\r?\n$/, '');
      if (value === '') throw usage('stdin was empty; nothing was set');
      const done = await (await openV1(settings)).put(
        `/credentials/${encodeURIComponent(name)}`,
        { value, ...(reason === undefined ? {} : { reason }) },
        waits,
      );
      const told = tellWaiting(done.waiting ? [done.waiting] : []);
      answer(settings, done, () => told);
    });

  group
    .command('list')
    .description('Credentials of the tenant and whether they are set; never their values')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/credentials', credential);
      answer(settings, { items }, () =>
        table(
          ['credential', 'type', 'version', 'set'],
          items.map((one) => [one.name, one.type, one.version ?? 'not set', moment(one.updated_at)]),
        ),
      );
    });
  return group;
}
