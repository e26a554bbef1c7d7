import { type CallAnswer, isRefusal, refuse, type Session, type TaskName, type TaskState } from '../../call/index.ts';
import { brokered, type Call, type Lent, mayWaitBy } from '../answer-call.ts';
import { internalError } from '../answers.ts';
import { lackedScope } from '../check-scope.ts';
import { type Answer, guarded } from '../in-turn.ts';
import { ownTools } from '../own-tools.ts';
import type { Visit } from '../parts.ts';
import { asTool, type ToolResult } from '../tool-result.ts';
import { type Named, openTask, sealTask } from './names.ts';
import { runAside } from './run-aside.ts';
import { callOf, type TaskView, toldView, viewOf, withAnswer } from './view.ts';

/** What both generations of tasks do; each only puts it into its own words. */

export type { TaskView } from './view.ts';

export interface Tasked {
  readonly kind: 'task';
  readonly view: TaskView;
}
/** Not there and not the caller's answer alike. */
export interface NoTask {
  readonly kind: 'no_task';
}
const noTask: NoTask = { kind: 'no_task' };

export type InSession = Visit & { readonly session: Session };
/** A call of this visit can be a task: it is brokered, and the tenant lets its calls wait like that. */
export const canBeTask = (visit: Visit, tool: string): visit is InSession =>
  mayWaitBy(visit.session, 'task') && !ownTools(visit).some(({ name }) => name === tool);

const holderOf = ({ row }: Session): string => JSON.stringify([row.tenant, row.id, row.agent, row.cnf]);
const idOf = ({ ports, session }: InSession, named: Named): string => sealTask(ports.keys.state, holderOf(session), named, ports.clock());

/**
 * One call of a client that can wait for a task. `always`: it asked for one whatever the call takes (2025-11-25); else it gets one
 * when a human has to decide or when the call takes its time (2026-07-28).
 */
export async function startTask(visit: InSession, call: Call, lent: Lent, always: boolean): Promise<Tasked | Answer<ToolResult>> {
  const { ports, session } = visit;
  const run = runAside(ports, session, visit.parts.tasks, lent.signal, always ? 0 : ports.config.task_after_ms, (signal, begun) =>
    brokered(visit, call, { ...lent, signal, gone: signal, rung: 'task', begun }, asTool),
  );
  const first = await Promise.race([run.answer, run.kept]);
  if (first.kind === 'kept') return named(visit, first.name);
  if (first.kind !== 'brokered') return always && first.kind === 'result' ? { kind: 'error', code: internalError, message: textOf(first.result) } : first;
  const { answer } = first;
  const waits = isRefusal(answer) && (answer.refused === 'approval.required' || (always && answer.approval));
  const approval = isRefusal(answer) ? (waits ? answer.approval?.id : undefined) : always ? answer.approval : undefined;
  if (approval !== undefined) return named(visit, { kind: 'approval', id: approval });
  const outcome = asTool.told(visit, call, answer);
  if (!always || outcome.kind !== 'result' || !isRefusal(answer)) return outcome;
  const told = { kind: 'told' as const, code: answer.refused, message: answer.message, decision: answer.decision, at: ports.clock() };
  return { kind: 'task', view: toldView(idOf(visit, told), told, session.row.expiresAt, outcome) };
}

async function named(visit: InSession, name: TaskName): Promise<Tasked | Answer<never>> {
  const state = await visit.parts.tasks.look(visit.ports, visit.session, name);
  if (state === null) return { kind: 'error', code: internalError, message: 'This call had no time left to become a task' };
  return { kind: 'task', view: viewOf(idOf(visit, name), state) };
}

const textOf = ({ content }: ToolResult): string => String(content[0]?.['text'] ?? 'Internal error');

/** How a task stands. What is due is run, or told again, and waited for a moment. */
export async function readTask(entered: Visit, id: string): Promise<Tasked | NoTask | Answer<never>> {
  const looked = await inSession(entered, (visit) => lookUp(visit, id));
  return looked.kind === 'due' ? answerDue(looked, id) : looked;
}

