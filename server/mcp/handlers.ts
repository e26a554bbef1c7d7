import { type CallAnswer, isRefusal, type ListedTool, type Refusal, refuse } from '../call/index.ts';
import { type Aside, askerOf } from '../limits/index.ts';
import { StoreUnavailable } from '../store/store.ts';
import { recordLimit, whoOf } from './admit.ts';
import { channelOf, internalError, invalidParams, unavailable } from './answers.ts';
import { withHold } from './holds.ts';
import { ownTools, runOwnTool } from './own-tools.ts';
import type { Visit } from './parts.ts';
import { approvalHandle, describeEdit, digestCall, mostRounds, type PauseState } from './pause.ts';

/** What both protocol legs answer; each leg only puts it into its SDK's words. */

/** A `tools/call` result as MCP has it. */
export interface ToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: unknown;
  readonly isError?: true;
  readonly _meta: Readonly<Record<string, unknown>>;
}
export type Answer<T> =
  | { readonly kind: 'result'; readonly result: T }
  /** A JSON-RPC error that the client's code reads, not the model. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  /** The whole request is refused with an HTTP status of its own. */
  | { readonly kind: 'turned_away'; readonly refusal: Refusal };

/** A human has to decide, and the client can come back with a `requestState` that says so. */
export interface Paused {
  readonly kind: 'paused';
  readonly state: PauseState;
}

/** Longest a client may keep a list, in milliseconds; authority may narrow at any moment. */
const listLife = 30_000;

export interface ToolList {
  readonly tools: readonly ListedTool[];
  readonly ttlMs: number;
  readonly cacheScope: 'private';
}

export function answerList(entered: Visit, cursor: unknown): Promise<Answer<ToolList>> {
  return guarded<Answer<ToolList>>(entered, null, listRefused, async (visit) => {
    if (cursor !== undefined) return { kind: 'error', code: invalidParams, message: 'Unknown cursor' };
    const brokered = visit.session ? visit.parts.listTools(visit.session) : [];
    // Whoever holds a connection token changes the list by opening and ending tasks, so none of it may be kept.
    const ttlMs = visit.connection ? 0 : Math.max(0, Math.min(listLife, visit.until - visit.ports.clock()));
    return { kind: 'result', result: { tools: [...brokered, ...ownTools(visit)], ttlMs, cacheScope: 'private' } };
  });
}

const listRefused = (refusal: Refusal): Answer<never> => ({ kind: 'turned_away', refusal });

/** One `tools/call`, as its leg read it. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
  readonly meta: Readonly<Record<string, unknown>>;
}
/** What the leg lends to the call. */
export interface Lent {
  /** Aborts when the call is cancelled. */
  readonly signal: AbortSignal;
  /** Aborts also when the client goes away: a wait of Taskgate's own has nobody left to tell. */
  readonly gone: AbortSignal;
  readonly onProgress: ((progress: number, total: number | null) => void) | null;
  /** `null`: this client cannot come back with a `requestState`, so its calls are never held. */
  readonly rounds: { readonly resumed: PauseState | null } | null;
}

/** W3C Trace Context, version 00 and what later versions keep of it; anything else is as if none had come. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const longestNonce = 128;

/** What is refused before the call path, which records its own ways out: Taskgate's own tools, and calls outside any task. */
async function recordAtDoor({ ports, caller, connection, door }: Visit, tool: string, code: string): Promise<void> {
  const about = { type: 'call.refused' as const, tool: tool.slice(0, 128), door: door.kind, code };
  if (caller) await ports.access.known({ ...about, tenant: caller.tenant, actor: caller.session, agent: caller.agent, session: caller.session });
  else if (connection) await ports.access.known({ ...about, tenant: connection.tenant, actor: connection.createdBy, agent: connection.agent });
}

export function answerCall(entered: Visit, call: ToolCall, lent: Lent): Promise<Answer<ToolResult> | Paused> {
  return guarded<Answer<ToolResult> | Paused>(
    entered,
    lent.gone,
    (refusal) => refused(entered, call.name, refusal),
    (visit, aside) => withHold(visit.ports, whoOf(visit), (holdMs) => answerHeld(visit, call, { ...lent, aside }, holdMs)),
  );
}

