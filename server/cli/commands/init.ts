import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { Failure, usage } from '../../connect/index.ts';
import { formats, type Host, hosts, type Server, withEntry } from '../host-entries.ts';
import { write } from '../print.ts';
import { answer, type Settings, settingsOf, tenantOf } from '../settings.ts';
import { taskOptionsOf, withTaskOptions } from '../task-options.ts';

interface Options {
  readonly client: Host;
  readonly file?: string;
  readonly name: string;
  readonly print?: boolean;
  readonly replace?: boolean;
  readonly browser?: boolean;
}

const defaultUrl = 'http://localhost:7411';

export function initCommand(): Command {
  return withTaskOptions(
    new Command('init')
      .description('Write the entry with which an MCP host reaches Taskgate into the file that host loads')
      .addOption(new Option('--client <host>', 'whose file').choices(hosts).makeOptionMandatory())
      .option('--file <path>', 'another than the one of this project: .mcp.json, .cursor/mcp.json or .vscode/mcp.json')
      .option('--name <name>', 'what the host calls it', 'taskgate')
      .option('--print', 'show the entry and write nothing')
      .option('--replace', 'put it in the place of another entry of that name')
      .option('--browser', 'an address instead of a command: the host’s user logs in and picks the task in a browser'),
  )
    .addHelpText(
      'after',
      '\nAll else in the file stays.\n\nExamples:\n  $ npx taskgate init --client claude --tenant acme --agent invoice-matcher --use-case match-invoices --input invoice=INV-7\n  $ npx taskgate init --client vscode --tenant acme --browser\n  $ npx taskgate init --client claude --file ~/.config/Claude/claude_desktop_config.json --tenant acme --agent invoice-matcher --use-case match-invoices\n',
    )
    .action(init);
}

async function init(options: Options, command: Command): Promise<void> {
  const settings = settingsOf(command);
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(options.name)) throw usage(`--name ${options.name} is no name`, 'letters, digits, - and _, a letter first');
  const server = options.browser ? { url: `${settings.url}/t/${await tenantOf(settings)}/mcp` } : await commandFor(settings, command);
  if (options.print) return write(withEntry(null, options.client, options.name, server, { where: '', replace: true }).trimEnd());
  const file = resolve(options.file ?? formats[options.client].file);
  const before = await readIf(file);
  await writeWhole(file, withEntry(before, options.client, options.name, server, { where: file, replace: options.replace ?? false }));
  answer(settings, { file, name: options.name }, () => `${options.name} is in ${file}. ${next[options.client]}`);
}

const next: Readonly<Record<Host, string>> = {
  claude: 'Start Claude again in this folder, and approve the server when it asks.',
  cursor: 'Turn it on in Cursor’s settings, under MCP.',
  vscode: 'Start it with “MCP: List Servers” in VS Code.',
};

/** The command the host runs. Paths are absolute, for a host starts it where it likes. */
async function commandFor(settings: Settings, command: Command): Promise<Server> {
  const { tenant, agent, key, svidFile, sponsorToken, task } = await taskOptionsOf(command);
  const given: { input?: string[] } = command.opts();
  const option = (name: string, value: string | number | null | undefined): string[] =>
    value === null || value === undefined ? [] : [`--${name}`, String(value)];
  const file = (name: string, path: string | null): string[] => option(name, path === null ? null : resolve(path));
  const args = [
    ...['taskgate', 'connect'],
    ...option('url', settings.url === defaultUrl ? null : settings.url),
    ...option('tenant', tenant),
    ...option('agent', agent),
    ...option('use-case', task.use_case),
    ...(given.input ?? []).flatMap((one) => option('input', one)),
    ...option('objective', task.objective),
    ...(task.tools ?? []).flatMap((one) => option('tool', one)),
    ...option('lifetime', task.lifetime === undefined ? null : `${task.lifetime}s`),
    ...option('parent', task.parent),
    ...file('key', key),
    ...file('svid-file', svidFile),
    ...file('sponsor-token', sponsorToken),
    ...option('data', settings.data),
  ];
  return { command: 'npx', args };
}

async function readIf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Failure(`${file} cannot be read`, { remedy: 'give another with --file', cause: error });
  }
}

/** Whole or not at all, where a link leads, and readable by whom it was. */
async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const target = await realpath(file).catch(() => file);
    const mode = await stat(target).then(
      (found) => found.mode & 0o777,
      () => 0o644,
    );
    const draft = `${target}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, text, { flag: 'wx', mode });
    await chmod(draft, mode);
    await rename(draft, target);
  } catch (error) {
    throw new Failure(`${file} cannot be written`, { remedy: 'give another with --file, or --print', cause: error });
  }
}
