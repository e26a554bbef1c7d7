import type { RecordBody, StoredRecord } from './record.ts';

/** What the record tells of how a use case was used. */
export interface Use {
  /** Sessions that called something. */
  readonly sessions: number;
  readonly calls: number;
  /** Calls of one session and all below it, at most. */
  readonly mostPerSession: number;
  /** Calls of one UTC day, at most. */
  readonly mostPerDay: number;
  /** By brokered name. */
  readonly tools: ReadonlyMap<string, ToolUse>;
  /** Calls that ran because the use case was observed, by what would have stopped them. */
  readonly would: readonly Stopped[];
  /** Calls that were refused for what policy, grants or counters say. */
  readonly refused: readonly Stopped[];
  /** More was going on at once than is kept in memory: the counts by session and by reason are lower than what was. */
  readonly incomplete: boolean;
}
interface ToolUse {
  readonly calls: number;
  readonly mostPerSession: number;
  /** How many calls each policy let run. */
  readonly permittedBy: ReadonlyMap<string, number>;
}
interface Stopped {
  readonly tool: string;
  /** `deny`, `require`, or the code of a refusal. */
  readonly how: string;
  readonly policies: readonly string[];
  readonly requirements: readonly string[];
  readonly calls: number;
}

/** Kept at once, so that a log of any length is read in bounded memory. */
const most = { sessions: 5_000, reasons: 500, permits: 100 };
const narrowing: readonly (string | undefined)[] = ['policy.forbidden', 'arguments.not_granted', 'budget.exhausted'];

interface Open {
  readonly parent: string | null;
  own: boolean;
  calls: number;
  readonly tools: Map<string, number>;
}
interface Tool {
  calls: number;
  mostPerSession: number;
  readonly permittedBy: Map<string, number>;
}

/** Reads a tenant's records, in their order, once. `since`: epoch milliseconds; what was called before is not counted. */
export async function measureUse(records: AsyncIterable<StoredRecord>, useCase: string, since: number): Promise<Use> {
  const open = new Map<string, Open>();
  const tools = new Map<string, Tool>();
  const days = new Map<string, number>();
  const reasons = { would: new Map<string, Stopped>(), refused: new Map<string, Stopped>() };
  let [sessions, calls, mostPerSession, incomplete] = [0, 0, 0, false];

  const toolOf = (name: string): Tool => {
    const tool = tools.get(name) ?? { calls: 0, mostPerSession: 0, permittedBy: new Map() };
    tools.set(name, tool);
    return tool;
  };
  const fold = (id: string): void => {
    const session = open.get(id);
    open.delete(id);
    if (!session) return;
    mostPerSession = Math.max(mostPerSession, session.calls);
    for (const [name, count] of session.tools) toolOf(name).mostPerSession = Math.max(toolOf(name).mostPerSession, count);
  };
  const enter = (id: string, parent: string | null): Open => {
    const session = open.get(id) ?? { parent, own: false, calls: 0, tools: new Map() };
    if (!open.has(id) && open.size >= most.sessions) {
      incomplete = true;
      fold(open.keys().next().value ?? '');
    }
    open.set(id, session);
    return session;
  };
  const stop = (list: Map<string, Stopped>, one: Omit<Stopped, 'calls'>): void => {
    const key = JSON.stringify(one);
    const before = list.get(key);
    if (before || list.size < most.reasons) list.set(key, { ...one, calls: (before?.calls ?? 0) + 1 });
    else incomplete = true;
  };
  const dispatched = (body: RecordBody & { session: string; tool: string }): void => {
    calls += 1;
    const day = new Date(body.at).toISOString().slice(0, 10);
    days.set(day, (days.get(day) ?? 0) + 1);
    const own = enter(body.session, null);
    if (!own.own) sessions += 1;
    own.own = true;
    // A child draws on all its ancestors: what they must allow is the sum.
    for (let at: Open | undefined = own; at; at = at.parent === null ? undefined : open.get(at.parent)) {
      at.calls += 1;
      at.tools.set(body.tool, (at.tools.get(body.tool) ?? 0) + 1);
    }
    const tool = toolOf(body.tool);
    tool.calls += 1;
    const { would, policies = [] } = body;
    if (would) stop(reasons.would, { tool: body.tool, how: would.decision, policies: would.policies, requirements: would.requirements });
    for (const id of would ? [] : policies)
      if (tool.permittedBy.has(id) || tool.permittedBy.size < most.permits) tool.permittedBy.set(id, (tool.permittedBy.get(id) ?? 0) + 1);
  };

  for await (const { body } of records) {
    const { type, session, tool } = body;
    if (session !== undefined && (type === 'session.ended' || type === 'session.revoked')) fold(session);
    if (body.use_case !== useCase || session === undefined) continue;
    if (type === 'session.opened') enter(session, body.parent ?? null);
    if (body.at < since || tool === undefined) continue;
    if (type === 'call.dispatched') dispatched({ ...body, session, tool });
    if (type === 'call.refused' && narrowing.includes(body.code))
      stop(reasons.refused, { tool, how: body.code ?? '', policies: body.policies ?? [], requirements: [] });
  }
  for (const id of [...open.keys()]) fold(id);
  const sorted = (list: Map<string, Stopped>): Stopped[] => [...list.values()].sort((a, b) => b.calls - a.calls || (a.tool < b.tool ? -1 : 1));
  return {
    ...{ sessions, calls, mostPerSession, mostPerDay: Math.max(0, ...days.values()), tools, incomplete },
    would: sorted(reasons.would),
    refused: sorted(reasons.refused),
  };
}
