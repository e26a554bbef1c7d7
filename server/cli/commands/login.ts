import { Command } from 'commander';
import { currentLogin, findDoors, forgetLogin, linkToConsole, logInLocally, logInWithToken, readToken, usage } from '../../connect/index.ts';
import { answer, settingsOf, tenantOf } from '../settings.ts';
import { readInputs } from '../task-options.ts';

const gather = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

interface Options {
  readonly as?: string;
  readonly tokenFile?: string;
  readonly web?: boolean;
  readonly agent?: string;
  readonly useCase?: string;
  readonly input?: string[];
  readonly objective?: string;
}

export function loginCommand(): Command {
  return new Command('login')
    .description('Be a person of a tenant on this machine, for /v1 and as the sponsor of tasks')
    .option('--as <name>', 'who; the last login’s when left out')
    .option('--token-file <file>', 'an ID token of the tenant’s own issuer, instead of the local provider')
    .option('--web', 'print a link that logs you in at the console in a browser: once, within five minutes')
    .option('--agent <name>', 'sponsor one task of this agent, in exactly these words:')
    .option('--use-case <name>', '  its use case')
    .option('--input <name=value>', '  its inputs', gather)
    .option('--objective <text>', '  its objective')
    .addHelpText(
      'after',
      '\nThe token is kept under <data>/people (0600) and never shown; it is renewed silently while the local provider can.\n\nExamples:\n  $ npx taskgate login --tenant acme --as ana\n  $ npx taskgate login --tenant acme --as bob --web\n  $ npx taskgate login --tenant acme --as ana --agent invoice-matcher --use-case match-invoices --input invoice=INV-7\n  $ npx taskgate login --tenant acme --token-file ./id-token.jwt --as ana\n',
    )
    .action(login);
}

async function login(options: Options, command: Command): Promise<void> {
  const settings = settingsOf(command);
  const tenant = await tenantOf(settings);
  const name = options.as ?? (await currentLogin(settings.data, tenant))?.name;
  if (name === undefined) throw usage('who?', 'give --as NAME; the samples of acme are ana, bob, carl and dana');
  const task = sponsoredTask(options);
  if (options.web && (task !== null || options.tokenFile !== undefined)) throw usage('--web stands alone', 'give it with --as NAME and nothing else');
  const doors = await findDoors(settings.url, tenant);
  if (options.web) {
    const link = await linkToConsole(doors, settings.data, name);
    return answer(settings, { tenant, name, ...link }, () => `Open this in a browser, once, within five minutes:\n${link.url}`);
  }
  if (options.tokenFile !== undefined) {
    if (task !== null) throw usage('--token-file holds what the issuer signed; --agent and the task cannot be added to it');
    await logInWithToken(doors, settings.data, name, await readToken(options.tokenFile, 'check --token-file'));
  } else await logInLocally(doors, settings.data, name, task);
  answer(settings, { tenant, name }, () => '');
}

function sponsoredTask({ agent, useCase, input, objective }: Options): { agent: string; details: Record<string, unknown> | null } | null {
  if (agent === undefined || useCase === undefined) {
    if (agent !== undefined || useCase !== undefined || input !== undefined || objective !== undefined)
      throw usage('a login for one task needs both --agent and --use-case');
    return null;
  }
  return { agent, details: { type: 'taskgate-task', use_case: useCase, ...(objective === undefined ? {} : { objective }), inputs: readInputs(input ?? []) } };
}

export function logoutCommand(): Command {
  return new Command('logout')
    .description('Forget the last login on this machine')
    .option('--as <name>', 'forget this person instead')
    .action(async (options: { as?: string }, command: Command) => {
      const settings = settingsOf(command);
      const held = await currentLogin(settings.data, settings.tenant, options.as ?? null);
      if (held !== null) await forgetLogin(settings.data, held);
      answer(settings, { forgotten: held === null ? null : { tenant: held.tenant, name: held.name } }, () => '');
    });
}
