import process from 'node:process';
import { Command } from 'commander';
import { connect } from '../../connect/index.ts';
import { version } from '../package-file.ts';
import { taskOptionsOf, withTaskOptions } from '../task-options.ts';

export function connectCommand(): Command {
  return withTaskOptions(new Command('connect'))
    .description('Be a stdio MCP server for an agent host: open one task session, lend its tools, end it when the host leaves')
    .addHelpText(
      'after',
      '\nA host starts this; mcp.json holds the entry to load. Each option is also TASKGATE_<NAME>.\n\nExample:\n  $ npx taskgate connect --tenant acme --agent invoice-matcher --use-case match-invoices --input invoice=INV-7\n',
    )
    .action(async (_options: unknown, command: Command) => {
      await connect(await taskOptionsOf(command), version);
      // The host has left; nothing that still waits for an answer may keep this process.
      process.exit();
    });
}
