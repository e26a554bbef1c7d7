import type { CallAnswer, CallResult, Refusal } from '../call/index.ts';
import type { Call } from './answer-call.ts';
import { type Channel, channelOf } from './answers.ts';
import type { Answer } from './in-turn.ts';
import type { OwnAnswer } from './own-tools.ts';
import type { Visit } from './parts.ts';
import { approvalHandle } from './pause.ts';

type Meta = Readonly<Record<string, unknown>>;

/** How what the call path answers to one method is put to a client: a result of it, and what is said in place of one. */
export interface Wording<R> {
  /** What Taskgate's own tools answered; null for a method that does not reach them. */
  readonly own: ((answer: OwnAnswer) => R) | null;
  told(visit: Visit, call: Call, answer: CallAnswer): Answer<R>;
  refused(visit: Visit, call: Call, refusal: Refusal, decision?: Meta): Answer<R>;
}

/** A connection token outlives its tasks: a task that is over is told as an answer, or the host would drop a good token. */
export const channelAt = ({ connection }: Visit, { refused }: Refusal): Channel =>
  connection !== null && refused.startsWith('session.') ? 'tool_error' : channelOf(refused);

/** Where an answer stands on the record. */
export const decisionOf = ({ decision, record }: CallAnswer): Meta => ({ 'taskgate/decision': { id: decision, record } });

export const resultMeta = (answer: CallResult): Meta => ({
  ...decisionOf(answer),
  ...(answer.replayed ? { 'taskgate/replayed': true } : {}),
  ...(answer.edited ? { 'taskgate/edited': answer.edited } : {}),
});

/** A refusal for programs: its code, and what to wait for. */
export function refusalMeta({ refused, retryAfter, approval }: Refusal): Meta {
  const waiting = refused === 'approval.required' || refused === 'approval.running';
  const later = retryAfter === undefined ? {} : { retry_after: retryAfter };
  return { 'taskgate/refusal': { code: refused, ...later }, ...(approval ? { 'taskgate/approval': approvalHandle(approval, waiting) } : {}) };
}

/** An upstream's `_meta` stays behind, on blocks and the resources in them: what stands under that name is Taskgate's word. */
export function withoutMeta({ _meta, resource, ...block }: Meta): Meta {
  if (typeof resource !== 'object' || resource === null) return resource === undefined ? block : { ...block, resource };
  return { ...block, resource: withoutMeta(resource as Meta) };
}
