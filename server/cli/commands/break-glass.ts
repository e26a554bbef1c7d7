import { Command, Option } from 'commander';
import { z } from 'zod';
import { fields, moment, table } from '../print.ts';
import { answer, settingsOf, wholeNumber } from '../settings.ts';
import { openV1 } from '../v1.ts';

const involved = z.looseObject({ person: z.string(), name: z.string() });
const summary = z.looseObject({
  id: z.string(),
  status: z.string(),
  session: z.string(),
  agent: z.string(),
  tools: z.array(z.string()),
  incident: z.string(),
  reason: z.string(),
  initiator: involved,
  confirmer: involved.nullable(),
  confirm_by: z.int(),
  activated_at: z.int().nullable(),
  not_after: z.int().nullable(),
  first_used_at: z.int().nullable(),
  ended_at: z.int().nullable(),
  end_reason: z.string().nullable(),
  lifetime: z.int(),
  calls: z.looseObject({ used: z.int(), limit: z.int() }),
  amount: z.looseObject({ used: z.number(), limit: z.number() }),
  review_due: z.int().nullable(),
  review: involved.extend({ finding: z.string() }).nullable(),
  overdue: z.boolean(),
});
type Summary = z.infer<typeof summary>;
const detail = summary.extend({ to_rotate: z.array(z.string()) });

interface Asked {
  readonly session: string;
  readonly tool: string[];
  readonly incident: string;
  readonly reason: string;
  readonly minutes: number;
  readonly calls: number;
  readonly amount: string;
}
const gather = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];
const place = (id: string, verb = ''): string => `/break-glass/${encodeURIComponent(id)}${verb}`;

const ceremony = `
It takes two people of the group that the Tenant document names, neither of them in the session's chain, each with a login of the
last five minutes. It stands in for the people asked by forbids that are marked @break_glass, and lifts nothing else. Everybody is
told. When it ends its session ends; what it touched is rotated, and somebody who took no part reviews it within 72 hours: until
then, once that is over, there is no other.

Example:
  ana$  npx taskgate login --tenant acme --as ana
  ana$  npx taskgate break-glass activate --session ses_acme_… --tool ledger__post_payment --calls 1 --amount 900 \\
          --incident INC-4711 --reason "Salaries are due and finance cannot be reached"
  bob$  npx taskgate break-glass confirm bgl_…
`;

export function breakGlassCommand(): Command {
  const group = new Command('break-glass')
    .description('In an emergency: two people open named tools to one session for a while; it is told, counted and reviewed')
    .addHelpText('after', ceremony);

  group
    .command('activate')
    .description('Ask for it, as the first person; nothing is open until a second confirms')
    .requiredOption('--session <id>', 'the session that needs it')
    .requiredOption('--tool <name>', 'a brokered tool of that session; may be repeated', gather)
    .requiredOption('--incident <number>', 'of the incident or ticket')
    .requiredOption('--reason <text>', 'why it cannot wait for the people policy asks')
    .option('--minutes <number>', 'how long, at most 240; it is not renewed', wholeNumber, 60)
    .option('--calls <number>', 'how many calls, at most 100', wholeNumber, 10)
    .option('--amount <number>', 'what they may move in all', '0')
    .addHelpText('after', ceremony)
    .action(async ({ tool, minutes, amount, ...asked }: Asked, command: Command) => {
      const settings = settingsOf(command);
      const body = { ...asked, tools: tool, lifetime: minutes * 60, amount: Number(amount) };
      const made = await (await openV1(settings)).post('/break-glass', body, summary);
      answer(settings, made, () => `${describe(made)}\n\nNothing is open yet. A second person confirms it: npx taskgate break-glass confirm ${made.id}`);
    });

  group
    .command('confirm <id>')
    .description('Activate it, as the second person; read it first with `break-glass show`')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const done = await (await openV1(settings)).post(place(id, '/confirm'), {}, summary);
      answer(settings, done, () => `${describe(done)}\n\nActive until ${moment(done.not_after)}. End it as soon as it is not needed.`);
    });

  group
    .command('show <id>')
    .description('Who opened what to which session, what is left of it, and what is to be rotated')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const { to_rotate, ...shown } = await (await openV1(settings)).get(place(id), detail);
      answer(
        settings,
        { ...shown, to_rotate },
        () => `${describe(shown)}${to_rotate.length === 0 ? '' : `\nset anew before the review: ${to_rotate.join(' ')}`}`,
      );
    });

  group
    .command('list')
    .description('Break-glass of the tenant, youngest first')
    .addOption(new Option('--status <status>', 'only these').choices(['requested', 'lapsed', 'active', 'ended']))
    .action(async ({ status }: { status?: string }, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/break-glass', summary, { status });
      answer(settings, { items }, () =>
        items.length === 0
          ? 'There is none.'
          : table(
              ['break-glass', 'status', 'incident', 'session', 'by', 'until', 'calls', 'review'],
              items.map((one) => [one.id, one.status, one.incident, one.session, peopleOf(one), moment(one.not_after), used(one), reviewOf(one)]),
            ),
      );
    });

  group
    .command('end <id>')
    .description('End it, and its session with it; one that was not confirmed is taken back')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const settings = settingsOf(command);
      const done = await (await openV1(settings)).post(place(id, '/end'), { reason }, summary);
      answer(settings, done, () => `${done.id} is ${done.status}.`);
    });

  group
    .command('review <id>')
    .description('Say what you found, as an admin or auditor who took no part, once what it touched was rotated')
    .requiredOption('--finding <text>', 'what happened, whether it was right, what follows')
    .addHelpText('after', '\nExample:\n  $ npx taskgate break-glass review bgl_… --finding "One payment of 900, as intended; INC-4711 is closed"\n')
    .action(async (id: string, { finding }: { finding: string }, command: Command) => {
      const settings = settingsOf(command);
      const done = await (await openV1(settings)).post(place(id, '/review'), { finding }, summary);
      answer(settings, done, () => `${done.id} is reviewed.`);
    });
  return group;
}

const peopleOf = ({ initiator, confirmer }: Summary): string => [initiator.name, ...(confirmer ? [confirmer.name] : [])].join(', ');
const used = ({ calls, amount }: Summary): string => `${calls.used}/${calls.limit}${amount.limit > 0 ? `, ${amount.used} of ${amount.limit}` : ''}`;
const reviewOf = ({ review, overdue, review_due }: Summary): string =>
  review ? `by ${review.name}` : overdue ? 'OVERDUE' : review_due === null ? '' : `by ${moment(review_due)}`;

const describe = (one: Summary): string =>
  fields([
    ['break-glass', one.id],
    ['status', one.status === 'requested' ? `requested, to be confirmed until ${moment(one.confirm_by)}` : one.status],
    ['session', `${one.session} of ${one.agent}`],
    ['tools', one.tools.join(' ')],
    ['incident', one.incident],
    ['reason', one.reason],
    ['by', peopleOf(one)],
    ['open for', one.not_after === null ? `${Math.round(one.lifetime / 60)} minutes, once confirmed` : null],
    ['until', moment(one.not_after)],
    ['used', used(one)],
    ['ended', one.ended_at === null ? null : `${moment(one.ended_at)}, ${one.end_reason}`],
    ['review', reviewOf(one)],
    ['finding', one.review?.finding],
  ]);
