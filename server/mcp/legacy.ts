import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { ListedTool } from '../call/index.ts';
import { whoOf } from './admit.ts';
import { answerCall, mayWaitBy, type Paused } from './answer-call.ts';
import { answerList } from './answer-list.ts';
import { internalError, methodNotFound, rpcIdOf, turnAway } from './answers.ts';
import { cancelElsewhere, heedElsewhere } from './cancel-elsewhere.ts';
import type { Cancellations } from './cancellations.ts';
import type { Answer } from './in-turn.ts';
import { capabilitiesOf, instructionsFor, schemaValidator, serverInfo } from './introduction.ts';
import type { Visit } from './parts.ts';
import { keepAlive } from './progress.ts';
import { type Lend, serveLegacyReads } from './reads/legacy.ts';
import { canBeTask, startTask } from './tasks/follow.ts';
import { serveLegacyTasks, taskCapabilities, taskOf } from './tasks/legacy.ts';
import { asTool, type ToolResult } from './tool-result.ts';

/** The 2025-era leg: SDK v1 with a server and a transport of its own for each request, so that nothing outlives it. */
export async function serveLegacy(
  visit: Visit,
  request: Request,
  message: Readonly<Record<string, unknown>>,
  cancellations: Cancellations,
  named: string | null = null,
): Promise<Response> {
  // Two clients in one task may both count from 0, and are told apart by what they name.
  const speaker = named ?? whoOf(visit);
  if (message['method'] === 'notifications/cancelled') return cancelEarlier(visit, named, message, cancellations);
  let instead = null as Response | null;

  const unwrap = <T>(answer: Answer<T> | Paused): T => {
    if (answer.kind === 'result') return answer.result;
    if (answer.kind === 'paused') throw new Error('nothing is paused on a leg that lends no rounds');
    if (answer.kind === 'error') throw new RpcError(answer.code, answer.message, answer.data);
    instead = turnAway(answer.refusal, visit.door, rpcIdOf(message));
    throw new RpcError(internalError, answer.refusal.message);
  };

  const tasks = mayWaitBy(visit.session, 'task');
  const capabilities = { ...capabilitiesOf(visit), ...(tasks ? { tasks: taskCapabilities } : {}) };
  const server = new Server(serverInfo, { capabilities, instructions: instructionsFor(visit), jsonSchemaValidator: schemaValidator });
  server.setRequestHandler(ListToolsRequestSchema, async ({ params }) => ({
    tools: unwrap(await answerList(visit, 'tools', params?.cursor)).items.map((tool) => ({
      ...asLegacyTool(tool),
      ...(canBeTask(visit, tool.name) ? { execution: { taskSupport: 'optional' as const } } : {}),
    })),
  }));
  /** Runs a call that its client may cancel and be told of. */
  const lend: Lend = async ({ _meta }, { requestId, sendNotification }, run) => {
    const call = cancellations.begin(speaker, requestId);
    const heard = named === null ? null : heedElsewhere(visit, named, requestId, () => void cancellations.cancel(speaker, requestId));
    const progress = keepAlive(_meta?.progressToken, sendNotification);
    const gone = AbortSignal.any([call.signal, request.signal]);
    try {
      return await run({ signal: call.signal, gone, onProgress: progress?.report ?? null, rounds: null });
    } finally {
      progress?.stop();
      heard?.();
      call.done();
    }
  };
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    lend(params, extra, async (lent) => {
      const asked = { kind: 'tool' as const, name: params.name, arguments: params.arguments ?? {}, meta: params._meta ?? {} };
      if (params.task === undefined) return asLegacyResult(unwrap(await answerCall(visit, asked, lent, asTool)));
      if (!canBeTask(visit, params.name)) throw new RpcError(methodNotFound, `${params.name.slice(0, 128)} does not run as a task`);
      const started = await startTask(visit, asked, lent, true);
      return started.kind === 'task' ? { task: taskOf(started.view) } : asLegacyResult(unwrap(started));
    }),
  );
  serveLegacyReads(server, visit, capabilities, { lend, unwrap });

  // A stream only for who asked for progress: plain JSON can still become another HTTP status.
  if (tasks) serveLegacyTasks(server, visit, { gone: request.signal, unwrap, asResult: asLegacyResult });
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: !wantsProgress(message) });
  await server.connect(transport);
  const response = await transport.handleRequest(request, { parsedBody: tasks ? message : withoutTask(message) });
  return instead && !wantsProgress(message) ? instead : response;
}

/** 2025-era clients cancel by a POST of its own, which finds the call through whose it is and its id. */
async function cancelEarlier(
  visit: Visit,
  named: string | null,
  { params }: Readonly<Record<string, unknown>>,
  cancellations: Cancellations,
): Promise<Response> {
  if (typeof params === 'object' && params !== null && 'requestId' in params) {
    const here = cancellations.cancel(named ?? whoOf(visit), params.requestId);
    if (!here && named !== null) await cancelElsewhere(visit, named, params.requestId);
  }
  return new Response(null, { status: 202 });
}

function wantsProgress({ params }: Readonly<Record<string, unknown>>): boolean {
  const meta = typeof params === 'object' && params !== null && '_meta' in params ? params._meta : null;
  return typeof meta === 'object' && meta !== null && 'progressToken' in meta;
}

/** Where the tenant lets no call wait as a task they are not declared, and who does not declare them ignores the wish (2025-11-25, Tasks); SDK v1 would refuse it. */
function withoutTask(message: Readonly<Record<string, unknown>>): unknown {
  const { params } = message;
  if (typeof params !== 'object' || params === null || !('task' in params)) return message;
  const { task: _ignored, ...rest } = params;
  return { ...message, params: rest };
}

/** `message` goes out as it stands; SDK v1's own error class would put a prefix before it. */
class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** These revisions know only objects as structured content, and only schemas of objects. */
function asLegacyTool({ outputSchema, inputSchema, ...tool }: ListedTool) {
  const output = outputSchema?.['type'] === 'object' ? { outputSchema: withObjectProperties(outputSchema) } : {};
  return { ...tool, inputSchema: withObjectProperties(inputSchema), ...output };
}

/** `true` and `false` are schemas too, but a client of these revisions drops the whole list over one. */
function withObjectProperties(schema: Readonly<Record<string, unknown>>) {
  const { properties, ...rest } = schema;
  if (typeof properties !== 'object' || properties === null) return { ...rest, type: 'object' as const };
  const asObject = (value: unknown): object => (value === true ? {} : value === false ? { not: {} } : Object(value));
  return { ...rest, type: 'object' as const, properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, asObject(value)])) };
}

function asLegacyResult({ structuredContent, ...result }: ToolResult) {
  const isObject = typeof structuredContent === 'object' && structuredContent !== null && !Array.isArray(structuredContent);
  return { ...result, ...(isObject ? { structuredContent } : {}) };
}
