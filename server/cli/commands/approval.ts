import { setTimeout as pause } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { exits, Failure, usage } from '../../connect/index.ts';
import { fields, moment, paint, plain, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';

const summary = z.looseObject({
  id: z.string(),
  status: z.string(),
  digest: z.string(),
  agent: z.string(),
  tool: z.string(),
  requirements: z.array(z.looseObject({ requirement: z.string(), needed: z.int(), given: z.int() })),
  created_at: z.int(),
  expires_at: z.int(),
});
type Summary = z.infer<typeof summary>;

const proposal = z.looseObject({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  agent: z.string(),
  owner: z.string(),
  sponsor: z.string(),
  use_case: z.string(),
  purpose: z.string(),
  objective: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  attested_by: z.string(),
  effect: z.string(),
  reaches: z.string(),
  says: z.string().nullable(),
  label: z.looseObject({ sensitivity: z.string(), categories: z.array(z.string()), integrity: z.string() }),
  policies: z.array(z.looseObject({ id: z.string(), reason: z.string().nullable() })),
});
const detail = summary.extend({ proposal: proposal.nullable() });
type Detail = z.infer<typeof detail>;

const lookAgainMs = 500;

/** Looks until there is something, at most `waitSeconds`. */
async function listUntil<T>(list: () => Promise<readonly T[]>, waitSeconds: number): Promise<readonly T[]> {
  const until = Date.now() + waitSeconds * 1000;
  for (;;) {
    const items = await list();
    if (items.length > 0 || Date.now() >= until) return items;
    await pause(Math.min(lookAgainMs, Math.max(1, until - Date.now())));
  }
}

const seconds = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 86_400) throw new InvalidArgumentError('whole seconds, at most a day');
  return number;
};

export function approvalCommand(): Command {
  const group = new Command('approval').description('Calls that wait for a human: see exactly what would run, and decide');

  group
    .command('list')
    .description('What waits for you; with --status, what became of others')
    .addOption(
      new Option('--status <status>', 'approvals in this state').choices([
        'pending',
        'approved',
        'denied',
        'expired',
        'cancelled',
        'superseded',
        'revoked',
        'used',
      ]),
    )
    .option('--wait <seconds>', 'until there is one, at most this long; then exit 5', seconds)
    .action(async (options: { status?: string; wait?: number }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const items = await listUntil(() => v1.list('/approvals', summary, { status: options.status }), options.wait ?? 0);
      if (items.length === 0 && options.wait !== undefined) throw new Failure(`nothing waits after ${options.wait} s`, { exit: exits.pending });
      answer(settings, { items }, () =>
        items.length === 0
          ? options.status === undefined
            ? 'Nothing waits for you.'
            : `No approval that you may read is ${options.status}.`
          : table(
              ['approval', 'status', 'agent', 'tool', 'needs', 'given', 'expires'],
              items.map((one) => [
                one.id,
                one.status,
                one.agent,
                one.tool,
                one.requirements.map((asked) => asked.requirement).join(' '),
                progress(one),
                moment(one.expires_at),
              ]),
            ),
      );
    });

  group
    .command('show <approval>')
    .description('What exactly would run, for whom, and why it was asked')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const shown = await show(await openV1(settings), id);
      answer(settings, shown, () => describe(shown));
    });

  const decide =
    (verb: 'approve' | 'deny') =>
    async (id: string, options: { reason?: string; requirement?: string; digest?: string }, command: Command): Promise<void> => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const shown = await show(v1, id);
      if (options.digest !== undefined && options.digest !== shown.digest) {
        throw new Failure('what waits now is not what that digest names', {
          remedy: `read it again with \`npx taskgate approval show ${shown.id}\``,
          exit: exits.refused,
        });
      }
      const { reason, requirement } = options;
      const decided = await v1.post(
        `/approvals/${encodeURIComponent(shown.id)}/decisions`,
        { decision: verb, digest: shown.digest, ...(reason === undefined ? {} : { reason }), ...(requirement === undefined ? {} : { requirement }) },
        summary,
      );
      answer(settings, decided, () => `${describe(shown)}\n\n${verb === 'approve' ? 'Approved' : 'Denied'}: ${became(decided)}.`);
    };
  group
    .command('approve <approval>')
    .description('Approve exactly what `approval show` shows; an id may be shortened while it is the only one')
    .option('--reason <text>', 'why, for the record')
    .option('--requirement <literal>', 'which requirement your vote is for, when it asks several')
    .option('--digest <sha256>', 'approve only if it is still this proposal')
    .addHelpText('after', '\nExamples:\n  $ npx taskgate approval list\n  $ npx taskgate approval approve apr_3kT --reason "matches order 4711"\n')
    .action(decide('approve'));
  group
    .command('deny <approval>')
    .description('Deny it; the agent gets to read why')
    .requiredOption('--reason <text>', 'why')
    .option('--requirement <literal>', 'which requirement your vote is for, when it asks several')
    .option('--digest <sha256>', 'deny only if it is still this proposal')
    .action(decide('deny'));
  group
    .command('revoke <approval>')
    .description('Take an approval back until its call has run; one that still waits is cancelled')
    .option('--reason <text>', 'why, for the record')
    .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const whole = await wholeId(v1, id, ['pending', 'approved']);
      const taken = await v1.post(`/approvals/${encodeURIComponent(whole)}/revoke`, reason === undefined ? {} : { reason }, summary);
      answer(settings, taken, () => `${taken.id} is now ${taken.status}; its call will not run.`);
    });
  return group;
}

