import type { AttestedBy, Sensitivity } from '../../../policies/index.ts';
import type { SessionRow, SessionStatus } from '../store.ts';
import { all, allRemembered, remembered, type Verb } from '../verb.ts';

/** A row of `sessions` as a store gives it. */
export interface SessionColumns {
  readonly id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly use_case: string;
  readonly workflow: string;
  readonly mode: SessionRow['mode'];
  readonly sponsor: string;
  readonly sponsor_groups: string;
  readonly requester: string;
  readonly parent: string | null;
  readonly root: string;
  readonly lineage: string;
  readonly objective: string;
  readonly inputs: string;
  readonly attested_by: AttestedBy;
  readonly grants: string;
  readonly ceiling: Sensitivity;
  readonly budget: string;
  readonly task_sha256: string;
  readonly cnf: string | null;
  readonly connection: string | null;
  readonly opened_at: number;
  readonly expires_at: number;
  readonly status: SessionStatus;
  readonly end_reason: string | null;
  readonly ended_at: number | null;
}

/** Named one by one, so that a plan prepared before a column was added goes on answering. */
export const sessionColumns = [
  'tenant, id, agent, use_case, workflow, mode, sponsor, sponsor_groups, requester, parent, root, lineage, objective, inputs, attested_by',
  'grants, ceiling, budget, task_sha256, cnf, connection, opened_at, expires_at, status, end_reason, ended_at',
].join(', ');

const made = new WeakMap<SessionColumns, SessionRow>();

/** Of one row always the same. */
export function sessionOf(columns: SessionColumns): SessionRow {
  const before = made.get(columns);
  if (before) return before;
  const session = sessionFrom(columns);
  made.set(columns, session);
  return session;
}

function sessionFrom(columns: SessionColumns): SessionRow {
  return {
    id: columns.id,
    tenant: columns.tenant,
    agent: columns.agent,
    useCase: columns.use_case,
    workflow: columns.workflow,
    mode: columns.mode,
    sponsor: columns.sponsor,
    sponsorGroups: JSON.parse(columns.sponsor_groups) as SessionRow['sponsorGroups'],
    requester: columns.requester,
    parent: columns.parent,
    root: columns.root,
    lineage: columns.lineage,
    objective: columns.objective,
    inputs: JSON.parse(columns.inputs) as SessionRow['inputs'],
    attestedBy: columns.attested_by,
    grants: JSON.parse(columns.grants) as SessionRow['grants'],
    ceiling: columns.ceiling,
    budget: JSON.parse(columns.budget) as SessionRow['budget'],
    taskSha256: columns.task_sha256,
    cnf: columns.cnf === null ? null : (JSON.parse(columns.cnf) as SessionRow['cnf']),
    connection: columns.connection,
    openedAt: columns.opened_at,
    expiresAt: columns.expires_at,
    status: columns.status,
    endReason: columns.end_reason,
    endedAt: columns.ended_at,
  };
}

/** The columns that decide whether a session, as one of a tree, may act. */
export interface Standing {
  readonly id: string;
  readonly agent: string;
  readonly parent: string | null;
  readonly root: string;
  readonly lineage: string;
  readonly ceiling: Sensitivity;
  readonly status: SessionStatus;
  readonly expires_at: number;
  /** Null for an agent nobody spoke of: it is active. */
  readonly agent_status: 'active' | 'suspended' | null;
}

export const isLive = (session: Pick<Standing, 'status' | 'expires_at'>, at: number): boolean => session.status === 'active' && session.expires_at > at;

/** What an admin said of a session's agent while it ran. */
const agentStatus = 'a.status AS agent_status FROM sessions s LEFT JOIN agents a ON a.tenant = s.tenant AND a.agent = s.agent';

/** How a session is read, and the line it stands in. */
export interface LineQuery {
  /** The session alone, with what is read beside it. */
  readonly start: string;
  /** What it draws on, from its parent on. */
  readonly line: string;
}

/** Of columns of sessions `s`, and of what is read together with a session itself and not with those it draws on. Made once: a text is found by itself. */
export function lineQuery(own: string, beside?: { readonly columns: string; readonly joins: string }): LineQuery {
  return {
    start: beside
      ? `SELECT ${own}, ${beside.columns}, ${agentStatus} ${beside.joins} WHERE s.tenant = ? AND s.id = ?`
      : `SELECT ${own}, ${agentStatus} WHERE s.tenant = ? AND s.id = ?`,
    line: `WITH RECURSIVE line (id, depth) AS (
       SELECT id, 0 FROM sessions WHERE tenant = ? AND id = ?
       UNION ALL
       SELECT s.parent, line.depth + 1 FROM line JOIN sessions s ON s.id = line.id WHERE s.tenant = ? AND s.parent IS NOT NULL
     )
     SELECT ${own}, ${agentStatus} JOIN line ON line.id = s.id WHERE s.tenant = ? ORDER BY line.depth`,
  };
}

/**
 * The session and all it draws on, itself first, root last; empty when there is no such session. Most sessions draw on no other: only
 * for those that do is the line walked.
 */
export function* alongTheLine<Own extends Row, Row extends { readonly parent: string | null } = Own>(
  query: LineQuery,
  tenant: string,
  id: string,
): Verb<[] | [Own, ...Row[]]> {
  const own = yield* remembered<Own>(query.start, tenant, id);
  if (!own) return [];
  if (own.parent === null) return [own];
  return [own, ...(yield* behind<Row>(query, tenant, own.parent))];
}

/** What a session draws on, from its parent on. */
export const behind = <Row>({ line }: LineQuery, tenant: string, parent: string): Verb<Row[]> => allRemembered<Row>(line, tenant, parent, tenant, tenant);

export const standing = 's.id, s.agent, s.parent, s.root, s.lineage, s.ceiling, s.status, s.expires_at';

const standingLine = lineQuery(standing);
export const lineOf = (tenant: string, id: string): Verb<Standing[]> => alongTheLine<Standing>(standingLine, tenant, id);

/** The session and all it draws on may act: active, before their end, no agent of theirs suspended. */
export const isLineLive = (line: readonly Standing[], at: number): boolean =>
  line.length > 0 && line.every((one) => isLive(one, at) && one.agent_status !== 'suspended');

/** The session and everything drawn from it that has not come to its end, itself first. */
export function* descendantsOf(tenant: string, id: string): Verb<SessionRow[]> {
  const found = yield* all<SessionColumns>(
    `WITH RECURSIVE tree (id, depth) AS (
         SELECT id, 0 FROM sessions WHERE tenant = ? AND id = ?
         UNION ALL
         SELECT s.id, tree.depth + 1 FROM sessions s JOIN tree ON s.parent = tree.id WHERE s.tenant = ?
       )
       SELECT ${sessionColumns} FROM sessions JOIN tree USING (id) WHERE tenant = ? ORDER BY depth, id`,
    tenant,
    id,
    tenant,
    tenant,
  );
  return found.map(sessionOf);
}
