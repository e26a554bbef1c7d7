import type { Client, RequestOptions, Tool } from '@modelcontextprotocol/client';
import { expand } from '../address.ts';
import { type CompiledSchema, compileSchema } from '../arguments.ts';
import type { Definition, OperationKind, ToolDefinition } from '../definition.ts';
import { isPlainName, metaOf, stateless } from './ask.ts';
import { listDefinitions } from './definitions.ts';
import { shakeHands } from './handshake.ts';
import { type Answer, explain, type Failed, settle, settleTool } from './outcome.ts';
import { type CallSignal, type UpstreamCall, type UpstreamConnection, type UpstreamOutcome, type UpstreamResult, UpstreamUnavailable } from './upstream.ts';
import { type Limit, redact, type Wire } from './wire.ts';

/** One MCP connection, whatever its wire: one attempt a call, and closed for good once it shows that it no longer works. */

export interface ConnectionOptions {
  wire(limit: Limit): Promise<Wire>;
  /** Values that must never come back in an error. */
  readonly secrets: readonly string[];
  readonly connectMs: number;
  /** What of it is listed. */
  readonly lists: readonly OperationKind[];
  /** Told of every list that was read: at connect, when asked for again, and soon after the upstream announced a change. */
  onListed?(definitions: readonly Definition[]): void;
}

export interface LiveConnection extends UpstreamConnection {
  /** Resolves when no new call may be made on it. */
  readonly closed: Promise<void>;
  /** Resolves when it is also no longer waiting for any answer. */
  readonly ended: Promise<void>;
  isClosed(): boolean;
  inFlight(): number;
}

interface ListedTool {
  readonly definition: ToolDefinition;
  readonly output: () => CompiledSchema | null;
  /** Nothing of a call to it goes into headers of its own. */
  readonly plain: boolean;
}

interface Listed {
  readonly definitions: readonly Definition[];
  readonly tools: ReadonlyMap<string, ListedTool>;
}

const smallestLimit = 1_048_576;
/** A connection on which this many calls in a row ran out of time is taken for dead. */
const mostTimeouts = 3;
/** An upstream that announces change after change is listed no oftener than this. */
const listEveryMs = 5_000;

/** Rejects with `UpstreamUnavailable`. */
export async function openConnection(options: ConnectionOptions): Promise<LiveConnection> {
  /** How many wait for an answer of this many bytes. */
  const waiting = new Map<number, number>();
  let inFlight = 0;
  // Escapes can double what a result measures; the envelope comes on top.
  const limit: Limit = () => 2 * Math.max(smallestLimit, ...waiting.keys()) + 65_536;
  let stale = false;
  let announced: () => void = () => undefined;
  const { client, wire } = await shakeHands({
    wire: () => options.wire(limit),
    secrets: options.secrets,
    connectMs: options.connectMs,
    lists: options.lists,
    onListChanged() {
      stale = true;
      announced();
    },
  });

  let retired = false;
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>();
  const end = (): Promise<void> =>
    client
      .close()
      .catch(() => undefined)
      .then(resolveEnded);
  const isClosed = (): boolean => retired || wire.fault() !== null;
  const retire = (): void => {
    retired = true;
    resolveClosed();
    // Calls that still wait have deadlines of their own; none is cut off for another's failure.
    if (inFlight === 0) void end();
  };
  client.onclose = retire;
  if (isClosed()) retire();
  const hold = (bytes: number): void => {
    inFlight++;
    waiting.set(bytes, (waiting.get(bytes) ?? 0) + 1);
  };
  const release = (bytes: number): void => {
    inFlight--;
    const others = (waiting.get(bytes) ?? 1) - 1;
    if (others === 0) waiting.delete(bytes);
    else waiting.set(bytes, others);
    if (retired) retire();
  };
  const close = async (): Promise<void> => {
    retired = true;
    resolveClosed();
    await end();
  };

  const list = async (): Promise<Listed> => {
    hold(smallestLimit);
    try {
      const definitions = await listDefinitions(client, options.lists, options.connectMs);
      const tools = definitions.flatMap((definition): ListedTool[] =>
        definition.kind === undefined ? [{ output: outputCheck(definition), plain: isPlain(definition), definition }] : [],
      );
      options.onListed?.(definitions);
      return { definitions, tools: new Map(tools.map((tool) => [tool.definition.name, tool])) };
    } catch (error) {
      const reason = wire.fault()?.detail ?? (error instanceof Error ? error.message : 'failed');
      throw new UpstreamUnavailable(redact(`what it offers could not be listed: ${reason}`, options.secrets).slice(0, 500));
    } finally {
      release(smallestLimit);
    }
  };
  let listed = await list().catch(async (error: unknown) => {
    await close();
    throw error;
  });

  const current = async (again: boolean): Promise<readonly Definition[]> => {
    // Cleared first: a change announced while the list is read asks for another.
    if (stale || again) {
      stale = false;
      listed = await list().catch((error: unknown) => {
        stale = true;
        throw error;
      });
    }
    return listed.definitions;
  };
  let listing: NodeJS.Timeout | null = null;
  let notBefore = 0;
  announced = () => {
    if (listing !== null || isClosed()) return;
    const wait = Math.max(0, notBefore - performance.now());
    listing = setTimeout(() => {
      listing = null;
      notBefore = performance.now() + listEveryMs;
      if (stale && !isClosed()) current(false).catch(() => undefined);
    }, wait).unref();
  };
  void closed.then(() => listing !== null && clearTimeout(listing));
  if (stale) announced();

  const ask = client.getNegotiatedProtocolVersion() === stateless ? wire.ask : null;
  const askTool = (call: UpstreamCall, tool: ListedTool | undefined): Promise<Answer> =>
    ask !== null && tool?.plain && call.onProgress === null ? ask(call) : callWithSdk(client, call, tool);
  let timeouts = 0;
  const attempt = async (call: UpstreamCall): Promise<UpstreamOutcome> => {
    const failed: Failed = (why, detail) => {
      return { kind: 'failed', why, sent: wire.sent(call.dispatch), detail: redact(detail, options.secrets).slice(0, 500) };
    };
    if (call.signal.aborted) return failed('cancelled', 'cancelled before it was sent');
    if (isClosed()) return failed('died', wire.fault()?.detail ?? 'the connection is closed');
    const { maxResultBytes } = call;
    hold(maxResultBytes);
    try {
      const tool = listed.tools.get(call.address);
      const outcome =
        call.kind === 'tool'
          ? settleTool(await askTool(call, tool), tool?.output() ?? null, maxResultBytes, failed)
          : settle(await takeWithSdk(client, call), maxResultBytes, failed);
      timeouts = 0;
      return outcome;
    } catch (error) {
      const outcome = explain(error, call, wire, failed);
      const why = outcome.kind === 'failed' ? outcome.why : null;
      timeouts = why === 'timeout' ? timeouts + 1 : 0;
      if (why === 'died' || timeouts >= mostTimeouts) retire();
      return outcome;
    } finally {
      wire.forget(call.dispatch);
      release(maxResultBytes);
    }
  };

  return {
    closed,
    ended,
    isClosed,
    inFlight: () => inFlight,
    definitions: (again = false) => current(again),
    call: attempt,
    close,
  };
}

