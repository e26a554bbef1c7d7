import { vi } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { postModern } from '../mcp/fixture.ts';

/** Tasks of 2026-07-28 as they go over the wire. */

export const extension = 'io.modelcontextprotocol/tasks';
export const declared = { 'io.modelcontextprotocol/clientCapabilities': { extensions: { [extension]: {} } } };

export interface TaskWire {
  readonly resultType: string;
  readonly taskId: string;
  readonly status: 'working' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  readonly result?: { readonly content: readonly { readonly text: string }[]; readonly isError?: boolean; readonly _meta: Record<string, unknown> };
  readonly error?: { readonly code: number; readonly message: string };
}
export interface Answered {
  readonly http: number;
  readonly result?: TaskWire;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}
type Holder = Pick<Task, 'mcpUrl' | 'accessToken'>;

export async function ask(task: Holder, method: string, params: Record<string, unknown>): Promise<Answered> {
  const name = params['taskId'] === undefined ? {} : { 'mcp-name': String(params['taskId']) };
  const { _meta, ...rest } = params;
  const headers = { authorization: `Bearer ${task.accessToken}`, ...name };
  const response = await postModern(task.mcpUrl, method, { ...rest, _meta: { ...declared, ...(_meta as object) } }, headers);
  return { ...((await response.json()) as Answered), http: response.status };
}
export const callAsTask = async (task: Holder, params: Record<string, unknown>): Promise<TaskWire> =>
  (await ask(task, 'tools/call', params)).result as TaskWire;
export const getTask = async (task: Holder, taskId: string): Promise<TaskWire> => (await ask(task, 'tasks/get', { taskId })).result as TaskWire;

/** The task once it no longer works. */
export const overTask = (task: Holder, taskId: string): Promise<TaskWire> =>
  vi.waitUntil(
    async () => {
      const state = await getTask(task, taskId);
      // Whoever asked too often is told nothing for a while.
      return state !== undefined && state.status !== 'working' && state;
    },
    { timeout: 15_000, interval: 20 },
  );
