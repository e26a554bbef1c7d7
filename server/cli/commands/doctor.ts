import { Command } from 'commander';
import { exits, Failure } from '../../connect/index.ts';
import { table } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check this machine for a broker: Node, folders and keys, store, listeners, commands, documents')
    .option('--config <file>', 'settings (./taskgate.yaml)')
    .option('--documents <path...>', 'documents to check (the samples)')
    .action(async (options: { config?: string; documents?: string[] }, command: Command) => {
      const settings = settingsOf(command);
      const { examine } = await import('../examine.ts');
      const findings = await examine({ settings, config: options.config ?? null, documents: options.documents ?? null });
      const colour = { ok: 'green', note: 'yellow', bad: 'red' } as const;
      answer(settings, { ok: findings.every((one) => one.state !== 'bad'), findings }, () =>
        table(
          ['check', 'state', 'finding'],
          findings.map((one) => [
            one.check,
            { style: colour[one.state], text: one.state },
            one.remedy === null ? one.finding : `${one.finding}; ${one.remedy}`,
          ]),
        ),
      );
      const bad = findings.filter((one) => one.state === 'bad').length;
      if (bad > 0) throw new Failure(`${bad} of ${findings.length} checks failed`, { exit: exits.check });
    });
}
