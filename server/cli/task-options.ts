import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseJsonStrict } from '../../tools/index.ts';
import { type TaskOptions, usage } from '../connect/index.ts';
import { settingsOf, tenantOf } from './settings.ts';

/** The options that `connect` and `session open` share: who acts, for which task, with which proofs. */

const gather = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

const seconds = (text: string): number => {
  const match = /^([1-9][0-9]{0,5})([smhd])$/.exec(text);
  if (match === null) throw new InvalidArgumentError('a duration is 90s, 30m, 4h or 1d');
  return Number(match[1]) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's'] ?? 1);
};

interface Given {
  readonly agent?: string;
  readonly useCase?: string;
  readonly input?: string[];
  readonly objective?: string;
  readonly key?: string;
  readonly svidFile?: string;
  readonly sponsorToken?: string;
  readonly tool?: string[];
  readonly lifetime?: number;
  readonly parent?: string;
}

export function withTaskOptions(command: Command): Command {
  return command
    .addOption(new Option('--agent <name>', 'who acts').env('TASKGATE_AGENT'))
    .addOption(new Option('--use-case <name>', 'what kind of task').env('TASKGATE_USE_CASE'))
    .addOption(
      new Option(
        '--input <name=value>',
        'an input of the task, again for more; a value that is JSON is taken as such: x=7 is a number, x=\'"7"\' is text',
      ).argParser(gather),
    )
    .addOption(new Option('--objective <text>', 'what the task is for, in words').env('TASKGATE_OBJECTIVE'))
    .addOption(new Option('--key <file>', 'the workload’s private JWK (<data>/local/<tenant>/agents/<agent>.json)').env('TASKGATE_KEY'))
    .addOption(new Option('--svid-file <file>', 'a JWT-SVID kept fresh by something else').env('TASKGATE_SVID_FILE').conflicts('key'))
    .addOption(new Option('--sponsor-token <file>', 'ID token of the sponsor; the last login when left out').env('TASKGATE_SPONSOR_TOKEN'))
    .addOption(new Option('--tool <name>', 'ask for this tool only, again for more; all that the use case grants when left out').argParser(gather))
    .addOption(new Option('--lifetime <duration>', 'how long the session may live, such as 30m').argParser(seconds))
    .addOption(new Option('--parent <session>', 'the session this one is part of').env('TASKGATE_PARENT'));
}

export async function taskOptionsOf(command: Command): Promise<TaskOptions> {
  const settings = settingsOf(command);
  const given: Given = command.opts();
  if (given.agent === undefined) throw usage('which agent acts?', 'give --agent NAME (TASKGATE_AGENT)');
  if (given.useCase === undefined) throw usage('for which use case?', 'give --use-case NAME (TASKGATE_USE_CASE)');
  return {
    url: settings.url,
    tenant: await tenantOf(settings),
    data: settings.data,
    agent: given.agent,
    key: given.key ?? null,
    svidFile: given.svidFile ?? null,
    sponsorToken: given.sponsorToken ?? null,
    task: {
      use_case: given.useCase,
      ...(given.objective === undefined ? {} : { objective: given.objective }),
      inputs: readInputs(given.input ?? environmentInputs()),
      ...(given.tool === undefined ? {} : { tools: given.tool }),
      ...(given.lifetime === undefined ? {} : { lifetime: given.lifetime }),
      ...(given.parent === undefined ? {} : { parent: given.parent }),
    },
  };
}

/** `TASKGATE_INPUT` holds one `name=value` a line. */
const environmentInputs = (): string[] => (process.env['TASKGATE_INPUT'] ?? '').split('\n').filter((line) => line !== '');

/** `invoice=INV-7`, `limit=500`, `tags=["a"]`: numbers, booleans, null, arrays and objects as JSON writes them, the rest text. */
export function readInputs(pairs: readonly string[]): Record<string, unknown> {
  const inputs = new Map<string, unknown>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw usage(`--input ${pair} is not name=value`, 'for example --input invoice=INV-7');
    const name = pair.slice(0, at);
    if (inputs.has(name)) throw usage(`--input ${name} is given twice`);
    inputs.set(name, readValue(name, pair.slice(at + 1)));
  }
  return Object.fromEntries(inputs);
}

function readValue(name: string, text: string): unknown {
  if (!/^(-?[0-9]|[[{"]|true$|false$|null$)/.test(text) || !isJson(text)) return text;
  try {
    return parseJsonStrict(text);
  } catch (error) {
    // JSON, but what the broker would read of it is not what stands there.
    throw usage(`--input ${name} holds ${error instanceof Error ? error.message : 'unusable JSON'}`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