const within = ({ signal, deadlineMs, onProgress }: UpstreamCall): RequestOptions => ({
  signal: abortSignalOf(signal),
  timeout: deadlineMs,
  maxTotalTimeout: deadlineMs,
  ...(onProgress === null ? {} : { onprogress: ({ progress, total }) => onProgress(progress, total ?? null) }),
});

/** The client takes only one that the platform made. */
function abortSignalOf(signal: CallSignal): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort);
  return controller.signal;
}

/** What is read or prompted with. The client's own verbs would answer from what they remember. */
async function takeWithSdk(client: Client, call: UpstreamCall): Promise<UpstreamResult> {
  const _meta = metaOf(call);
  if (call.kind === 'prompt') {
    const params = { name: call.address, arguments: call.arguments as Record<string, string>, _meta };
    const { description, messages } = await client.request({ method: 'prompts/get', params }, within(call));
    return { messages, ...(description === undefined ? {} : { description }) };
  }
  const { contents } = await client.request({ method: 'resources/read', params: { uri: expand(call, call.arguments), _meta } }, within(call));
  return { contents };
}

function callWithSdk(client: Client, call: UpstreamCall, tool: ListedTool | undefined) {
  return client.callTool(
    { name: call.address, arguments: call.arguments, _meta: metaOf(call) },
    {
      ...within(call),
      // Given, the client neither looks the tool up nor tries a second time.
      toolDefinition: { name: call.address, inputSchema: (tool?.definition.inputSchema ?? { type: 'object' }) as Tool['inputSchema'] },
      ...(call.idempotencyHeader === undefined ? {} : { headers: { [call.idempotencyHeader]: call.dispatch } }),
    },
  );
}

/** SEP-2243 lets a schema send arguments as headers as well; only the SDK's client knows how. */
const isPlain = ({ name, inputSchema }: ToolDefinition): boolean => isPlainName(name) && !JSON.stringify(inputSchema).includes('x-mcp-header');

/**
 * Null when there is no output schema, or none that can be run safely: it guards correctness, not access. Compiled when
 * first asked for, since an upstream may list a thousand tools that nobody calls.
 */
function outputCheck({ outputSchema }: ToolDefinition): () => CompiledSchema | null {
  let made: CompiledSchema | null | undefined;
  return () => {
    if (made === undefined) {
      const compiled = outputSchema === undefined ? null : compileSchema(outputSchema);
      made = compiled !== null && 'check' in compiled ? compiled : null;
    }
    return made;
  };
}