/** By id, or by the start of one when only one approval that waits for this person has it. */
async function show(v1: V1, id: string): Promise<Detail> {
  return v1.get(`/approvals/${encodeURIComponent(await wholeId(v1, id))}`, detail);
}

async function wholeId(v1: V1, id: string, among: readonly string[] = []): Promise<string> {
  if (/^apr_[\w-]{22}$/.test(id)) return id;
  const listed =
    among.length === 0 ? [await v1.list('/approvals', summary)] : await Promise.all(among.map((status) => v1.list('/approvals', summary, { status })));
  const matching = listed.flat().filter((one) => one.id.startsWith(id) || one.id.startsWith(`apr_${id}`));
  const [only] = matching;
  if (only === undefined) {
    const what = among.length === 0 ? 'no approval that waits for you' : `no ${among.join(' or ')} approval`;
    throw new Failure(`${what} starts with ${id}`, { remedy: '`npx taskgate approval list` shows what waits for you; a whole id names any other' });
  }
  if (matching.length > 1) throw usage(`${id} fits ${matching.length} approvals; give more of it`, matching.map((one) => one.id).join(' '));
  return only.id;
}

/** What a vote made of it. */
function became(decided: Summary): string {
  if (decided.status === 'pending') return `${progress(decided)} given, it waits for more`;
  return decided.status === 'approved' ? `${progress(decided)} given, the call may run once` : `it is now ${decided.status}`;
}

const progress = (one: Summary): string => one.requirements.map((asked) => `${asked.given}/${asked.needed}`).join(' ');

function describe(shown: Detail): string {
  const { proposal: asked } = shown;
  const head = fields([
    ['approval', shown.id],
    ['status', `${shown.status}, ${progress(shown)} given, until ${moment(shown.expires_at)}`],
    ['needs', shown.requirements.map((one) => one.requirement).join(' ')],
    ['digest', shown.digest],
  ]);
  if (asked === null) return `${head}\nIts content was forgotten at its expiry.`;
  const entries = Object.entries(asked.arguments).map(([name, value]) => [`  ${name}`, value] as const);
  return [
    head,
    '',
    paint('bold', `Will run ${plain(asked.tool)} (${asked.effect}, reaches ${asked.reaches})`),
    ...(asked.says === null ? [] : [plain(asked.says)]),
    fields(entries),
    '',
    fields([
      ['agent', `${asked.agent}, owned by ${asked.owner}`],
      ['sponsor', asked.sponsor],
      ['use case', `${asked.use_case}: ${asked.purpose}`],
      ['objective', asked.objective === '' ? null : `${asked.objective} (in the words of the ${asked.attested_by})`],
      ['inputs', `${JSON.stringify(asked.inputs)} (attested by the ${asked.attested_by})`],
      [
        'has read',
        `${asked.label.sensitivity} data, integrity ${asked.label.integrity}${asked.label.categories.length === 0 ? '' : `, ${asked.label.categories.join(' ')}`}`,
      ],
      ...asked.policies.map((policy) => ['asked by', policy.reason === null ? policy.id : `${policy.id}: ${policy.reason}`] as const),
    ]),
  ].join('\n');
}
