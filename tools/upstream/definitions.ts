import type { Client } from '@modelcontextprotocol/client';
import type { ToolDefinition } from '../definition.ts';

const mostTools = 1_000;
const mostPages = 64;
const largestPage = 1_048_576;

/** As long as a name may be that a document can register. */
const longestName = 128;

/**
 * All tools an upstream lists, page by page, within `timeout` milliseconds in all; but for those whose name nobody could register. Throws
 * on more than 1,000 tools, 64 pages, 1 MiB a page, or a name listed twice.
 */
export async function listDefinitions(client: Client, timeout: number): Promise<readonly ToolDefinition[]> {
  const found = new Map<string, ToolDefinition>();
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const until = performance.now() + timeout;
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await client.request(
      { method: 'tools/list', params: cursor === undefined ? {} : { cursor } },
      { timeout: Math.max(1, until - performance.now()) },
    );
    if (JSON.stringify(answer).length > largestPage) throw new Error('a page of its tool list is larger than 1 MiB');
    for (const { name, title, description, inputSchema, outputSchema, annotations } of answer.tools) {
      if (name.length > longestName) continue;
      if (found.has(name)) throw new Error('it lists two tools of one name');
      found.set(name, {
        name,
        inputSchema,
        ...(title === undefined ? {} : { title }),
        ...(description === undefined ? {} : { description }),
        ...(outputSchema === undefined ? {} : { outputSchema }),
        ...(annotations === undefined ? {} : { annotations }),
      });
    }
    if (found.size > mostTools) throw new Error(`it lists more than ${mostTools} tools`);
    cursor = answer.nextCursor;
    if (cursor === undefined) return [...found.values()];
  }
  throw new Error(`its tool list has more than ${mostPages} pages`);
}
