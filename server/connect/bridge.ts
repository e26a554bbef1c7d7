import { type CallToolResult, type ListToolsResult, type McpServerFactory, ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import { Failure } from './failure.ts';
import { forwardCall } from './forward-call.ts';
import type { HeldTask } from './hold-task.ts';
import type { SessionClients } from './reach-session.ts';

/** What of a host's `_meta` concerns the broker; the rest is between host and bridge. */
const carried = /^(taskgate\/|traceparent$|tracestate$|baggage$)/;

/** The host's side of the bridge: serves the session's tools over whatever era the host opened with. */
export function makeBridge(
  task: HeldTask,
  clients: SessionClients,
  version: string,
  say: (line: string) => void,
): { factory: McpServerFactory; toolsChanged(): void } {
  const served = new Set<Server>();

  const factory: McpServerFactory = ({ era }) => {
    const server = new Server(
      { name: 'taskgate', version },
      { capabilities: { tools: { listChanged: true } }, jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
    );
    served.add(server);
    server.onclose = () => served.delete(server);

    server.setRequestHandler('tools/list', async (request): Promise<ListToolsResult> => {
      if (task.ended() !== null) return { tools: [] };
      try {
        const cursor = request.params?.cursor;
        const { tools, nextCursor } = await (await clients.modern()).request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } });
        return { tools, ...(nextCursor === undefined ? {} : { nextCursor }) };
      } catch (error) {
        if (task.ended() !== null) return { tools: [] };
        say(words(error));
        throw protocolError(error);
      }
    });

    server.setRequestHandler('tools/call', async (request, context) => {
      const over = task.ended();
      if (over !== null) return farewell(over);
      try {
        return await forwardCall(clients, {
          name: request.params.name,
          arguments: request.params.arguments,
          meta: carriedMeta(context),
          requestState: context.mcpReq.requestState<string>(),
          era,
          signal: context.mcpReq.signal,
          onProgress: progressTo(context),
        });
      } catch (error) {
        const ended = task.ended();
        if (ended !== null) {
          toolsChanged();
          return farewell(ended);
        }
        if (isProtocolError(error) || context.mcpReq.signal.aborted) throw protocolError(error);
        say(words(error));
        return toldAsError(`${words(error)}\nWhether the call ran is not known; check before repeating one that has an effect.`);
      }
    });
    return server;
  };

  const toolsChanged = (): void => {
    // A host that has just left needs no news.
    for (const server of served) server.sendToolListChanged().catch(() => undefined);
  };
  return { factory, toolsChanged };
}

function carriedMeta(context: ServerContext): Record<string, unknown> {
  return Object.fromEntries(Object.entries(context.mcpReq._meta ?? {}).filter(([key]) => carried.test(key)));
}

/** Reports towards the host; null when it gave no token. Values only ever rise, as the protocol asks; null is a sign of life. */
function progressTo(context: ServerContext): ((progress: number | null, total: number | null) => void) | null {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return null;
  let last = 0;
  return (progress, total) => {
    last = progress !== null && progress > last ? progress : last + 0.001;
    // The host may be gone by now; the call itself will notice.
    context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress: last, ...(total === null ? {} : { total }) } })
      .catch(() => undefined);
  };
}

const toldAsError = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
const farewell = (why: string): CallToolResult =>
  toldAsError(
    `${/^this task has ended/i.test(why) ? why : `This task has ended: ${why}`}\nNo tool of it can be called any more. A person starts a new task by starting \`taskgate connect\` again.`,
  );

function words(error: unknown): string {
  if (error instanceof Failure) return error.remedy === null ? error.message : `${error.message.replace(/\.$/, '')}; ${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
}

/** Both SDK packages have an error class of their own; what makes one is its JSON-RPC code. */
function isProtocolError(error: unknown): error is Error & { code: number; data?: unknown } {
  return error instanceof Error && 'code' in error && Number.isInteger(error.code);
}

function protocolError(error: unknown): ProtocolError {
  return isProtocolError(error)
    ? new ProtocolError(error.code, error.message.replace(/^MCP error -?\d+: /, ''), error.data)
    : new ProtocolError(-32603, words(error));
}
