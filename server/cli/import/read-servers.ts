import { z } from 'zod';
import { Failure } from '../../connect/index.ts';

/** The servers a host's own file names: `mcpServers` (most hosts) or `servers` (VS Code). */

const entry = z.looseObject({
  command: z.string().min(1).optional(),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
});

export type ServerEntry =
  | { readonly type: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }
  | { readonly type: 'http'; readonly url: URL; readonly headers: Readonly<Record<string, string>> };

/** Throws a `Failure` that quotes nothing of the file: it may hold keys. */
export function readServers(text: string, where: string): ReadonlyMap<string, ServerEntry> {
  const file = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()).optional(), servers: z.record(z.string(), z.unknown()).optional() });
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(text));
  } catch {
    throw new Failure(`${where} is not JSON`, { remedy: 'give the file in which your host keeps its servers, such as .mcp.json or .vscode/mcp.json' });
  }
  const read = file.safeParse(value);
  const servers = read.data?.mcpServers ?? read.data?.servers;
  if (servers === undefined) throw new Failure(`${where} names no servers`, { remedy: 'it takes an object `mcpServers`, or `servers` as VS Code has it' });
  return new Map(Object.entries(servers).map(([name, one]) => [name, serverOf(name, one, where)]));
}

function serverOf(name: string, value: unknown, where: string): ServerEntry {
  const { data } = entry.safeParse(value);
  const address = data?.url ?? data?.serverUrl;
  if (data && address !== undefined && URL.canParse(address) && /^https?:/.test(address)) return { type: 'http', url: new URL(address), headers: data.headers };
  if (data?.command !== undefined) return { type: 'stdio', command: data.command, args: data.args, env: data.env };
  throw new Failure(`${where}: the server ${JSON.stringify(name)} has neither a command nor an http address`, { remedy: 'correct it, or take it out' });
}

/** As VS Code lets them stand in its files: comments, and commas before a closing bracket. What never ends goes to the end, looked at once. */
function withoutComments(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:[^"\\]|\\[\s\S])*(?:"|\\?$))|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, (_, quoted: string | undefined) => quoted ?? '')
    .replace(/("(?:[^"\\]|\\[\s\S])*(?:"|\\?$))|,(?=\s*[}\]])/g, (_, quoted: string | undefined) => quoted ?? '');
}

/** Longer is no argument and no header of a server. */
const longestValue = 8_192;

/** `${env:NAME}` and `${NAME}` as the environment has them; null when it asks for what only its host knows, such as `${input:…}`. */
export function filledIn(value: string, env: Readonly<Record<string, string | undefined>>): string | null {
  if (value.length > longestValue) return null;
  let whole = true;
  const filled = value.replace(/\$\{(?:env:)?([^}]+)\}/g, (_, name: string) => {
    const found = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? env[name] : undefined;
    whole &&= found !== undefined;
    return found ?? '';
  });
  return whole ? filled : null;
}
