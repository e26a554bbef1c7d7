import { type Client, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { addressOf, type Definition, isKeyOfAnother, kindOf, longestAddress, type OperationKind } from '../definition.ts';

const mostOfAKind = 1_000;
const mostPages = 64;
const largestPage = 1_048_576;

interface Page {
  readonly definitions: readonly Definition[];
  readonly next: string | undefined;
  /** As JSON, in characters. */
  readonly size: number;
}
type Options = { readonly timeout: number };
type Params = { readonly cursor?: string };

const capabilities = { tool: 'tools', resource: 'resources', template: 'resources', prompt: 'prompts' } as const satisfies Record<OperationKind, string>;
const words = { tool: 'tool', resource: 'resource', template: 'resource template', prompt: 'prompt' } as const satisfies Record<OperationKind, string>;

/**
 * Everything of these kinds that an upstream lists, page by page, within `timeout` milliseconds in all; but for what nobody could register.
 * Of a kind it does not know it has nothing. Throws on more than 1,000 of a kind, 64 pages, 1 MiB a page, or one listed twice.
 */
export async function listDefinitions(client: Client, kinds: readonly OperationKind[], timeout: number): Promise<readonly Definition[]> {
  const until = performance.now() + timeout;
  const offered = kinds.filter((kind) => client.getServerCapabilities()?.[capabilities[kind]] !== undefined);
  const found: Definition[] = [];
  for (const kind of offered) found.push(...(await listKind(client, kind, until)));
  return found;
}

async function listKind(client: Client, kind: OperationKind, until: number): Promise<readonly Definition[]> {
  const found = new Map<string, Definition>();
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await pages[kind](client, cursor === undefined ? {} : { cursor }, { timeout: Math.max(1, until - performance.now()) }).catch(
      // Many a server has resources, and no templates of any.
      (error: unknown): Page => {
        if (kind !== 'tool' && error instanceof ProtocolError && error.code === ProtocolErrorCode.MethodNotFound)
          return { definitions: [], next: undefined, size: 0 };
        throw error;
      },
    );
    if (answer.size > largestPage) throw new Error(`a page of its ${words[kind]} list is larger than 1 MiB`);
    for (const definition of answer.definitions) {
      if (!canBeRegistered(definition)) continue;
      const address = addressOf(definition);
      if (found.has(address)) throw new Error(`it lists two ${words[kind]}s of one ${kind === 'resource' ? 'address' : 'name'}`);
      found.set(address, definition);
    }
    if (found.size > mostOfAKind) throw new Error(`it lists more than ${mostOfAKind} ${words[kind]}s`);
    cursor = answer.next;
    if (cursor === undefined) return [...found.values()];
  }
  throw new Error(`its ${words[kind]} list has more than ${mostPages} pages`);
}

function canBeRegistered(definition: Definition): boolean {
  const kind = kindOf(definition);
  const address = addressOf(definition);
  return address.length <= longestAddress[kind] && !(kind === 'tool' && isKeyOfAnother(address));
}

/** What is there of these, and nothing else of it: what an upstream leaves out has no member. */
function only<T extends object, K extends keyof T>(from: T, ...names: K[]): { [one in K]: Exclude<T[one], undefined> } {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as { [one in K]: Exclude<T[one], undefined> };
}

/** When it was last modified says nothing of how to use it, and changes whenever its content does. */
function lasting<T extends { readonly annotations?: Readonly<Record<string, unknown>> | undefined }>(described: T): T {
  const { lastModified: _, ...annotations } = described.annotations ?? {};
  return { ...described, annotations: Object.keys(annotations).length > 0 ? annotations : undefined };
}

const pages: Readonly<Record<OperationKind, (client: Client, params: Params, options: Options) => Promise<Page>>> = {
  async tool(client, params, options) {
    const answer = await client.request({ method: 'tools/list', params }, options);
    return page(
      answer,
      answer.tools.map((tool) => only(tool, 'name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations')),
    );
  },
  async resource(client, params, options) {
    const answer = await client.request({ method: 'resources/list', params }, options);
    return page(
      answer,
      answer.resources.map((one) => ({ kind: 'resource' as const, ...only(lasting(one), 'uri', 'name', 'title', 'description', 'mimeType', 'annotations') })),
    );
  },
  async template(client, params, options) {
    const answer = await client.request({ method: 'resources/templates/list', params }, options);
    return page(
      answer,
      answer.resourceTemplates.map((one) => ({
        kind: 'template' as const,
        ...only(lasting(one), 'uriTemplate', 'name', 'title', 'description', 'mimeType', 'annotations'),
      })),
    );
  },
  async prompt(client, params, options) {
    const answer = await client.request({ method: 'prompts/list', params }, options);
    return page(
      answer,
      answer.prompts.map((one) => ({
        kind: 'prompt' as const,
        ...only(
          { ...one, arguments: one.arguments?.map((argument) => only(argument, 'name', 'description', 'required')) },
          'name',
          'title',
          'description',
          'arguments',
        ),
      })),
    );
  },
};

const page = (answer: { readonly nextCursor?: string | undefined }, definitions: readonly Definition[]): Page => ({
  definitions,
  next: answer.nextCursor,
  size: JSON.stringify(answer).length,
});
