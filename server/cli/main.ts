import process from 'node:process';
import { Command, CommanderError, Option } from 'commander';
import { exits, Failure } from '../connect/index.ts';
import { version } from './package-file.ts';
import { plain } from './print.ts';

const examples = `
Examples:
  $ npx taskgate serve                                     run the broker on the samples, ./data its folder
  $ npx taskgate login --tenant acme --as ana              be a person of the samples
  $ npx taskgate session open --agent invoice-matcher --use-case match-invoices --input invoice=INV-7
  $ npx taskgate approval list                             what waits for a human
  $ npx taskgate audit verify --data ./data                is the record whole?
  $ npx taskgate demo                                      watch the whole story, checked at each step

Exit: 0 done, 1 failed, 2 wrong use, 3 a check or verification failed, 4 refused by policy, 5 pending or timed out.`;

/** Command groups by name, each loaded only when the command line names it. */
const groups: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  connect: async () => (await import('./commands/connect.ts')).connectCommand(),
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
  init: async () => (await import('./commands/init.ts')).initCommand(),
  apply: async () => (await import('./commands/apply.ts')).applyCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  login: async () => (await import('./commands/login.ts')).loginCommand(),
  logout: async () => (await import('./commands/login.ts')).logoutCommand(),
  session: async () => (await import('./commands/session.ts')).sessionCommand(),
  agent: async () => (await import('./commands/agent.ts')).agentCommand(),
  tool: async () => (await import('./commands/tool.ts')).toolCommand(),
  policy: async () => (await import('./commands/policy.ts')).policyCommand(),
  credential: async () => (await import('./commands/credential.ts')).credentialCommand(),
  'break-glass': async () => (await import('./commands/break-glass.ts')).breakGlassCommand(),
  notification: async () => (await import('./commands/notification.ts')).notificationCommand(),
  approval: async () => (await import('./commands/approval.ts')).approvalCommand(),
  delegation: async () => (await import('./commands/delegation.ts')).delegationCommand(),
  passkey: async () => (await import('./commands/passkey.ts')).passkeyCommand(),
  change: async () => (await import('./commands/change.ts')).changeCommand(),
  exception: async () => (await import('./commands/exception.ts')).exceptionCommand(),
  standing: async () => (await import('./commands/standing.ts')).standingCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
  audit: async () => (await import('./commands/audit.ts')).auditCommand(),
  schema: async () => (await import('./commands/schema.ts')).schemaCommand(),
};

async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('taskgate')
    .description('The MCP server that brokers a client’s tools to AI agents, one task session at a time.')
    .version(version)
    .addOption(new Option('--url <url>', 'where the broker listens').default('http://localhost:7411').env('TASKGATE_URL'))
    .addOption(new Option('--tenant <name>', 'whose; the last login’s when left out').env('TASKGATE_TENANT'))
    .addOption(new Option('--data <folder>', 'folder of this machine’s state').default('./data').env('TASKGATE_DATA'))
    .option('--json', 'answer in JSON')
    .addHelpText('after', examples);
  // A name may also be an option's value; then one group too many is loaded. Without any, help and suggestions need all.
  const named = Object.keys(groups).filter((name) => args.includes(name));
  const commands = await Promise.all((named.length > 0 ? named : Object.keys(groups)).flatMap((name) => groups[name]?.() ?? []));
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...commands.flatMap((one) => one.commands)])
    command.exitOverride().showHelpAfterError('(add --help for how it is used)');
  return program;
}

/** Runs one command line, `node` and script left off; answers by the process's exit code. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    await (await buildProgram(args)).parseAsync([...args], { from: 'user' });
  } catch (error) {
    process.exitCode = tell(error, args.includes('--json'));
  }
}

function tell(error: unknown, json: boolean): number {
  // Commander has said what is wrong; its own exit code is 1 for everything.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok : exits.usage;
  const { message, remedy, exit, code } = error instanceof Failure ? error : { message: unexpected(error), remedy: null, exit: exits.failure, code: null };
  if (json) process.stdout.write(`${JSON.stringify({ error: { message, remedy, code } })}\n`);
  else process.stderr.write(`taskgate: ${visible(message)}\n${remedy === null ? '' : `  ${visible(remedy)}\n`}`);
  return exit;
}

/** Lines stay lines; what others put into them cannot steer the terminal. */
const visible = (text: string): string => text.split('\n').map(plain).join('\n');

const unexpected = (error: unknown): string =>
  error instanceof Error ? (process.env['TASKGATE_DEBUG'] === undefined ? error.message : (error.stack ?? error.message)) : String(error);
