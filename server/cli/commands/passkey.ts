import { Command } from 'commander';
import { z } from 'zod';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const passkey = z.looseObject({
  id: z.string(),
  person: z.string(),
  name: z.string(),
  status: z.string(),
  enrolled_at: z.int(),
  confirmed_by: z.string().nullable(),
  effective_at: z.int().nullable(),
  removed_at: z.int().nullable(),
});
type Passkey = z.infer<typeof passkey>;

export function passkeyCommand(): Command {
  const group = new Command('passkey').description('Keys of reviewers that sign their votes; they are made in the console, by a browser');

  group
    .command('list')
    .description('Your passkeys; with --all those of the tenant, for admins and auditors')
    .option('--all', 'of everybody')
    .action(async ({ all }: { all?: true }, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list(all === true ? '/passkeys' : '/me/passkeys', passkey);
      answer(settings, { items }, () =>
        items.length === 0
          ? `${all === true ? 'Nobody has a passkey' : 'You have no passkey'}; one is made in the console, under My passkeys.`
          : table(
              ['passkey', 'person', 'name', 'status', 'enrolled', 'in effect', 'confirmed by'],
              items.map((one) => [one.id, one.person, one.name, one.status, moment(one.enrolled_at), moment(one.effective_at), one.confirmed_by]),
            ),
      );
    });

  group
    .command('confirm <passkey>')
    .description('As an admin, vouch that somebody else’s passkey is theirs: it signs from a day later on')
    .addHelpText(
      'after',
      '\nAsk its owner by another way first: what it signs counts as theirs. Needs a login of the last five minutes.\n\nExample:\n  $ npx taskgate login --as dana && npx taskgate passkey list --all\n  $ npx taskgate passkey confirm pky_7bQ\n',
    )
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const done = await (await openV1(settings)).post(`/passkeys/${encodeURIComponent(id)}/confirm`, {}, passkey);
      answer(settings, done, () => `${whose(done)} signs from ${moment(done.effective_at)} on.`);
    });

  group
    .command('remove <passkey>')
    .description('Take a passkey out of use, at once and for good: yours, or with --of-others as an admin anybody’s')
    .option('--of-others', 'one that is not yours')
    .addHelpText('after', '\nNeeds a login of the last five minutes.\n')
    .action(async (id: string, { ofOthers }: { ofOthers?: true }, command: Command) => {
      const settings = settingsOf(command);
      const path = ofOthers === true ? '/passkeys' : '/me/passkeys';
      const done = await (await openV1(settings)).delete(`${path}/${encodeURIComponent(id)}`, passkey);
      answer(settings, done, () => `${whose(done)} signs nothing any more.`);
    });
  return group;
}

const whose = ({ name, person }: Passkey): string => `${name} of ${person}`;
