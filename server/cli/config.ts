import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { type ConfigFile, config } from '../config.ts';
import { exits, Failure } from '../connect/index.ts';

/** Where a setting is written in the environment; lists are separated by commas. */
const variables = {
  TASKGATE_LISTEN_PORT: ['listen', 'port'],
  TASKGATE_LISTEN_HOSTS: ['listen', 'hosts'],
  TASKGATE_PUBLIC_URL: ['public_url'],
  TASKGATE_ALLOWED_ORIGINS: ['allowed_origins'],
  TASKGATE_STORE: ['store'],
  TASKGATE_DATA: ['data'],
  TASKGATE_DOCUMENTS: ['documents'],
  TASKGATE_LOG_LEVEL: ['log_level'],
  TASKGATE_HOLD_MS: ['hold_ms'],
  TASKGATE_CONSOLE_IDLE_MS: ['console', 'idle_ms'],
  TASKGATE_CONSOLE_LONGEST_MS: ['console', 'longest_ms'],
} as const;
const numbers = new Set(['port', 'hold_ms', 'idle_ms', 'longest_ms']);
const lists = new Set(['hosts', 'allowed_origins', 'documents']);

type Tree = { [key: string]: unknown };

/** Settings as they were read; without a public URL the broker derives it from the port it got. */
export type BrokerSettings = Omit<ConfigFile, 'public_url'> & { public_url?: string };

/**
 * The broker's settings: `taskgate.yaml` of the working folder (or `file`), over it `TASKGATE_*`, over it what the
 * command line said. Rejects with `Failure` that names the place of each mistake.
 */
export async function loadConfig(options: { readonly file: string | null; readonly env: NodeJS.ProcessEnv; readonly flags: Tree }): Promise<BrokerSettings> {
  const merged: Tree = await readConfigFile(options.file);
  for (const [variable, path] of Object.entries(variables)) {
    const value = options.env[variable];
    if (value !== undefined && value !== '') place(merged, path, fromText(path.at(-1) ?? '', value));
  }
  for (const path of pathsOf(config.parse({}).limits)) {
    const value = options.env[`TASKGATE_LIMITS_${path.join('_').toUpperCase()}`];
    if (value !== undefined && value !== '') place(merged, ['limits', ...path], Number(value));
  }
  for (const [key, value] of Object.entries(options.flags)) if (value !== undefined) place(merged, key.split('.'), value);
  // The store lies in the data folder unless it is said to lie elsewhere.
  if (merged['store'] === undefined && typeof merged['data'] === 'string') merged['store'] = `sqlite:${join(merged['data'], 'taskgate.db')}`;

  const parsed = config.safeParse(merged);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
    throw new Failure(`the settings do not fit: ${mistakes.join('; ')}`, {
      remedy: 'they come from taskgate.yaml, TASKGATE_* and the options of serve; docs/operator.md lists them',
      exit: exits.usage,
    });
  }
  const { public_url, ...rest } = parsed.data;
  return public_url === undefined ? rest : { ...rest, public_url };
}

async function readConfigFile(file: string | null): Promise<Tree> {
  const name = file ?? 'taskgate.yaml';
  let text: string;
  try {
    text = await readFile(name, 'utf8');
  } catch (error) {
    if (file === null && error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new Failure(`cannot read ${name}`, { remedy: 'check --config', exit: exits.usage, cause: error });
  }
  const document = parseDocument(text, { uniqueKeys: true, maxAliasCount: 0 } as Parameters<typeof parseDocument>[1]);
  const [mistake] = document.errors;
  if (mistake !== undefined) throw new Failure(`${name}: ${mistake.message}`, { exit: exits.usage });
  const tree: unknown = document.toJS({ maxAliasCount: 0 });
  if (tree === null) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) throw new Failure(`${name} is not a map of settings`, { exit: exits.usage });
  return { ...tree };
}

function place(tree: Tree, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const below = tree[head];
  const branch: Tree = typeof below === 'object' && below !== null && !Array.isArray(below) ? { ...below } : {};
  place(branch, rest, value);
  tree[head] = branch;
}

/** Every setting of a tree of numbers, such as `['requests', 'session', 'burst']`. */
function pathsOf(tree: object): (readonly string[])[] {
  return Object.entries(tree).flatMap(([name, value]) => (typeof value === 'object' ? pathsOf(value).map((path) => [name, ...path]) : [[name]]));
}

function fromText(name: string, text: string): unknown {
  if (numbers.has(name)) return Number(text);
  if (lists.has(name)) return text.split(',').map((part) => part.trim());
  return text;
}
