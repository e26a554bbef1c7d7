import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { secondsOf } from '../../../policies/index.ts';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const someone = z.looseObject({ name: z.string() });
const summary = z.looseObject({
  id: z.string(),
  status: z.string(),
  group: z.string(),
  lender: someone,
  delegate: someone,
  reason: z.string(),
  ends_at: z.int(),
});

function duration(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === null) throw new InvalidArgumentError('such as 8h or 3d');
  return seconds;
}

export function delegationCommand(): Command {
  const group = new Command('delegation').description('Lend your place in a group of reviewers to a colleague for a while');
  group
    .command('list')
    .description('Places that you lent or that were lent to you; all of the tenant for admins and auditors')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/delegations', summary);
      const rows = items.map((one) => [one.id, one.status, one.group, one.lender.name, one.delegate.name, moment(one.ends_at), one.reason]);
      answer(settings, { items }, () =>
        items.length === 0 ? 'No place is lent.' : table(['delegation', 'status', 'group', 'place of', 'lent to', 'until', 'reason'], rows),
      );
    });
  group
    .command('give <group>')
    .description('Lend your place in this group; your colleague votes in it, and you do not beside them')
    .requiredOption('--to <name>', 'another reviewer of the tenant, who is not in that group')
    .requiredOption('--for <duration>', 'how long, such as 3d; at most what the tenant allows', duration)
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', '\nExample:\n  $ npx taskgate delegation give finance --to lea --for 3d --reason "on leave"\n')
    .action(async (name: string, { to, for: lifetime, reason }: { to: string; for: number; reason: string }, command: Command) => {
      const settings = settingsOf(command);
      const given = await (await openV1(settings)).post('/delegations', { group: name, to, lifetime, reason }, summary);
      answer(settings, given, () => `${given.id}: ${given.delegate.name} votes in your place in ${given.group} until ${moment(given.ends_at)}.`);
    });
  group
    .command('end <delegation>')
    .description('Take your place back, or hand one back; at once')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const ended = await (await openV1(settings)).post(`/delegations/${encodeURIComponent(id)}/end`, {}, summary);
      answer(settings, ended, () => `${ended.id} is over; what was voted stands.`);
    });
  return group;
}