/** Looked up by a visit whose session was live then. */
interface Due {
  readonly kind: 'due';
  readonly visit: InSession;
  readonly state: TaskState;
}

async function lookUp(visit: InSession, id: string): Promise<Tasked | NoTask | Due> {
  const { ports, session, parts } = visit;
  const name = openTask(ports.keys.state, holderOf(session), id, ports.clock());
  if (name === null) return noTask;
  if (name.kind === 'told') {
    const outcome = asTool.refused(visit, callOf(''), refuse(name.code, name.message), { 'taskgate/decision': { id: name.decision, record: null } });
    return { kind: 'task', view: toldView(id, name, session.row.expiresAt, outcome) };
  }
  const state = await parts.tasks.look(ports, session, name);
  // What runs or is told by asking for it is that tool's: a token that may not call it may not ask either.
  if (state === null || lackedScope(visit, state.tool) !== null) return noTask;
  return state.status === 'due' ? { kind: 'due', visit, state } : { kind: 'task', view: viewOf(id, state) };
}

async function answerDue({ visit, state }: Due, id: string): Promise<Tasked | Answer<never>> {
  const { ports, session, parts } = visit;
  const view = viewOf(id, state);
  // Not the asker's to stop by going away: others may ask for the same.
  const run = runAside(ports, session, parts.tasks, new AbortController().signal, ports.config.task_after_ms, (signal, begun) =>
    guarded<CallAnswer | Answer<never>>(
      visit,
      null,
      (refusal) => ({ ...refusal, decision: '', record: null }),
      (now, aside) => parts.tasks.run(ports, now.session ?? session, state.name, { signal, rung: 'task', holdMs: 0, onProgress: null, aside, begun }),
    ),
  );
  const first = await Promise.race([run.answer, run.kept]);
  if ('kind' in first) return first.kind === 'kept' ? { kind: 'task', view } : first;
  const ended = withAnswer(visit, { ...view, updatedAt: Math.max(view.updatedAt, ports.clock()) }, state.tool, first);
  return 'id' in ended ? { kind: 'task', view: ended } : ended;
}

/** Ends the waiting or what runs. A task that is over stays as it was. */
export function cancelTask(entered: Visit, id: string): Promise<{ readonly kind: 'cancelled' | 'over' } | NoTask | Answer<never>> {
  return inSession(entered, async (visit) => {
    const name = openTask(visit.ports.keys.state, holderOf(visit.session), id, visit.ports.clock());
    if (name === null) return noTask;
    if (name.kind === 'told') return { kind: 'over' };
    const state = await visit.parts.tasks.look(visit.ports, visit.session, name);
    if (state === null || lackedScope(visit, state.tool) !== null) return noTask;
    const how = await visit.parts.tasks.cancel(visit.ports, visit.session, name);
    return how === null ? noTask : { kind: how };
  });
}

/** All tasks of the session, youngest first. */
export function listTasks(entered: Visit): Promise<{ readonly kind: 'tasks'; readonly views: readonly TaskView[] } | NoTask | Answer<never>> {
  return inSession(entered, async (visit) => {
    const states = await visit.parts.tasks.list(visit.ports, visit.session);
    return { kind: 'tasks', views: states.filter(({ tool }) => lackedScope(visit, tool) === null).map((state) => viewOf(idOf(visit, state.name), state)) };
  });
}

/** In its turn. Outside any session there are no tasks, which answers like one that is not there. */
function inSession<T>(entered: Visit, answer: (visit: InSession) => Promise<T>): Promise<T | NoTask | Answer<never>> {
  return guarded<T | NoTask | Answer<never>>(
    entered,
    null,
    (refusal) => ({ kind: 'error', code: internalError, message: refusal.message }),
    (visit) => (visit.session ? answer(visit as InSession) : Promise.resolve(noTask)),
  );
}
