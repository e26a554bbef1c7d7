import {
  type CallToolResult,
  type Client,
  type GetPromptResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type ReadResourceResult,
  type RequestOptions,
  specTypeSchemas,
  withInputRequired,
} from '@modelcontextprotocol/client';
import type { SessionClients } from './reach-session.ts';

/** What may wait for a human, and what each is answered with. */
export interface Results {
  readonly 'tools/call': CallToolResult;
  readonly 'resources/read': ReadResourceResult;
  readonly 'prompts/get': GetPromptResult;
}
export type CallMethod = keyof Results;

/** One call as the host made it. */
export interface HostCall<M extends CallMethod> {
  readonly method: M;
  /** Name and arguments, or the address of what is read. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  /** Echoed by a host that follows rounds itself. */
  readonly requestState: string | undefined;
  readonly era: 'modern' | 'legacy';
  readonly signal: AbortSignal;
  /** Null when the host did not ask for progress. */
  readonly onProgress: ((progress: number | null, total: number | null) => void) | null;
}

/** Longer than any round is held and any upstream's deadline; the host's own patience ends a call earlier. */
const patienceMs = 15 * 60_000;
/** A host that asked for progress is told every so often that its call is still alive. */
const heartbeatMs = 8_000;
/** The broker ends a wait after eight rounds; more would be a fault of its own. */
const maxRounds = 12;

const answers = {
  'tools/call': withInputRequired(specTypeSchemas.CallToolResult),
  'resources/read': withInputRequired(specTypeSchemas.ReadResourceResult),
  'prompts/get': withInputRequired(specTypeSchemas.GetPromptResult),
};

/**
 * Forwards a call and brings back what the broker answered, untouched. When it waits for a human: a modern host gets the
 * rounds as they are; for a 2025-era host they are followed here, kept alive by progress when it asked for that, and
 * otherwise given up after the first round for the handle, before its patience (mostly 60 s) runs out.
 */
export async function forwardCall<M extends CallMethod>(clients: SessionClients, call: HostCall<M>): Promise<Results[M] | InputRequiredResult> {
  const { onProgress } = call;
  const beat = onProgress === null ? undefined : setInterval(() => onProgress(null, null), heartbeatMs);
  try {
    let { requestState } = call;
    for (let round = 0; round < maxRounds; round += 1) {
      const result = await send(await clients.modern(), call, requestState);
      if (!isInputRequiredResult(result) || call.era === 'modern') return result;
      // The same call over the plain wire re-attaches to its approval and is answered with the handle.
      if (onProgress === null) return await send(await clients.plain(), call, undefined);
      requestState = result.requestState;
    }
    throw new Error('the broker did not end the rounds of a waiting call');
  } finally {
    clearInterval(beat);
  }
}

function send<M extends CallMethod>(client: Client, call: HostCall<M>, requestState: string | undefined): Promise<Results[M] | InputRequiredResult> {
  const params = { ...call.params, ...(requestState === undefined ? {} : { requestState }), _meta: call.meta };
  const options: RequestOptions = {
    allowInputRequired: true,
    signal: call.signal,
    timeout: patienceMs,
    ...(call.onProgress === null ? {} : { onprogress: ({ progress, total }) => call.onProgress?.(progress, total ?? null) }),
  };
  return client.request({ method: call.method, params }, answers[call.method], options) as Promise<Results[M] | InputRequiredResult>;
}
