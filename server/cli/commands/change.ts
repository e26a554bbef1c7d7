import { Command, Option } from 'commander';
import { exits, Failure, usage } from '../../connect/index.ts';
import { type ChangeDetail, change, changeDetail, describeChange } from '../changes.ts';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';

export function changeCommand(): Command {
  const group = new Command('change').description('What gives more than there was, and waits for a second admin');

  group
    .command('list')
    .description('Changes that wait; with --status, what became of others')
    .addOption(new Option('--status <status>', 'changes in this state').choices(['pending', 'applied', 'rejected', 'withdrawn', 'expired', 'superseded']))
    .action(async (options: { status?: string }, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/changes', change, { status: options.status });
      answer(settings, { items }, () =>
        items.length === 0
          ? options.status === undefined
            ? 'Nothing waits for a second admin.'
            : `No change is ${options.status}.`
          : table(
              ['change', 'status', 'author', 'what', 'until', 'digest'],
              items.map((one) => [one.id, one.status, one.author, whatOf(one.items), moment(one.expires_at), one.digest.slice(0, 16)]),
            ),
      );
    });

  group
    .command('show <change>')
    .description('The whole difference, who may approve it, and the digest that names it')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const shown = await show(await openV1(settings), id);
      answer(settings, shown, () => describeChange(shown));
    });

  group
    .command('approve <change>')
    .description('Put exactly the difference in force that `change show` printed, as another admin than its author')
    .requiredOption('--digest <sha256>', 'of the difference as you read it; its first 16 characters are enough')
    .option('--reason <text>', 'why, for the record')
    .addHelpText('after', '\nExamples:\n  $ npx taskgate change show chg_7bQ\n  $ npx taskgate change approve chg_7bQ --digest 3f2a91c04be15d77\n')
    .action(async (id: string, options: { digest: string; reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      if (!/^[0-9a-f]{16,64}$/.test(options.digest)) throw usage('--digest takes at least 16 hex characters', '`npx taskgate change show` prints it');
      const v1 = await openV1(settings);
      const shown = await show(v1, id);
      if (!shown.digest.startsWith(options.digest)) {
        throw new Failure('the difference is not what that digest names', {
          remedy: `read it again with \`npx taskgate change show ${shown.id}\``,
          exit: exits.refused,
        });
      }
      const { reason } = options;
      const body = { digest: shown.digest, ...(reason === undefined ? {} : { reason }) };
      const done = await v1.post(`/changes/${encodeURIComponent(shown.id)}/approve`, body, changeDetail);
      answer(settings, done, () => `${describeChange(done)}\n\nIn force.`);
    });

  group
    .command('reject <change>')
    .description('Take it back: your own is withdrawn, another’s rejected')
    .requiredOption('--reason <text>', 'why; the author and the record get to read it')
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const done = await v1.post(`/changes/${encodeURIComponent(await wholeId(v1, id))}/reject`, { reason }, changeDetail);
      answer(settings, done, () => `${done.id} is now ${done.status}.`);
    });
  return group;
}

async function show(v1: V1, id: string): Promise<ChangeDetail> {
  return v1.get(`/changes/${encodeURIComponent(await wholeId(v1, id))}`, changeDetail);
}

/** An id may be shortened while it is the only one that waits. */
async function wholeId(v1: V1, id: string): Promise<string> {
  if (/^chg_[\w-]{22}$/.test(id)) return id;
  const matching = (await v1.list('/changes', change)).filter((one) => one.id.startsWith(id) || one.id.startsWith(`chg_${id}`));
  const [only] = matching;
  if (only === undefined)
    throw new Failure(`no change that waits starts with ${id}`, { remedy: '`npx taskgate change list` shows what waits; a whole id names any other' });
  if (matching.length > 1) throw usage(`${id} fits ${matching.length} changes; give more of it`, matching.map((one) => one.id).join(' '));
  return only.id;
}

function whatOf(items: readonly { readonly kind: string; readonly name: string }[]): string {
  const [first] = items;
  if (!first) return '';
  return `${first.kind} ${first.name}${items.length === 1 ? '' : ` and ${items.length - 1} more`}`;
}
