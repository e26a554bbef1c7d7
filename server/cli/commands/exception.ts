import { Command } from 'commander';
import { z } from 'zod';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const exception = z.looseObject({
  kind: z.string(),
  id: z.string(),
  what: z.string(),
  owner: z.string(),
  reason: z.string().nullable(),
  ends: z.int().nullable(),
  review_by: z.int().nullable(),
  overdue: z.boolean(),
});

export function exceptionCommand(): Command {
  const group = new Command('exception').description('What lets pass what rules would stop or ask about');
  group
    .command('list')
    .description('Standing approvals, remembered answers, widenings, observed use cases, bearer tokens and break-glass, overdue ones first')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/exceptions', exception);
      const rows = items.map((one) => [
        one.kind.replace('_', '-'),
        one.id,
        one.what,
        one.owner,
        one.reason,
        one.ends === null ? 'no end' : moment(one.ends),
        one.overdue ? ({ style: 'red', text: `overdue since ${moment(one.review_by)}` } as const) : moment(one.review_by),
      ]);
      answer(settings, { items }, () =>
        items.length === 0 ? 'There is no exception.' : table(['kind', 'id', 'what', 'owner', 'reason', 'ends', 'review by'], rows),
      );
    });
  return group;
}
