import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { ProtocolSession } from '../store/store.ts';
import { rpcError } from './answers.ts';
import { capabilitiesOf, instructionsFor, schemaValidator, serverInfo } from './introduction.ts';
import type { Visit } from './parts.ts';
import { findProtocolSession } from './protocol-session.ts';
import type { ListWatches } from './watch-list.ts';

/** Streams by the protocol session they are of: MCP has a server send a message on one of them only. */
const open = new Map<string, () => void>();

/**
 * The stream a 2025-era client opens by GET, on which it is told that a list of its has changed. A client that opens another,
 * such as one that lost its connection, is told on that one.
 */
export async function serveLegacyStream(visit: Visit, request: Request, watches: ListWatches, named: ProtocolSession, gone: AbortSignal): Promise<Response> {
  const server = new Server(serverInfo, {
    capabilities: capabilitiesOf(visit),
    instructions: instructionsFor(visit),
    jsonSchemaValidator: schemaValidator,
  });
  const transport = new WebStandardStreamableHTTPServerTransport();
  await server.connect(transport);
  const response = await transport.handleRequest(request);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;

  open.get(named.hash)?.();
  let stop = (): void => {};
  const end = (): void => {
    if (open.get(named.hash) === end) open.delete(named.hash);
    stop();
    void server.close();
  };
  const stillNamed = async (now: Visit): Promise<boolean> => (await findProtocolSession(now, request.headers.get('mcp-session-id') ?? '')) !== null;
  const { bus, maxSubscriptions } = watches.begin(visit, request.headers, end, stillNamed);
  if (maxSubscriptions === 0) {
    end();
    return rpcError(429, -32000, 'Too many streams are open for this task', null, { 'retry-after': '5' });
  }
  open.set(named.hash, end);
  stop = bus.subscribe((event) => void tell(server, event).catch(() => undefined));
  if (gone.aborted) end();
  else gone.addEventListener('abort', end, { once: true });
  return opened(response);
}

/** The SDK rejects what was not declared when the stream opened: a client that knows nothing of a list needs no news of it. */
async function tell(server: Server, { kind }: ServerEvent): Promise<void> {
  if (kind === 'tools_list_changed') await server.sendToolListChanged();
  else if (kind === 'resources_list_changed') await server.sendResourceListChanged();
  else if (kind === 'prompts_list_changed') await server.sendPromptListChanged();
}

/** Begins with a comment: an answer goes out with its first byte, and there may be nothing to tell for long. */
function opened({ body, headers }: Response): Response {
  const comment = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(': open\n\n'));
      controller.close();
    },
  });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void comment
    .pipeTo(writable, { preventClose: true })
    .then(() => body?.pipeTo(writable))
    .catch(() => undefined);
  return new Response(readable, { headers });
}
