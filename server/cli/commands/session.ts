import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { openSession } from '../../connect/index.ts';
import { fields, moment, table } from '../print.ts';
import { answer, settingsOf, wholeNumber } from '../settings.ts';
import { taskOptionsOf, withTaskOptions } from '../task-options.ts';
import { openV1 } from '../v1.ts';

const session = z.looseObject({
  id: z.string(),
  agent: z.string(),
  use_case: z.string(),
  sponsor: z.string(),
  status: z.string(),
  opened_at: z.int(),
  expires_at: z.int(),
});
const anything = z.looseObject({});
const extension = z.looseObject({ id: z.string(), status: z.string(), requirements: z.array(z.looseObject({ requirement: z.string() })) });
const amount = (text: string): number => {
  if (!/^\d{1,12}(\.\d{1,4})?$/.test(text)) throw new InvalidArgumentError('an amount with at most four decimals');
  return Number(text);
};
const detail = z.looseObject({
  label: z.looseObject({ sensitivity: z.string(), categories: z.array(z.string()), integrity: z.string() }),
  budget: z.looseObject({ calls: z.int(), amount: z.number().nullable() }),
  calls: z.int(),
  grants: z.array(z.looseObject({ tool: z.string(), max_calls: z.int().nullable() })),
  observed_until: z.string().nullish(),
});

export function sessionCommand(): Command {
  const group = new Command('session').description('Task sessions: one agent, one purpose, a short list of tools, an end');

  withTaskOptions(group.command('open'))
    .description('Open a session as the agent; with --json the answer holds its access token')
    .addHelpText('after', '\nExample:\n  $ npx taskgate session open --tenant acme --agent invoice-matcher --use-case match-invoices --input invoice=INV-7\n')
    .action(async (_options: unknown, command: Command) => {
      const task = await openSession(await taskOptionsOf(command));
      const seconds = Math.floor((task.tokenExpires - Date.now()) / 1000);
      const value = {
        session_id: task.session,
        mcp_url: task.mcpUrl,
        expires_at: task.endsAt,
        access_token: task.accessToken,
        expires_in: seconds,
        authorization_details: [task.granted],
      };
      answer(settingsOf(command), value, () =>
        fields([
          ['session', task.session],
          ['mcp', task.mcpUrl],
          ['ends', moment(task.endsAt)],
          ['token', 'add --json for the access token; whoever holds it can act in this session'],
        ]),
      );
    });

  group
    .command('list')
    .description('Sessions of the tenant')
    .addOption(new Option('--status <status>', 'only these').choices(['active', 'suspended', 'ended', 'revoked']))
    .option('--agent <name>', 'only of this agent')
    .action(async (options: { status?: string; agent?: string }, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/sessions', session, { status: options.status, agent: options.agent });
      answer(settings, { items }, () =>
        items.length === 0
          ? 'No such sessions that you may see.'
          : table(
              ['session', 'agent', 'use case', 'sponsor', 'status', 'opened', 'ends'],
              items.map((one) => [one.id, one.agent, one.use_case, one.sponsor, one.status, moment(one.opened_at), moment(one.expires_at)]),
            ),
      );
    });

  group
    .command('show <session>')
    .description('One session, whole')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const shown = await (await openV1(settings)).get(`/sessions/${encodeURIComponent(id)}`, detail);
      answer(settings, shown, () => describe(shown));
    });

  group
    .command('extend <session>')
    .description('Ask people to let a session last longer or do more, within what its use case allows')
    .requiredOption('--reason <text>', 'why; those who decide read it')
    .option('--minutes <n>', 'how much longer', wholeNumber)
    .option('--calls <n>', 'how many calls more', wholeNumber)
    .option('--amount <n>', 'how much more in amounts', amount)
    .option('--tool <name>', 'a tool of the use case it was opened without; again for more', (one: string, before: string[] | undefined) => [
      ...(before ?? []),
      one,
    ])
    .addHelpText(
      'after',
      '\nNobody who asks, sponsors or runs it can approve it.\n\nExample:\n  $ npx taskgate session extend ses_acme_… --minutes 30 --reason "the supplier answers tomorrow"\n',
    )
    .action(
      async (id: string, { tool, ...options }: { reason: string; minutes?: number; calls?: number; amount?: number; tool?: string[] }, command: Command) => {
        const settings = settingsOf(command);
        const body = { ...options, ...(tool === undefined ? {} : { tools: tool }) };
        const asked = await (await openV1(settings)).post(`/sessions/${encodeURIComponent(id)}/extensions`, body, extension);
        answer(
          settings,
          asked,
          () => `Approval ${asked.id} is ${asked.status}. It waits for ${asked.requirements.map(({ requirement }) => requirement).join(', ')}.`,
        );
      },
    );

  const stop =
    (verb: 'suspend' | 'end') =>
    async (id: string, options: { reason?: string }, command: Command): Promise<void> => {
      const settings = settingsOf(command);
      const body = options.reason === undefined ? {} : { reason: options.reason };
      const done = await (await openV1(settings)).post(`/sessions/${encodeURIComponent(id)}/${verb}`, body, anything);
      answer(settings, done, () => '');
    };
  group
    .command('suspend <session>')
    .description('Stop a session and all that hangs on it; its next call is refused')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(stop('suspend'));
  group
    .command('end <session>')
    .description('End a session and all that hangs on it; its next call is refused')
    .option('--reason <text>', 'why, for the record')
    .action(stop('end'));
  return group;
}

function describe(shown: z.infer<typeof detail>): string {
  const { label, budget, calls, grants, observed_until: observed, ...rest } = shown;
  return fields([
    ['OBSERVED', observed ? `until ${observed}: policy of the tenant is recorded for its calls and not enforced` : null],
    ...Object.entries(rest).map(([name, value]) => [name, /_at$/.test(name) ? moment(value) : value] as const),
    ['has read', `${label.sensitivity} data, integrity ${label.integrity}${label.categories.length === 0 ? '' : `, ${label.categories.join(' ')}`}`],
    ['calls', `${calls} of ${budget.calls}${budget.amount === null ? '' : `, amounts up to ${budget.amount}`}`],
    ...grants.map((grant) => ['grants', `${grant.tool}${grant.max_calls === null ? '' : `, at most ${grant.max_calls} times`}`] as const),
  ]);
}
