import { type CallAnswer, isRefusal, type RefusalCode, type TaskState } from '../../call/index.ts';
import type { Call } from '../answer-call.ts';
import { internalError } from '../answers.ts';
import type { Answer } from '../in-turn.ts';
import type { Visit } from '../parts.ts';
import { asTool, type ToolResult } from '../tool-result.ts';
import type { Told } from './names.ts';

/** A task as either generation is shown it; times in epoch milliseconds. */
export interface TaskView {
  readonly id: string;
  readonly status: 'working' | 'completed' | 'failed' | 'cancelled';
  readonly message: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly ttlMs: number;
  readonly pollMs: number;
  /** What the call would have been answered with; null while there is nothing to tell. */
  readonly outcome: Exclude<Answer<ToolResult>, { kind: 'turned_away' }> | null;
}
export type Turned = Extract<Answer<never>, { kind: 'turned_away' }>;

/** How often to look, in milliseconds: people take their time. */
const pollMs = { waiting: 2_000, running: 500, due: 500, cancelled: 500 } as const;

const words = {
  waiting: 'Not executed yet: a human has to approve this call.',
  running: 'The call is running.',
  due: 'The call is about to run.',
  cancelled: 'The task was cancelled. What had not run will not run; what was running was asked to stop.',
} as const;

/** A call that is only told of: what it was called with is not known here. */
export const callOf = (tool: string): Call => ({ kind: 'tool', name: tool, arguments: {}, meta: {} });

/** A task that has nothing to tell but how it stands. */
export function viewOf(id: string, state: TaskState): TaskView {
  const { createdAt, updatedAt, expiresAt, status } = state;
  const about = { id, createdAt, updatedAt, ttlMs: Math.max(1, expiresAt - createdAt), pollMs: pollMs[status], message: words[status], outcome: null };
  return { ...about, status: status === 'cancelled' ? 'cancelled' : 'working' };
}

/** Nothing has come of it yet: it is asked again, or runs where somebody else looks after it. */
const stillWorking: ReadonlySet<RefusalCode> = new Set(['approval.required', 'approval.running', 'stale', 'limit.exceeded']);

/** A task whose call has been answered. A refusal of the whole request is the answer to whoever asks for the task. */
export function withAnswer(visit: Visit, view: TaskView, tool: string, answer: CallAnswer): TaskView | Turned {
  if (isRefusal(answer)) {
    if (stillWorking.has(answer.refused)) return { ...view, status: 'working', message: answer.message };
    if (answer.refused === 'call.cancelled') return { ...view, status: 'cancelled', message: answer.message };
    // What broke between here and the upstream is an error of the protocol, not an answer of the tool.
    if (answer.refused === 'upstream.failed')
      return { ...view, status: 'failed', message: answer.message, outcome: { kind: 'error', code: internalError, message: answer.message } };
  }
  return withOutcome(view, asTool.told(visit, callOf(tool), answer));
}

function withOutcome(view: TaskView, outcome: Answer<ToolResult>): TaskView | Turned {
  if (outcome.kind === 'turned_away') return outcome;
  if (outcome.kind === 'error') return { ...view, status: 'failed', message: outcome.message, outcome };
  return { ...view, status: 'completed', message: outcome.result.isError ? textOf(outcome.result) : null, outcome };
}

/** A task that was over when it was made. */
export function toldView(id: string, told: Told, until: number, outcome: Answer<ToolResult>): TaskView {
  const at = { createdAt: told.at, updatedAt: told.at, ttlMs: Math.max(1, until - told.at), pollMs: pollMs.due };
  return { id, ...at, status: 'completed', message: told.message, outcome: outcome.kind === 'turned_away' ? null : outcome };
}

const textOf = ({ content }: ToolResult): string | null => {
  const text = content.find((block) => block['type'] === 'text')?.['text'];
  return typeof text === 'string' ? text.slice(0, 500) : null;
};
