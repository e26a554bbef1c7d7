import type { Command } from 'commander';
import { z } from 'zod';
import { exits, Failure } from '../../connect/index.ts';
import { describe, detail } from '../describe-approval.ts';
import { moment, table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { openV1 } from '../v1.ts';

const batch = z.looseObject({ batch: z.string(), tool: z.string(), agent: z.string(), signed: z.boolean(), approvals: z.array(detail) });
const decided = z.looseObject({
  items: z.array(z.looseObject({ approval: z.string(), decided: z.looseObject({ status: z.string() }).nullable(), message: z.string().nullable() })),
});

const collect = (text: string, before: readonly string[]): string[] => [...before, text];
const names = (id: string, wanted: readonly string[]): boolean => wanted.some((one) => id.startsWith(one) || id.startsWith(`apr_${one}`));

/** Calls alike, beside each other: each is still voted on by its own digest. */
export function addBatchCommands(group: Command): void {
  group
    .command('batches')
    .description('Calls alike among what waits for you, with what each would send')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/approval-batches', batch);
      answer(settings, { items }, () =>
        items.length === 0
          ? 'No calls alike wait for you.'
          : items
              .map((one) => {
                const rows = one.approvals.map(({ id, expires_at, proposal }) => [id, JSON.stringify(proposal?.arguments), moment(expires_at)]);
                return `batch ${one.batch.slice(0, 12)}: ${one.tool} for ${one.agent}\n${table(['approval', 'would send', 'until'], rows)}`;
              })
              .join('\n\n'),
      );
    });
  group
    .command('approve-batch <batch>')
    .description('Approve each call of a batch as `approval batches` shows it, save those you name; nothing when it has changed since')
    .option('--reason <text>', 'why, for the record; owed when the tool is destructive')
    .option('--leave <approval>', 'not this one; may be repeated', collect, [])
    .option('--deny <approval>', 'deny this one, with --denial; may be repeated', collect, [])
    .option('--denial <text>', 'why those are denied; the agent reads it')
    .addHelpText('after', '\nExample:\n  $ npx taskgate approval approve-batch 3fa91c0b27d1 --reason "the weekly deliveries" --leave apr_3kT\n')
    .action(async (named: string, options: { reason?: string; leave: string[]; deny: string[]; denial?: string }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const found = (await v1.list('/approval-batches', batch)).filter((one) => named.length >= 8 && one.batch.startsWith(named));
      const [only] = found;
      if (found.length !== 1 || only === undefined)
        throw new Failure('there is no such batch now', { remedy: 'read it again with `npx taskgate approval batches`', exit: exits.refused });
      const chosen = only.approvals.filter(({ id }) => !names(id, options.leave));
      const votes = chosen.map(({ id, digest }) => {
        const denies = names(id, options.deny);
        return { approval: id, digest, decision: denies ? 'deny' : 'approve', reason: (denies ? options.denial : options.reason) ?? null };
      });
      const { items } = await v1.post('/approval-batches', { votes }, decided);
      const failed = items.filter((one) => one.decided === null);
      const told = items.map((one) => `${one.approval}: ${one.decided === null ? one.message : `now ${one.decided.status}`}`).join('\n');
      if (failed.length > 0) throw new Failure(`${failed.length} of ${items.length} votes were not cast\n${told}`, { exit: exits.refused });
      answer(settings, { items }, () => `${chosen.map(describe).join('\n\n')}\n\n${told}`);
    });
}
