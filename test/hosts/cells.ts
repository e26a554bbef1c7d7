/**
 * Which hosts reach Taskgate, by which way in and speaking which generation: the table of docs/hosts.md. A test is made from each cell
 * (`npm run hosts`); a cell that another test shows names it, and is refused when there is none of that name.
 */

export const ways = ['connect', 'machine token', 'interactive', 'connection token'] as const;
export type Way = (typeof ways)[number];
export const generations = ['2026-07-28', '2025-11-25'] as const;
export type Generation = (typeof generations)[number];
export type Rung = 'task' | 'rounds' | 'hold' | 'handle';

interface Host {
  readonly name: string;
  /** As package.json has it. */
  readonly package: string;
  /** What the host speaks, and in which ways its calls can wait for a human there, the first when it is left to itself. */
  readonly speaks: Readonly<Partial<Record<Generation, readonly [Rung, ...Rung[]]>>>;
}

export const hosts = [
  { name: 'MCP SDK v2', package: '@modelcontextprotocol/client', speaks: { '2026-07-28': ['rounds'], '2025-11-25': ['handle', 'hold'] } },
  { name: 'MCP SDK v2 with ext-tasks', package: '@modelcontextprotocol/ext-tasks', speaks: { '2026-07-28': ['task'] } },
  { name: 'MCP SDK v1', package: '@modelcontextprotocol/sdk', speaks: { '2025-11-25': ['handle', 'hold', 'task'] } },
  { name: 'AI SDK', package: '@ai-sdk/mcp', speaks: { '2026-07-28': ['rounds'], '2025-11-25': ['handle'] } },
  { name: 'OpenAI Agents SDK', package: '@openai/agents', speaks: { '2026-07-28': ['rounds'] } },
  { name: 'LangChain.js', package: '@langchain/mcp-adapters', speaks: { '2025-11-25': ['handle', 'hold'] } },
] as const satisfies readonly Host[];
export type HostName = (typeof hosts)[number]['name'];

/** `shownBy`: the file of another test and its name. `empty`: why there is nothing to show. */
export type Special = { readonly shownBy: readonly [file: string, name: string] } | { readonly empty: string };

/** Cells that `npm run hosts` does not fill; every interactive one is among them, for it takes a browser and a person. */
const special: Readonly<Record<string, Special>> = {
  'MCP SDK v2 with ext-tasks/2026-07-28/connect': { empty: 'sends what the SDK does not over HTTP alone' },
  'MCP SDK v2/2026-07-28/interactive': {
    shownBy: ['test/oauth/browser.test.ts', 'completes it with the OAuth provider of SDK v2, known by its document, and renews without asking again'],
  },
  'MCP SDK v1/2025-11-25/interactive': {
    shownBy: ['test/oauth/browser.test.ts', 'completes it with the OAuth provider of SDK v1, which registers itself, and without script'],
  },
  'MCP SDK v2/2025-11-25/interactive': { shownBy: ['test/hosts/interactive.hosts.ts', 'may be SDK v2 where it speaks 2025-11-25'] },
  'AI SDK/2026-07-28/interactive': { shownBy: ['test/hosts/interactive.hosts.ts', 'may be the AI SDK where it speaks 2026-07-28'] },
  'MCP SDK v2 with ext-tasks/2026-07-28/interactive': {
    shownBy: ['test/hosts/interactive.hosts.ts', 'may be SDK v2 with ext-tasks, with the token its provider holds'],
  },
  'OpenAI Agents SDK/2026-07-28/interactive': { shownBy: ['test/hosts/interactive.hosts.ts', 'may be the OpenAI Agents SDK'] },
  'LangChain.js/2025-11-25/interactive': { shownBy: ['test/hosts/interactive.hosts.ts', 'may be LangChain.js'] },
  'AI SDK/2025-11-25/interactive': { shownBy: ['test/hosts/interactive.hosts.ts', 'may be the AI SDK where it speaks 2025-11-25'] },
};
const notShown: Special = { empty: 'not shown' };

export interface Cell {
  readonly host: HostName;
  readonly generation: Generation;
  readonly way: Way;
  /** How its calls wait there, when they are left to the host. */
  readonly rung: Rung;
  readonly special: Special | null;
}

export const cells: readonly Cell[] = hosts.flatMap(({ name: host, speaks }) =>
  generations.flatMap((generation) => {
    const [rung] = (speaks as Host['speaks'])[generation] ?? [];
    if (rung === undefined) return [];
    return ways.map((way) => ({
      ...{ host, generation, way, rung },
      special: special[`${host}/${generation}/${way}`] ?? (way === 'interactive' ? notShown : null),
    }));
  }),
);