async function answerHeld(visit: Visit, call: ToolCall, lent: Lent & { readonly aside: Aside }, holdMs: number): Promise<Answer<ToolResult> | Paused> {
  if (ownTools(visit).some(({ name }) => name === call.name)) {
    const own = await runOwnTool(visit, call.name, call.arguments, { signal: lent.gone, holdMs, aside: lent.aside });
    if (isRefusal(own)) await recordAtDoor(visit, call.name, own.refused);
    return isRefusal(own) ? refused(visit, call.name, own) : { kind: 'result', result: { content: [{ type: 'text', text: own.text }], _meta: own.meta } };
  }
  if (!visit.session) {
    const without = visit.stopped ?? refuse('tool.not_granted', 'There is no open task');
    await recordAtDoor(visit, call.name, without.refused);
    return refused(visit, call.name, without);
  }

  const nonce = call.meta['taskgate/call'] ?? null;
  if (nonce !== null && (typeof nonce !== 'string' || nonce.length === 0 || nonce.length > longestNonce)) {
    return { kind: 'error', code: invalidParams, message: `_meta["taskgate/call"] must be a string of 1 to ${longestNonce} characters` };
  }
  const resumed = lent.rounds?.resumed ?? null;
  const digest = (): string | null => digestCall(call.name, call.arguments, nonce);
  // A state is a name for one paused call, never a pass to another.
  if (resumed && resumed.call !== digest()) {
    await recordAtDoor(visit, call.name, 'approval.unknown');
    return { kind: 'error', code: invalidParams, message: 'Invalid or expired requestState' };
  }

  const trace = call.meta['traceparent'];
  const answer = await visit.parts.brokerCall(
    visit.ports,
    visit.session,
    {
      tool: call.name,
      arguments: call.arguments,
      nonce,
      resumes: resumed?.approval ?? null,
      traceparent: typeof trace === 'string' && traceparent.test(trace) ? trace : null,
    },
    { signal: lent.signal, holdMs: lent.rounds ? holdMs : 0, onProgress: lent.onProgress, aside: lent.aside },
  );
  const waitsFor = isRefusal(answer) && answer.refused === 'approval.required' ? answer.approval : undefined;
  const round = (resumed?.round ?? 0) + 1;
  const paused = waitsFor && lent.rounds && round <= mostRounds ? digest() : null;
  if (waitsFor && paused !== null) return { kind: 'paused', state: { approval: waitsFor.id, round, call: paused } };
  return answered(visit, call.name, answer);
}

function answered(visit: Visit, tool: string, answer: CallAnswer): Answer<ToolResult> {
  const decision = { 'taskgate/decision': { id: answer.decision, record: answer.record } };
  if (isRefusal(answer)) return refused(visit, tool, answer, decision);
  const { content, structuredContent, isError } = answer.result;
  return {
    kind: 'result',
    result: {
      content: [...(answer.edited ? [{ type: 'text', text: describeEdit(answer.edited) }] : []), ...content.map(withoutMeta)],
      ...(structuredContent === undefined ? {} : { structuredContent }),
      ...(isError ? { isError: true } : {}),
      _meta: { ...decision, ...(answer.replayed ? { 'taskgate/replayed': true } : {}), ...(answer.edited ? { 'taskgate/edited': answer.edited } : {}) },
    },
  };
}

/** An upstream's `_meta` stays behind, on blocks and the resources in them: what stands under that name is Taskgate's word. */
function withoutMeta({ _meta, resource, ...block }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof resource !== 'object' || resource === null) return resource === undefined ? block : { ...block, resource };
  return { ...block, resource: withoutMeta(resource as Record<string, unknown>) };
}

function refused(visit: Visit, tool: string, refusal: Refusal, decision: Readonly<Record<string, unknown>> = {}): Answer<ToolResult> {
  // A connection token outlives its tasks: a task that is over is told as a result, or the host would drop a good token.
  const outlived = visit.connection !== null && refusal.refused.startsWith('session.');
  switch (outlived ? 'tool_error' : channelOf(refusal.refused)) {
    case 'unknown_tool':
      return { kind: 'error', code: invalidParams, message: `Unknown tool: ${tool.slice(0, 128)}` };
    case 'door':
    case 'unavailable':
      return { kind: 'turned_away', refusal };
    case 'tool_error': {
      const waiting = refusal.refused === 'approval.required' || refusal.refused === 'approval.running';
      const approval = refusal.approval ? { 'taskgate/approval': approvalHandle(refusal.approval, waiting) } : {};
      const later = refusal.retryAfter === undefined ? {} : { retry_after: refusal.retryAfter };
      const _meta = { ...decision, 'taskgate/refusal': { code: refusal.refused, ...later }, ...approval };
      return { kind: 'result', result: { content: [{ type: 'text', text: refusal.message }], isError: true, _meta } };
    }
  }
}

/** In its turn; an outage or a bug denies, and tells nobody outside which it was. */
async function guarded<A>(
  visit: Visit,
  gone: AbortSignal | null,
  sayRefused: (refusal: Refusal) => A,
  answer: (visit: Visit, aside: Aside) => Promise<A>,
): Promise<A | Answer<never>> {
  const { ports, parts, caller, who, door, bodyBytes } = visit;
  try {
    const answered = await ports.limits.inTurn(askerOf(who), bodyBytes, gone, async (aside, waited) => {
      if (!waited || !caller) return answer(visit, aside);
      // What was read before the wait may not be so any more.
      const session = await parts.enterSession(ports, caller);
      return isRefusal(session) ? session : answer({ ...visit, session }, aside);
    });
    if (!isRefusal(answered)) return answered;
    await recordLimit(ports, door, who, answered);
    return sayRefused(answered);
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'turned_away', refusal: unavailable() };
    visit.ports.log.error({ err: error }, 'a request failed unexpectedly');
    return { kind: 'error', code: internalError, message: 'Internal error' };
  }
}
