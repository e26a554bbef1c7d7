import { setTimeout as pause } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { exits, Failure, usage } from '../../connect/index.ts';
import { type Detail, describe, detail, progress, type Summary, summary } from '../describe-approval.ts';
import { autonomy, describeAutonomy } from '../describe-autonomy.ts';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';
import { addBatchCommands } from './approval-batch.ts';

const remembered = z.looseObject({ id: z.string(), status: z.string() });

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

/** `name=value`, collected; a value that is no JSON is text. */
function setting(text: string, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('<name>=<value>, such as amount=450');
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  try {
    return { ...before, [name]: JSON.parse(value) as unknown };
  } catch {
    return { ...before, [name]: value };
  }
}

/** Looks until it no longer waits for people, at most `waitSeconds`. */
async function settled(v1: V1, from: Summary, waitSeconds: number): Promise<Summary> {
  const until = Date.now() + waitSeconds * 1000;
  for (let now = from; ; ) {
    if (now.status !== 'pending') return now;
    if (Date.now() >= until) throw new Failure(`${now.id} still waits after ${waitSeconds} s`, { exit: exits.pending });
    await pause(Math.min(lookAgainMs, Math.max(1, until - Date.now())));
    now = await v1.get(`/approvals/${encodeURIComponent(from.id)}`, summary);
  }
}

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
    .option('--wait <seconds>', 'until it is decided, at most this long; then exit 5', seconds)
    .action(async (id: string, options: { wait?: number }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const shown = await show(v1, id);
      if (options.wait !== undefined) await settled(v1, shown, options.wait);
      const now = options.wait === undefined ? shown : await show(v1, shown.id);
      answer(settings, now, () => describe(now));
    });

  const decide =
    (verb: 'approve' | 'deny') =>
    async (
      id: string,
      options: { reason?: string; requirement?: string; digest?: string; inPlaceOf?: string; wait?: number },
      command: Command,
    ): Promise<void> => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const shown = await show(v1, id);
      if (options.digest !== undefined && options.digest !== shown.digest) {
        throw new Failure('what waits now is not what that digest names', {
          remedy: `read it again with \`npx taskgate approval show ${shown.id}\``,
          exit: exits.refused,
        });
      }
      const { reason, requirement, inPlaceOf } = options;
      const voted = await v1.post(
        `/approvals/${encodeURIComponent(shown.id)}/decisions`,
        {
          decision: verb,
          digest: shown.digest,
          ...(reason === undefined ? {} : { reason }),
          ...(requirement === undefined ? {} : { requirement }),
          ...(inPlaceOf === undefined ? {} : { on_behalf_of: inPlaceOf }),
        },
        summary,
      );
      const decided = options.wait === undefined ? voted : await settled(v1, voted, options.wait);
      answer(settings, decided, () => `${describe(shown)}\n\n${verb === 'approve' ? 'Approved' : 'Denied'}: ${became(decided)}.`);
    };
  group
    .command('approve <approval>')
    .description('Approve exactly what `approval show` shows; an id may be shortened while it is the only one')
    .option('--reason <text>', 'why, for the record; owed when the tool is destructive')
    .option('--requirement <literal>', 'which requirement your vote is for, when it asks several')
    .option('--in-place-of <name>', 'who lent you the place to vote in; your own when left out, if you have one')
    .option('--digest <sha256>', 'approve only if it is still this proposal')
    .option('--wait <seconds>', 'until the others have decided too, at most this long; then exit 5', seconds)
    .addHelpText('after', '\nExamples:\n  $ npx taskgate approval list\n  $ npx taskgate approval approve apr_3kT --reason "matches order 4711"\n')
    .action(decide('approve'));
  group
    .command('deny <approval>')
    .description('Deny it; the agent gets to read why')
    .requiredOption('--reason <text>', 'why')
    .option('--requirement <literal>', 'which requirement your vote is for, when it asks several')
    .option('--in-place-of <name>', 'who lent you the place to vote in; your own when left out, if you have one')
    .option('--digest <sha256>', 'deny only if it is still this proposal')
    .option('--wait <seconds>', 'where a denial takes more than one: until it is decided, at most this long; then exit 5', seconds)
    .action(decide('deny'));
  group
    .command('edit <approval>')
    .description('Narrow what waits: a lower amount, fewer targets in a list, a shorter text; then it is voted on anew')
    .requiredOption('--set <name=value>', 'one argument, as JSON or plain text; may be repeated', setting, {})
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--wait <seconds>', 'until the edited call is decided, at most this long; then exit 5', seconds)
    .addHelpText(
      'after',
      '\nThe agent is told what was changed. Approve the edited call by the id this prints.\n\nExample:\n  $ npx taskgate approval edit apr_3kT --set amount=450 --reason "half was delivered"\n',
    )
    .action(async (id: string, { set, reason, wait }: { set: Record<string, unknown>; reason: string; wait?: number }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const shown = await show(v1, id);
      if (shown.proposal === null) throw new Failure('its content was forgotten at its expiry', { exit: exits.refused });
      const body = { digest: shown.digest, arguments: { ...shown.proposal.arguments, ...set }, reason };
      const edited = await v1.post(`/approvals/${encodeURIComponent(shown.id)}/edits`, body, summary);
      const decided = wait === undefined ? edited : await settled(v1, edited, wait);
      const asks = edited.requirements.map((one) => one.requirement).join(' ');
      answer(settings, decided, () => `${edited.id} takes its place and ${wait === undefined ? `waits for ${asks}` : `is now ${decided.status}`}.`);
    });
  addBatchCommands(group);
  group
    .command('stats')
    .description('How often people were asked, from the record: autonomy and approvals a task')
    .option('--days <days>', 'of the last so many', seconds, 30)
    .action(async ({ days }: { days: number }, command: Command) => {
      const settings = settingsOf(command);
      const measured = await (await openV1(settings)).get(`/measures/autonomy?days=${days}`, autonomy);
      answer(settings, measured, () => describeAutonomy(measured));
    });
  group
    .command('remember <approval>')
    .description('Have your answer remembered within its task: never for a destructive tool, nor once something external was read')
    .option('--set <name=constraint>', 'one argument, as a constraint in JSON; exactly as it was for all when left out', setting, {})
    .addHelpText(
      'after',
      '\nIt counts once as many people as the call needed remember the same.\n\nExample:\n  $ npx taskgate approval remember apr_3kTz… --set \'to={"enum":["a@acme.example"]}\' --set \'text={"maxLength":500}\'\n',
    )
    .action(async (id: string, { set }: { set: Record<string, unknown> }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const whole = await wholeId(v1, id, ['pending', 'approved', 'used']);
      const { digest } = await v1.get(`/approvals/${encodeURIComponent(whole)}`, summary);
      const body = { digest, ...(Object.keys(set).length === 0 ? {} : { arguments: set }) };
      const kept = await v1.post(`/approvals/${encodeURIComponent(whole)}/remember`, body, remembered);
      answer(settings, kept, () => `${kept.id} is ${kept.status}${kept.status === 'active' ? ' until the task ends' : '; others have to remember the same'}.`);
    });
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
