import { type CallToolResult, createMcpHandler, inputRequired, ProtocolError, Server, type ServerEventBus } from '@modelcontextprotocol/server';
import { whoOf } from './admit.ts';
import { answerCall, type Call, type Lent, type Paused } from './answer-call.ts';
import { answerList } from './answer-list.ts';
import { internalError, rpcIdOf, turnAway } from './answers.ts';
import type { Answer } from './in-turn.ts';
import { capabilitiesOf, instructionsFor, schemaValidator, serverInfo } from './introduction.ts';
import { lentBy, metaOf } from './lent-by.ts';
import type { Visit } from './parts.ts';
import { createPauseCodec } from './pause.ts';
import { serveReads } from './reads/modern.ts';
import { canBeTask, startTask, type Tasked } from './tasks/follow.ts';
import { refuseUndeclared, taskNews, tasksAskedFor, withoutTasks } from './tasks/listen.ts';
import { createdTask, declaresTasks, serveTasks, tasksExtension } from './tasks/modern.ts';
import { asTool, type ToolResult } from './tool-result.ts';
import type { ListWatches } from './watch-list.ts';

/** A task, for a client that declares with this request that it can take one; else within the request. A call that is resumed was not one. */
export function answerModern(visit: Visit, call: Call, lent: Lent): Promise<Answer<ToolResult> | Paused | Tasked> {
  const capabilities = call.meta['io.modelcontextprotocol/clientCapabilities'];
  return lent.rounds?.resumed == null && declaresTasks(capabilities) && canBeTask(visit, call.name)
    ? startTask(visit, call, lent, false)
    : answerCall(visit, call, lent, asTool);
}

/** The 2026-07-28 leg: one stateless exchange, spoken by SDK v2. A call that was answered already is only put into its words. */
export async function serveModern(
  visit: Visit,
  request: Request,
  message: Readonly<Record<string, unknown>>,
  watches: ListWatches,
  answered: Answer<ToolResult> | Paused | Tasked | null = null,
): Promise<Response> {
  const { ports } = visit;
  let instead = null as Response | null;

  const unwrap = <T>(answer: Answer<T>): T => {
    if (answer.kind === 'result') return answer.result;
    if (answer.kind === 'error') throw new ProtocolError(answer.code, answer.message, answer.data);
    instead = turnAway(answer.refusal, visit.door, rpcIdOf(message));
    throw new ProtocolError(internalError, answer.refusal.message);
  };

  const makeServer = (): Server => {
    const codec = createPauseCodec(ports.keys.state, whoOf(visit), ports.clock());
    const capabilities = capabilitiesOf(visit);
    const server = new Server(serverInfo, {
      capabilities: { ...capabilities, extensions: { [tasksExtension]: {} } },
      instructions: instructionsFor(visit),
      jsonSchemaValidator: schemaValidator,
      requestState: { verify: codec.verify },
      inputRequired: { legacyShim: false },
    });
    server.setRequestHandler('tools/list', async ({ params }) => {
      const { items, ...cache } = unwrap(await answerList(visit, 'tools', params?.cursor));
      return { tools: items.map((tool) => ({ ...tool, inputSchema: { ...tool.inputSchema, type: 'object' as const } })), ...cache };
    });
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const call = { kind: 'tool' as const, name: params.name, arguments: params.arguments ?? {}, meta: metaOf(context) };
      const answer = answered ?? (await answerModern(visit, call, lentBy(context)));
      if (answer.kind === 'paused') return paused(answer);
      if (answer.kind === 'task') return createdTask(answer.view) as unknown as CallToolResult;
      // The SDK checks the shape of what an upstream sent before it goes out.
      return unwrap(answer) as unknown as CallToolResult;
    });
    const paused = async ({ state }: Paused) => inputRequired({ requestState: await codec.mint(state) });
    serveReads(server, visit, capabilities, { paused, unwrap });
    serveTasks(server, visit, unwrap);
    return server;
  };

  const taskIds = tasksAskedFor(message);
  const undeclared = taskIds && refuseUndeclared(message);
  if (undeclared) return undeclared;
  const news = taskIds && taskNews(visit, request.headers, message, taskIds);
  const watched = message['method'] === 'subscriptions/listen' ? watches.begin(visit, request.headers, () => void handler.close()) : null;
  const handler = createMcpHandler(makeServer, {
    legacy: 'reject',
    onerror: (error) => ports.log.debug({ reason: error.message }, 'mcp request refused'),
    ...(watched && { ...watched, bus: news ? alsoEnding(watched.bus, news.stop) : watched.bus }),
  });
  const response = await handler.fetch(request, { parsedBody: taskIds ? withoutTasks(message) : message });
  if (news) return news.through(response);
  return instead && !isStream(response) ? instead : response;
}

/** The same events; whoever stops listening for them ends something else too. */
const alsoEnding = (bus: ServerEventBus, end: () => void): ServerEventBus => ({
  ...bus,
  subscribe(listener) {
    const stop = bus.subscribe(listener);
    return () => {
      stop();
      end();
    };
  },
});

const isStream = (response: Response): boolean => response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
