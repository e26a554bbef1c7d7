import { MissingRequiredClientCapabilityError, ProtocolError, type Server, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { invalidParams } from '../answers.ts';
import type { Answer } from '../in-turn.ts';
import type { Visit } from '../parts.ts';
import { cancelTask, type NoTask, readTask, type TaskView } from './follow.ts';

/** The tasks extension of 2026-07-28 (SEP-2663): the server decides what becomes a task, and its outcome stands in `tasks/get`. */

export const tasksExtension = 'io.modelcontextprotocol/tasks';
export const missingTasks = (): MissingRequiredClientCapabilityError =>
  new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [tasksExtension]: {} } } });

/** Declared with this very request; what an earlier one declared counts for nothing. */
export const declaresTasks = (capabilities: unknown): boolean => {
  const extensions = (capabilities as { extensions?: unknown } | null | undefined)?.extensions;
  return typeof extensions === 'object' && extensions !== null && Object.hasOwn(extensions, tasksExtension);
};

const iso = (ms: number): string => new Date(ms).toISOString();

function wireOf(view: TaskView) {
  return {
    taskId: view.id,
    status: view.status,
    ...(view.message === null ? {} : { statusMessage: view.message }),
    createdAt: iso(view.createdAt),
    lastUpdatedAt: iso(view.updatedAt),
    ttlMs: view.ttlMs,
    pollIntervalMs: view.pollMs,
  };
}

/** What `tools/call` is answered with in place of its result. */
export const createdTask = (view: TaskView) => ({ resultType: 'task' as const, ...wireOf(view), status: 'working' as const });

/** A task with its outcome, as `tasks/get` and `notifications/tasks` have it. */
export function detailedTask(view: TaskView) {
  const { outcome } = view;
  const error = outcome?.kind === 'error' ? { error: { code: outcome.code, message: outcome.message } } : {};
  return { ...wireOf(view), ...(outcome?.kind === 'result' ? { result: { resultType: 'complete', ...outcome.result } } : error) };
}

const named = z.object({ taskId: z.string() });

/** `turnAway` notes the HTTP answer of a refused request and throws. */
export function serveTasks(server: Server, visit: Visit, turnAway: (answer: Answer<never>) => never): void {
  const found = <T extends { readonly kind: string }>(answer: T | NoTask | Answer<never>, what: string): T => {
    if (answer.kind === 'no_task') throw new ProtocolError(invalidParams, `Failed to ${what} task: Task not found`);
    if (answer.kind === 'error' || answer.kind === 'turned_away') return turnAway(answer as Answer<never>);
    return answer as T;
  };
  const demand = ({ mcpReq }: ServerContext): void => {
    const meta = (mcpReq.envelope ?? {}) as Readonly<Record<string, unknown>>;
    if (!declaresTasks(meta['io.modelcontextprotocol/clientCapabilities'])) throw missingTasks();
  };
  server.setRequestHandler('tasks/get', { params: named }, async ({ taskId }, context) => {
    demand(context);
    const { view } = found(await readTask(visit, taskId), 'retrieve');
    return { resultType: 'complete', ...detailedTask(view) };
  });
  server.setRequestHandler('tasks/update', { params: named }, async ({ taskId }, context) => {
    demand(context);
    // Nothing is ever asked of a client here, so no answer is awaited: what it sends is acknowledged and means nothing.
    found(await readTask(visit, taskId), 'update');
    return { resultType: 'complete' };
  });
  server.setRequestHandler('tasks/cancel', { params: named }, async ({ taskId }, context) => {
    demand(context);
    found(await cancelTask(visit, taskId), 'cancel');
    return { resultType: 'complete' };
  });
}
