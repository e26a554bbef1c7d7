import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import { Failure } from '../../connect/index.ts';
import { fields, moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';

const summary = z.looseObject({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  digest: z.string(),
  requirement: z.string(),
  needed: z.int(),
  tool: z.string(),
  use_case: z.string(),
  session: z.string().nullable(),
  author: z.string(),
  votes: z.array(z.looseObject({ name: z.string(), decision: z.string(), reason: z.string().nullable() })),
  expires_at: z.int(),
});
type Summary = z.infer<typeof summary>;
const detail = summary.extend({ content: z.record(z.string(), z.unknown()).nullable() });

const example = `
The file, YAML or JSON:
  requirement: approval:finance:2   # given by two people of finance, and standing for them
  tool: ledger__post_payment
  use_case: match-invoices
  arguments:                        # as in grants; an argument that is not named is not covered
    invoice: { from: inputs.invoice }
    iban: { enum: [DE02120300000000202051] }
    amount: { maximum: 800 }
  max_calls: 20
  max_amount: 10000                 # in total; owed when the tool moves amounts
  per_day: { calls: 3 }
  max_label: { sensitivity: internal, categories: [], integrity: tenant }
  ends: 2026-12-31                  # at most 90 days ahead
  reason: the supplier's weekly deliveries

For a destructive tool it lifts only forbids marked @accepts("standing").
`;

const at = (id: string, rest = ''): string => `/standing-approvals/${encodeURIComponent(id)}${rest}`;

export function standingCommand(): Command {
  const group = new Command('standing').description('Standing approvals: calls like these need no answer each time, until an end');

  group
    .command('list')
    .description('Standing approvals, and answers remembered within sessions')
    .option('--status <status>', 'pending, active, denied, revoked or expired')
    .action(async ({ status }: { status?: string }, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/standing-approvals', summary, { status });
      const rows = items.map((one) => [one.id, one.kind, one.status, one.requirement, one.tool, one.use_case, given(one), moment(one.expires_at)]);
      answer(settings, { items }, () =>
        items.length === 0 ? 'There is no standing approval.' : table(['standing', 'kind', 'status', 'stands for', 'tool', 'use case', 'given', 'until'], rows),
      );
    });
  group
    .command('show <standing>')
    .description('Exactly what is given, by whom')
    .action(async (id: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const shown = await show(await openV1(settings), id);
      answer(settings, shown, () => describe(shown));
    });
  group
    .command('propose <file>')
    .description('Propose one; it covers nothing until others of the group have given it')
    .addHelpText('after', example)
    .action(async (file: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new Failure(`${file} cannot be read`, { cause: error });
      });
      const proposed = await (await openV1(settings)).post('/standing-approvals', parse(text) as object, summary);
      answer(settings, proposed, () => `${proposed.id} waits for ${proposed.needed} of those it stands for, until ${moment(proposed.expires_at)}.`);
    });
  for (const verb of ['approve', 'deny'] as const) {
    group
      .command(`${verb} <standing>`)
      .description(verb === 'approve' ? 'Give exactly what `standing show` shows' : 'Refuse it, for everybody')
      .requiredOption('--reason <text>', 'why')
      .action(async (id: string, { reason }: { reason: string }, command: Command) => {
        const settings = settingsOf(command);
        const v1 = await openV1(settings);
        const shown = await show(v1, id);
        const decided = await v1.post(at(id, '/decisions'), { decision: verb, digest: shown.digest, reason }, summary);
        answer(settings, decided, () => `${describe(shown)}\n\nIt is now ${decided.status}, given by ${given(decided)}.`);
      });
  }
  group
    .command('revoke <standing>')
    .description('End it at once, for every session')
    .option('--reason <text>', 'why, for the record')
    .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
      const settings = settingsOf(command);
      const ended = await (await openV1(settings)).post(at(id, '/revoke'), reason === undefined ? {} : { reason }, summary);
      answer(settings, ended, () => `${ended.id} is now ${ended.status}; calls like these are asked about again.`);
    });
  return group;
}

const show = (v1: V1, id: string) => v1.get(at(id), detail);

const given = ({ votes, needed }: Summary): string => `${votes.filter(({ decision }) => decision === 'approve').length}/${needed}`;

function describe(shown: z.infer<typeof detail>): string {
  return fields([
    ['standing', shown.id],
    ['status', `${shown.status}, ${given(shown)} given, until ${moment(shown.expires_at)}`],
    ['digest', shown.digest],
    ['proposed by', shown.author],
    ...shown.votes.map((vote) => [vote.decision, `${vote.name}${vote.reason === null ? '' : `: ${vote.reason}`}`] as const),
    ...Object.entries(shown.content ?? {}).flatMap(([name, value]) =>
      value === null || ['tenant', 'id', 'kind', 'author'].includes(name) ? [] : [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const],
    ),
  ]);
}
