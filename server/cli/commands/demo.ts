import { Command } from 'commander';
import { settingsOf } from '../settings.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .description('Play the whole story against a fresh broker on free ports and a temporary folder, checking each step')
    .addHelpText('after', '\nNothing of it stays. Ends with 1 at the first surprise, saying what was expected and what was seen.\n')
    .action(async (_options: unknown, command: Command) => {
      const { playDemo } = await import('../demo/index.ts');
      await playDemo({ json: settingsOf(command).json });
    });
}
