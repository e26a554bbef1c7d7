import { z } from 'zod';
import { isRefusal, type ListedTool, type Refusal, refuse } from '../call/index.ts';
import { type ExtensionAsked, extensionAsked, extensionSchema, extensionTool } from '../extensions/index.ts';
import type { Aside } from '../limits/index.ts';
import type { Visit } from './parts.ts';
import { approvalHandle, describeApproval, describeExtension } from './pause.ts';

/** Taskgate's own tools. Their names carry no `__`, so none can be mistaken for a brokered one. */

export interface OwnAnswer {
  readonly text: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

const awaitArguments = z.strictObject({ approval: z.string().min(1).max(128).describe('The approval id the paused call named') });
const openArguments = z.strictObject({
  use_case: z.string().min(1).max(64).describe('Name of the use case'),
  objective: z.string().min(1).max(2000).describe('What the task is for, in a sentence; recorded'),
  inputs: z.record(z.string(), z.unknown()).describe('The inputs the use case asks for; {} when it asks for none'),
});
const noArguments = z.strictObject({});

/** The schema a client is shown, made from the one its arguments are checked with. */
function schemaOf(shape: z.ZodType): Readonly<Record<string, unknown>> {
  const { $schema: _, ...schema } = z.toJSONSchema(shape);
  return schema;
}

const awaitApproval: ListedTool = {
  name: 'await_approval',
  title: 'Wait for an approval',
  description:
    'Waits, up to 45 seconds, for the human decision a paused call needs, and says how it stands. It decides nothing. Once approved, retry the exact call.',
  inputSchema: schemaOf(awaitArguments),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
};

const openTask: ListedTool = {
  name: 'open_task',
  title: 'Open a task',
  description: 'Opens the task these tools are for. Afterwards list the tools again: those of the task are added. One task at a time.',
  inputSchema: schemaOf(openArguments),
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
};

const endTask: ListedTool = {
  name: 'end_task',
  title: 'End the task',
  description: 'Ends the open task and everything it could do. Call it as soon as the work is done.',
  inputSchema: schemaOf(noArguments),
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
};

const requestAccess: ListedTool = {
  name: extensionTool,
  title: 'Ask for more',
  description:
    'Asks people to let this task last longer, make more calls, move larger amounts, or use tools of its use case that it was opened without. It gives nothing by itself: wait with await_approval, then list the tools again.',
  inputSchema: extensionSchema,
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
};

/** `await_approval` and `request_access` in every session; the other two only for whoever came with a connection token. */
export function ownTools(visit: Visit): readonly ListedTool[] {
  return [...(visit.caller ? [awaitApproval, requestAccess] : []), ...(visit.connection ? [openTask, endTask] : [])];
}

interface Wait {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly holdMs: number;
  readonly aside: Aside;
}

/** Runs one of the tools `ownTools` lists for this visit. */
export async function runOwnTool(visit: Visit, name: string, args: unknown, wait: Wait): Promise<OwnAnswer | Refusal> {
  switch (name) {
    case awaitApproval.name: {
      const parsed = awaitArguments.safeParse(args);
      return parsed.success ? waitFor(visit, parsed.data.approval, wait) : badArguments(parsed.error);
    }
    case requestAccess.name: {
      const parsed = extensionAsked.safeParse(args);
      return parsed.success ? request(visit, parsed.data) : badArguments(parsed.error);
    }
    case openTask.name: {
      const parsed = openArguments.safeParse(args);
      return parsed.success ? open(visit, parsed.data) : badArguments(parsed.error);
    }
    default: {
      const parsed = noArguments.safeParse(args);
      return parsed.success ? end(visit) : badArguments(parsed.error);
    }
  }
}

/** Paths and expectations only; never the values. */
function badArguments(error: z.ZodError): Refusal {
  const problems = error.issues.slice(0, 5).map(({ path, message }) => `/${path.join('/')}: ${message}`);
  return refuse('arguments.invalid', `The arguments do not fit: ${problems.join('; ')}.`);
}

async function waitFor({ ports, parts, caller }: Visit, approval: string, { signal, holdMs, aside }: Wait): Promise<OwnAnswer | Refusal> {
  if (!caller) return refuse('approval.unknown', 'There is no such approval in this task.');
  let state = await parts.awaitApproval(ports, caller, approval, holdMs, signal, aside);
  if (!isRefusal(state) && state.extension && state.status === 'approved') {
    // The last vote may have been cast by a process that is no more.
    await parts.applyExtension(ports, caller.tenant, state.id);
    state = await parts.awaitApproval(ports, caller, approval, 0, signal, aside);
  }
  if (isRefusal(state)) return state;
  const waiting = state.status === 'pending' || state.status === 'approved';
  return { text: describeApproval(state), meta: { 'taskgate/approval': approvalHandle(state, waiting) } };
}

async function request({ ports, parts, caller }: Visit, asked: ExtensionAsked): Promise<OwnAnswer | Refusal> {
  if (!caller) return refuse('session.refused', 'There is no open task.');
  const row = await parts.requestExtension(ports, { tenant: caller.tenant, session: caller.session, asker: null }, asked);
  if (isRefusal(row)) return row;
  return { text: describeExtension(row), meta: { 'taskgate/approval': approvalHandle(row, row.status === 'pending') } };
}

async function open({ ports, parts, connection }: Visit, asked: z.infer<typeof openArguments>): Promise<OwnAnswer | Refusal> {
  if (!connection) return refuse('session.refused', 'Tasks are opened here only with a connection token.');
  const snapshot = await ports.tenants.current(connection.tenant);
  if (!snapshot) return refuse('session.refused', 'This task cannot be opened.');
  const session = await parts.openSession(ports, snapshot, {
    agent: connection.agent,
    useCase: asked.use_case,
    objective: asked.objective,
    inputs: asked.inputs,
    attestedBy: 'agent',
    connection: connection.hash,
    // Whoever made the token opened what is opened with it, and cannot approve there.
    requester: connection.createdBy,
  });
  if (isRefusal(session)) return session;
  const until = new Date(session.expiresAt).toISOString();
  return { text: `The task is open until ${until}. List the tools again to see what it may use.`, meta: { 'taskgate/session': { id: session.id } } };
}

async function end({ ports, parts, connection }: Visit): Promise<OwnAnswer | Refusal> {
  const session = connection && (await ports.store.sessionOfConnection(connection.tenant, connection.hash));
  if (!session) return refuse('session.refused', 'There is no open task.');
  await parts.endSession(ports, session.tenant, session.id, { status: 'ended', reason: 'finished' }, session.requester);
  return { text: 'The task has ended; nothing it could do can be done any more.', meta: {} };
}
