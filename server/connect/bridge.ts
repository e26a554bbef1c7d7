import { type CallToolResult, type ListToolsResult, type McpServerFactory, ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import { Failure } from './failure.ts';
import { type CallMethod, forwardCall, type HostCall, type Results } from './forward-call.ts';
import type { HeldTask } from './hold-task.ts';
import { type ListName, listNames, type SessionClients } from './reach-session.ts';

/** What of a host's `_meta` concerns the broker; the rest is between host and bridge. */
const carried = /^(taskgate\/|traceparent$|tracestate$|baggage$)/;

/** What is listed, the capability to do so, and the key it is listed under. */
const lists = {
  'tools/list': ['tools', 'tools'],
  'resources/list': ['resources', 'resources'],
  'resources/templates/list': ['resources', 'resourceTemplates'],
  'prompts/list': ['prompts', 'prompts'],
} as const;
const listed = Object.keys(lists) as (keyof typeof lists)[];

/** The host's side of the bridge: serves what the session has over whatever era the host opened with. */
export function makeBridge(
  task: HeldTask,
  clients: SessionClients,
  version: string,
  say: (line: string) => void,
): { factory: McpServerFactory; changed(what: ListName): void } {
  const served = new Set<Server>();

  const list = async (method: keyof typeof lists, cursor: string | undefined): Promise<object> => {
    const [capability, key] = lists[method];
    if (task.ended() !== null) return { [key]: [] };
    try {
      const client = await clients.modern();
      // What a session has is known once it is open, and a host's first look opens none: hosts are told of every kind there is.
      if (client.getServerCapabilities()?.[capability] === undefined) return { [key]: [] };
      const answer = await client.request({ method, params: cursor === undefined ? {} : { cursor } });
      const { [key]: items, nextCursor } = answer as { readonly [key: string]: unknown };
      return { [key]: items, ...(nextCursor === undefined ? {} : { nextCursor }) };
    } catch (error) {
      if (task.ended() !== null) return { [key]: [] };
      say(words(error));
      throw protocolError(error);
    }
  };

  const factory: McpServerFactory = ({ era }) => {
    const capabilities = { tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true }, completions: {} };
    const server = new Server({ name: 'taskgate', version }, { capabilities, jsonSchemaValidator: new CfWorkerJsonSchemaValidator() });
    served.add(server);
    server.onclose = () => served.delete(server);
    for (const method of listed) {
      server.setRequestHandler(method as 'tools/list', async ({ params }) => (await list(method, params?.cursor)) as ListToolsResult);
    }

    server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }) => {
      const none = { completion: { values: [] } };
      if (task.ended() !== null) return none;
      try {
        const client = await clients.modern();
        return client.getServerCapabilities()?.completions === undefined ? none : await client.complete({ ref, argument });
      } catch (error) {
        if (task.ended() !== null) return none;
        throw protocolError(error);
      }
    });

    /** `instead`: what is said where there is no answer, whether because the task is over or because nobody answered. */
    const forward = async <M extends CallMethod>(method: M, params: HostCall<M>['params'], context: ServerContext, instead: (text: string) => Results[M]) => {
      const over = task.ended();
      if (over !== null) return instead(farewell(over));
      const { signal, requestState } = context.mcpReq;
      const call = { method, params, meta: carriedMeta(context), requestState: requestState<string>(), era, signal, onProgress: progressTo(context) };
      try {
        return await forwardCall(clients, call);
      } catch (error) {
        const ended = task.ended();
        if (ended !== null) {
          for (const what of listNames) changed(what);
          return instead(farewell(ended));
        }
        if (isProtocolError(error) || signal.aborted) throw protocolError(error);
        say(words(error));
        return instead(`${words(error)}\nWhether the call ran is not known; check before repeating one that has an effect.`);
      }
    };
    server.setRequestHandler('tools/call', ({ params }, context) =>
      forward('tools/call', { name: params.name, ...(params.arguments === undefined ? {} : { arguments: params.arguments }) }, context, toldAsError),
    );
    server.setRequestHandler('resources/read', ({ params }, context) => forward('resources/read', { uri: params.uri }, context, thrown));
    server.setRequestHandler('prompts/get', ({ params }, context) =>
      forward('prompts/get', { name: params.name, ...(params.arguments === undefined ? {} : { arguments: params.arguments }) }, context, thrown),
    );
    return server;
  };

  const tell = { tools: 'sendToolListChanged', resources: 'sendResourceListChanged', prompts: 'sendPromptListChanged' } as const;
  const changed = (what: ListName): void => {
    // A host that has just left needs no news.
    for (const server of served) server[tell[what]]().catch(() => undefined);
  };
  return { factory, changed };
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
/** What is read, and prompts, have no result that says so. */
const thrown = (text: string): never => {
  throw new ProtocolError(-32603, text);
};
const farewell = (why: string): string =>
  `${/^this task has ended/i.test(why) ? why : `This task has ended: ${why}`}\nNothing of it can be used any more. A person starts a new task by starting \`taskgate connect\` again.`;

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
