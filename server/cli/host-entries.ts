import { applyEdits, modify, stripComments } from 'jsonc-parser';
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
  /** The host reads past comments. */
  readonly comments: boolean;
  entry(server: Server): Readonly<Record<string, unknown>>;
}

export const formats: Readonly<Record<Host, Format>> = {
  // code.claude.com/docs/en/mcp; `claude_desktop_config.json` has the same shape, for what it starts.
  claude: { file: '.mcp.json', key: 'mcpServers', comments: false, entry: (server) => ('url' in server ? { type: 'http', ...server } : server) },
  // cursor.com/docs/mcp
  cursor: { file: '.cursor/mcp.json', key: 'mcpServers', comments: false, entry: (server) => server },
  // code.visualstudio.com/docs/agents/reference/mcp-configuration
  vscode: { file: '.vscode/mcp.json', key: 'servers', comments: true, entry: (server) => ({ type: 'url' in server ? 'http' : 'stdio', ...server }) },
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
  const { key, entry, comments } = formats[host];
  const made = entry(server);
  const text = before === null || before.trim() === '' ? '{}\n' : before;
  const old = read(text, options.where, comments);
  const servers = Object.hasOwn(old, key) ? old[key] : {};
  if (!isObject(servers))
    throw new Failure(`${options.where}: "${key}" is not an object`, { remedy: `make it one, or print the entry with --print and put it where it belongs` });
  const there = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (there !== undefined && JSON.stringify(there) === JSON.stringify(made)) return text;
  if (there !== undefined && !options.replace)
    throw new Failure(`${options.where} has another server called ${name}`, { remedy: 'give --name for a second one, or --replace to put this in its place' });
  return applyEdits(text, modify(text, [key, name], made, { formattingOptions: formatOf(text) }));
}

function read(text: string, where: string, comments: boolean): Record<string, unknown> {
  try {
    const value = parseJsonStrict((comments ? stripComments(text, ' ') : text).replace(/^\uFEFF/, ''));
    if (isObject(value)) return value;
    throw new BadJson('it holds no object');
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    throw new Failure(`${where} is not what its host could load: ${error.message}`, {
      remedy: `correct it (${comments ? 'trailing commas' : 'comments and trailing commas'} are not JSON), or print the entry with --print and paste it`,
    });
  }
}

/** As the file has it, so that a look at what changed shows this entry alone. */
function formatOf(text: string) {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  return { insertSpaces: !indent.includes('\t'), tabSize: indent.length, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}
