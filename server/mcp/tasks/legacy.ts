import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CancelTaskRequestSchema, GetTaskPayloadRequestSchema, GetTaskRequestSchema, ListTasksRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { internalError, invalidParams } from '../answers.ts';
import type { Answer } from '../in-turn.ts';
import type { Visit } from '../parts.ts';
import { mostRounds } from '../pause.ts';
import type { ToolResult } from '../tool-result.ts';
import { cancelTask, listTasks, type NoTask, readTask, type TaskView } from './follow.ts';

/** Tasks of 2025-11-25: the client asks for one with the call, looks at it with `tasks/get` and fetches with `tasks/result`. */

export const taskCapabilities = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
const relatedTask = 'io.modelcontextprotocol/related-task';

/** In this revision a tool that answers with an error has failed. */
const statusOf = ({ status, outcome }: TaskView): TaskView['status'] =>
  status === 'completed' && outcome?.kind === 'result' && outcome.result.isError ? 'failed' : status;

export const taskOf = (view: TaskView) => ({
  taskId: view.id,
  status: statusOf(view),
  ...(view.message === null ? {} : { statusMessage: view.message }),
  createdAt: new Date(view.createdAt).toISOString(),
  lastUpdatedAt: new Date(view.updatedAt).toISOString(),
  ttl: view.ttlMs,
  pollInterval: view.pollMs,
});

interface Leg {
  readonly gone: AbortSignal;
  /** Notes the HTTP answer of a refused request, or throws the error it is. */
  unwrap<T>(answer: Answer<T>): T;
  asResult(result: ToolResult): Record<string, unknown>;
}

export function serveLegacyTasks(server: Server, visit: Visit, { gone, unwrap, asResult }: Leg): void {
  const fail = (message: string): never => unwrap({ kind: 'error', code: invalidParams, message });
  const found = <T extends { readonly kind: string }>(answer: T | NoTask | Answer<never>): T => {
    if (answer.kind === 'no_task') return fail('Task not found');
    if (answer.kind === 'error' || answer.kind === 'turned_away') return unwrap(answer as Answer<never>);
    return answer as T;
  };
  server.setRequestHandler(GetTaskRequestSchema, async ({ params }) => taskOf(found(await readTask(visit, params.taskId)).view));
  server.setRequestHandler(ListTasksRequestSchema, async ({ params }) => {
    if (params?.cursor !== undefined) return fail('Unknown cursor');
    return { tasks: found(await listTasks(visit)).views.map(taskOf) };
  });
  server.setRequestHandler(CancelTaskRequestSchema, async ({ params }) => {
    if (found(await cancelTask(visit, params.taskId)).kind === 'over') return fail('This task is over and cannot be cancelled');
    return taskOf(found(await readTask(visit, params.taskId)).view);
  });
  server.setRequestHandler(GetTaskPayloadRequestSchema, async ({ params }) => {
    const { outcome, status } = await ended(visit, params.taskId, found, gone);
    if (status === 'cancelled') return fail('This task was cancelled and has no result');
    const result =
      outcome === null ? unwrap<ToolResult>({ kind: 'error', code: internalError, message: 'The task is still working; ask again' }) : unwrap(outcome);
    const told = asResult(result);
    return { ...told, _meta: { ...result._meta, [relatedTask]: { taskId: params.taskId } } };
  });
}

/** The task once it is over: whoever asks for a result is kept waiting for it, though no longer than a call may wait for a human in all. */
async function ended(
  visit: Visit,
  id: string,
  found: <T extends { readonly kind: string }>(answer: T | NoTask | Answer<never>) => T,
  gone: AbortSignal,
): Promise<TaskView> {
  const { ports } = visit;
  const until = ports.clock() + ports.config.hold_ms * mostRounds;
  for (;;) {
    const { view } = found(await readTask(visit, id));
    const left = until - ports.clock();
    if (view.status !== 'working' || left <= 0 || gone.aborted) return view;
    await pause(Math.min(left, view.pollMs), gone);
  }
}

function pause(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      gone.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    gone.addEventListener('abort', done);
  });
}
