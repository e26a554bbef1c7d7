import { type Asked, type Attempt, type CallAnswer, isRefusal, recordedName, refuse, type Session } from '../call/index.ts';
import type { Aside } from '../limits/index.ts';
import type { Rung } from '../store/store.ts';
import { recordAtDoor, whoOf } from './admit.ts';
import { invalidParams } from './answers.ts';
import { withHold } from './holds.ts';
import { type Answer, guarded } from './in-turn.ts';
import { ownTools, runOwnTool } from './own-tools.ts';
import type { Visit } from './parts.ts';
import { digestCall, mostRounds, type PauseState } from './pause.ts';
import type { Wording } from './wording.ts';

/** One call, as both protocol legs answer it; each leg only puts it into its SDK's words. */

export interface Call {
  /** What its method asks for: `tools/call`, `prompts/get`, `resources/read`. */
  readonly kind: Asked['kind'];
  /** The name it asks for; of what is read, the address. */
  readonly name: string;
  /** None where an address says it all. */
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
  /** `null`: this client cannot come back with a `requestState`. */
  readonly rounds: { readonly resumed: PauseState | null } | null;
}

/** A human has to decide, and the client can come back with a `requestState` that says so. */
export interface Paused {
  readonly kind: 'paused';
  readonly state: PauseState;
}
/** What the call path answered; the leg's way of waiting decides what becomes of it. */
export interface Brokered {
  readonly kind: 'brokered';
  readonly answer: CallAnswer;
  /** Of the call, for a state that is to belong to it; null when it has no canonical form. */
  readonly digest: () => string | null;
}

/** W3C Trace Context, version 00 and what later versions keep of it; anything else is as if none had come. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const longestNonce = 128;

/** The tenant lets calls wait in this way. */
export const mayWaitBy = (session: Session | null, rung: Exclude<Rung, 'handle'>): boolean => session?.tenant.document.pause.includes(rung) ?? false;

/** Answers in this very request: at once, after a hold, or with what the client is to come back with. */
export async function answerCall<R>(entered: Visit, call: Call, lent: Lent, wording: Wording<R>): Promise<Answer<R> | Paused> {
  const rounds = mayWaitBy(entered.session, 'rounds') ? lent.rounds : null;
  const rung = rounds ? 'rounds' : lent.onProgress && mayWaitBy(entered.session, 'hold') ? 'hold' : 'handle';
  const answered = await brokered(entered, call, { ...lent, rung }, wording);
  if (answered.kind !== 'brokered') return answered;
  const { answer, digest } = answered;
  const waitsFor = isRefusal(answer) && answer.refused === 'approval.required' ? answer.approval : undefined;
  const round = (lent.rounds?.resumed?.round ?? 0) + 1;
  const paused = waitsFor && rounds && round <= mostRounds ? digest() : null;
  if (waitsFor && paused !== null) return { kind: 'paused', state: { approval: waitsFor.id, round, call: paused } };
  return wording.told(entered, call, answer);
}

/** In its turn, through Taskgate's own tools or the call path. */
export function brokered<R>(
  entered: Visit,
  call: Call,
  lent: Lent & { readonly rung: Rung; readonly begun?: (attempt: Attempt) => Promise<void> },
  wording: Wording<R>,
): Promise<Answer<R> | Brokered> {
  return guarded<Answer<R> | Brokered>(
    entered,
    lent.gone,
    (refusal) => wording.refused(entered, call, refusal),
    (visit, aside) => withHold(visit.ports, whoOf(visit), (holdMs) => throughPath(visit, call, { ...lent, aside }, holdMs, wording)),
  );
}

async function throughPath<R>(
  visit: Visit,
  call: Call,
  lent: Parameters<typeof brokered>[2] & { readonly aside: Aside },
  holdMs: number,
  wording: Wording<R>,
): Promise<Answer<R> | Brokered> {
  if (wording.own && ownTools(visit).some(({ name }) => name === call.name)) {
    const own = await runOwnTool(visit, call.name, call.arguments, { signal: lent.gone, holdMs, aside: lent.aside });
    if (isRefusal(own)) await recordAtDoor(visit, call.name, own.refused);
    return isRefusal(own) ? wording.refused(visit, call, own) : { kind: 'result', result: wording.own(own) };
  }
  const asked = askedBy(call);
  if (!visit.session) {
    const without = visit.stopped ?? refuse('tool.not_granted', 'There is no open task');
    await recordAtDoor(visit, recordedName(null, asked), without.refused);
    return wording.refused(visit, call, without);
  }

  const nonce = call.meta['taskgate/call'] ?? null;
  if (nonce !== null && (typeof nonce !== 'string' || nonce.length === 0 || nonce.length > longestNonce)) {
    return { kind: 'error', code: invalidParams, message: `_meta["taskgate/call"] must be a string of 1 to ${longestNonce} characters` };
  }
  const resumed = lent.rounds?.resumed ?? null;
  const digest = (): string | null => digestCall(call, nonce);
  // A state is a name for one paused call, never a pass to another.
  if (resumed && resumed.call !== digest()) {
    await recordAtDoor(visit, recordedName(visit.session, asked), 'approval.unknown');
    return { kind: 'error', code: invalidParams, message: 'Invalid or expired requestState' };
  }

  const trace = call.meta['traceparent'];
  const request = {
    ...asked,
    nonce,
    resumes: resumed?.approval ?? null,
    traceparent: typeof trace === 'string' && traceparent.test(trace) ? trace : null,
  };
  const { signal, rung, onProgress, aside, begun } = lent;
  const holds = rung === 'rounds' || rung === 'hold';
  const io = { signal, rung, holdMs: holds ? holdMs : 0, onProgress, aside, ...(begun ? { begun } : {}) };
  return { kind: 'brokered', answer: await visit.parts.brokerCall(visit.ports, visit.session, request, io), digest };
}

const askedBy = ({ kind, name, arguments: args }: Call): Asked => (kind === 'resource' ? { kind, uri: name } : { kind, tool: name, arguments: args });
