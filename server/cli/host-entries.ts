import { BadJson, parseJsonStrict } from '../../tools/index.ts';
import { Failure } from '../connect/index.ts';

/** What MCP hosts load: where each keeps its servers, and how it writes one down. */

export const hosts = ['claude', 'cursor', 'vscode'] as const;
export type Host = (typeof hosts)[number];

/** A server a host starts, or one it finds at an address and logs its user in to. */
export type Server = { readonly command: string; readonly args: readonly string[] } | { readonly url: string };

interface Format {
  /** Of a project, relative to its folder. */
  readonly file: string;
  readonly key: 'mcpServers' | 'servers';
  entry(server: Server): Readonly<Record<string, unknown>>;
}

export const formats: Readonly<Record<Host, Format>> = {
  // code.claude.com/docs/en/mcp; `claude_desktop_config.json` has the same shape, for what it starts.
  claude: { file: '.mcp.json', key: 'mcpServers', entry: (server) => ('url' in server ? { type: 'http', ...server } : server) },
  // cursor.com/docs/mcp
  cursor: { file: '.cursor/mcp.json', key: 'mcpServers', entry: (server) => server },
  // code.visualstudio.com/docs/agents/reference/mcp-configuration
  vscode: { file: '.vscode/mcp.json', key: 'servers', entry: (server) => ({ type: 'url' in server ? 'http' : 'stdio', ...server }) },
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The file with the entry in it and all else as it was. Throws a `Failure` when the file is not what the host could load either, or has
 * another entry of that name which is not to be replaced.
 */
export function withEntry(
  before: string | null,
  host: Host,
  name: string,
  server: Server,
  options: { readonly where: string; readonly replace: boolean },
): string {
  const { key, entry } = formats[host];
  const made = entry(server);
  const old = before === null || before.trim() === '' ? {} : read(before, options.where);
  const servers = Object.hasOwn(old, key) ? old[key] : {};
  if (!isObject(servers))
    throw new Failure(`${options.where}: "${key}" is not an object`, { remedy: `make it one, or print the entry with --print and put it where it belongs` });
  const there = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (there !== undefined && JSON.stringify(there) !== JSON.stringify(made) && !options.replace)
    throw new Failure(`${options.where} has another server called ${name}`, { remedy: 'give --name for a second one, or --replace to put this in its place' });
  return `${JSON.stringify({ ...old, [key]: { ...servers, [name]: made } }, null, indentOf(before))}\n`;
}

function read(text: string, where: string): Record<string, unknown> {
  try {
    const value = parseJsonStrict(text.replace(/^\uFEFF/, ''));
    if (isObject(value)) return value;
    throw new BadJson('it holds no object');
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    throw new Failure(`${where} is not JSON that can be kept whole: ${error.message}`, {
      remedy: 'correct it (comments and trailing commas would be lost), or print the entry with --print and paste it',
    });
  }
}

/** As the file has it, so that a look at what changed shows this entry alone. */
function indentOf(before: string | null): string {
  return /^\s*\{\r?\n([ \t]+)"/.exec(before ?? '')?.[1] ?? '  ';
}
