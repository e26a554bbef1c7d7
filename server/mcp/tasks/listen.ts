import { CLIENT_CAPABILITIES_META_KEY, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import { isRefusal } from '../../call/index.ts';
import { rpcIdOf } from '../answers.ts';
import type { Visit } from '../parts.ts';
import { lookAgain } from '../watch-list.ts';
import { readTask } from './follow.ts';
import { declaresTasks, detailedTask, missingTasks } from './modern.ts';

/**
 * `notifications/tasks` on a `subscriptions/listen` stream (SEP-2663). The SDK keeps the stream and knows nothing of tasks: what it
 * writes goes through here, and the tasks that were asked for are told in between, each as `tasks/get` would tell it.
 */

const mostTasks = 16;
/** Should no signal come, what another process did is seen this late. */
const lookEvery = 5_000;

/** The tasks a `subscriptions/listen` asks for; null when it asks for none. */
export function tasksAskedFor(message: Readonly<Record<string, unknown>>): readonly string[] | null {
  if (message['method'] !== 'subscriptions/listen') return null;
  const { notifications } = (message['params'] ?? {}) as { notifications?: { taskIds?: unknown } };
  const ids = notifications?.taskIds;
  return Array.isArray(ids) ? [...new Set(ids.filter((id) => typeof id === 'string'))].slice(0, mostTasks) : null;
}

/** The request as the SDK is to see it: it keeps no stream on which nothing of its own is asked for. */
export function withoutTasks(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const params = message['params'] as { notifications: Readonly<Record<string, unknown>> };
  const { taskIds: _, ...others } = params.notifications;
  return { ...message, params: { ...params, notifications: { ...others, toolsListChanged: true } } };
}

/** Null for who declares tasks with this very request; else the answer. */
export function refuseUndeclared(message: Readonly<Record<string, unknown>>): Response | null {
  const meta = ((message['params'] ?? {}) as { _meta?: Readonly<Record<string, unknown>> })._meta;
  if (declaresTasks(meta?.[CLIENT_CAPABILITIES_META_KEY])) return null;
  const { code, message: words, data } = missingTasks();
  return Response.json({ jsonrpc: '2.0', id: rpcIdOf(message), error: { code, message: words, data } }, { status: 400 });
}

export interface TaskNews {
  /** The SDK's answer to `withoutTasks`, with the tasks told in between. */
  through(response: Response): Promise<Response>;
  /** To be called when the SDK has closed the stream, for whatever reason. */
  stop(): void;
}

export function taskNews(visit: Visit, headers: Headers, message: Readonly<Record<string, unknown>>, ids: readonly string[]): TaskNews {
  const { toolsListChanged } = (message['params'] as { notifications: { toolsListChanged?: unknown } }).notifications;
  const subscription = { [SUBSCRIPTION_ID_META_KEY]: rpcIdOf(message) };
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const frameOf = (one: object): Uint8Array => encoder.encode(`event: message\ndata: ${JSON.stringify(one)}\n\n`);
  let ended = false;
  let stopFollowing = (): void => {};
  return {
    async through(response) {
      if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
      const taskIds = await knownOf(visit, ids);
      const told = new TransformStream<Uint8Array, Uint8Array>({
        // The SDK writes each message whole.
        transform(chunk, controller) {
          const text = decoder.decode(chunk);
          if (text.includes('"notifications/tools/list_changed"') && toolsListChanged !== true) return;
          if (!text.includes('"notifications/subscriptions/acknowledged"')) return controller.enqueue(chunk);
          const acknowledged = JSON.parse(text.slice(text.indexOf('data: ') + 'data: '.length)) as { params: { notifications: object } };
          const { toolsListChanged: _, ...others } = acknowledged.params.notifications as { toolsListChanged?: unknown };
          const notifications = { ...(toolsListChanged === true ? { toolsListChanged } : {}), ...others, taskIds };
          controller.enqueue(frameOf({ ...acknowledged, params: { ...acknowledged.params, notifications } }));
          // Only now: MCP has the acknowledgement come first.
          if (ended) return;
          stopFollowing = follow(visit, headers, taskIds, (task) => {
            controller.enqueue(frameOf({ jsonrpc: '2.0', method: 'notifications/tasks', params: { ...task, _meta: subscription } }));
          });
        },
      });
      return new Response(response.body.pipeThrough(told), { status: response.status, headers: response.headers });
    },
    stop() {
      ended = true;
      stopFollowing();
    },
  };
}

/** Those that are the caller's; what is not is not said to be there. */
async function knownOf(visit: Visit, ids: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(ids.map(async (id) => ((await readTask(visit, id)).kind === 'task' ? id : null)));
  return found.filter((id) => id !== null);
}

/** Tells each task as it is found, and again whenever it stands differently, until it is over; as whoever opened the stream. */
function follow(first: Visit, headers: Headers, ids: readonly string[], tell: (task: object) => void): () => void {
  const last = new Map<string, string>(ids.map((id) => [id, '']));
  let running = false;
  let again = false;
  let stopped = false;
  const look = async (): Promise<void> => {
    const visit = await lookAgain(first, headers);
    // Whoever may not ask any more is told nothing; the stream itself ends elsewhere.
    if (isRefusal(visit)) return;
    for (const id of [...last.keys()]) {
      const read = await readTask(visit, id);
      if (stopped) return;
      if (read.kind !== 'task') {
        if (read.kind === 'no_task') last.delete(id);
        continue;
      }
      const how = `${read.view.status} ${read.view.message}`;
      if (last.get(id) !== how) tell(detailedTask(read.view));
      if (read.view.status === 'working') last.set(id, how);
      else last.delete(id);
    }
    if (last.size === 0) stop();
  };
  const ask = (): void => {
    again = true;
    if (running || stopped) return;
    running = true;
    again = false;
    look()
      .catch((error: unknown) => first.ports.log.debug({ err: error }, 'tasks could not be looked at for a stream'))
      .finally(() => {
        running = false;
        if (again && !stopped) ask();
      });
  };
  const unsubscribe = first.ports.store.subscribe((told) => {
    if (told.kind === 'resync' || told.kind === 'approval' || told.kind === 'call') ask();
  });
  const timer = setInterval(ask, lookEvery);
  timer.unref();
  const stop = (): void => {
    stopped = true;
    unsubscribe();
    clearInterval(timer);
  };
  ask();
  return stop;
}
