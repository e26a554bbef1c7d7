import type { NewSession, Page, SessionRow, SessionStatus, SessionView } from '../store.ts';
import { all, one, remembers, together, type Verb } from '../verb.ts';
import { readUsed, type Used, usedOf } from './counters.ts';
import { lineageFrom } from './lineages.ts';
import { limitOf, where } from './pages.ts';
import { alongTheLine, isLive, lineOf, lineQuery, type SessionColumns, type Standing, sessionColumns, sessionOf } from './session-rows.ts';
import { type BesideSession, besideSession } from './task-state.ts';

export function* readSessionRow(tenant: string, id: string): Verb<SessionRow | null> {
  const found = yield* one<SessionColumns>(`SELECT ${sessionColumns} FROM sessions WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? sessionOf(found) : null;
}

const ofSession = sessionColumns.replaceAll(/\w+/g, 's.$&');

type Line = SessionColumns & Pick<Standing, 'agent_status'>;
type Own = Line & BesideSession;

const view = lineQuery(ofSession, besideSession);
const callsOf = (tenant: string, id: string): Verb<number> => readUsed(tenant, ...callsIn(id));
const callsIn = (id: string) => [`session/${id}`, 'calls'] as const;

/** One snapshot of all a call is judged on. */
export function* readSessionView(tenant: string, id: string): Verb<SessionView | null> {
  const [[own, ...ancestors], calls] = yield* together(alongTheLine<Own, Line>(view, tenant, id), callsOf(tenant, id));
  return own ? viewOf(own, ancestors, calls) : null;
}

/** `readSessionView` of a session that draws on no other, in one step; of any other, that it does. */
export function* readRootView(tenant: string, id: string): Verb<SessionView | 'drawn' | null> {
  const [own, calls] = (yield [remembers(view.start, tenant, id), usedOf(tenant, ...callsIn(id))]) as [Own | undefined, Used | undefined];
  if (!own) return null;
  return own.parent === null ? viewOf(own, [], calls?.used ?? 0) : 'drawn';
}

function viewOf(own: Own, ancestors: readonly Line[], calls: number): SessionView {
  const { label, version } = lineageFrom(own.lineage, own);
  return {
    session: sessionOf(own),
    ancestors: ancestors.map(sessionOf),
    label,
    labelVersion: version,
    revision: own.revision ?? 0,
    agentStatus: [own, ...ancestors].some(({ agent_status }) => agent_status === 'suspended') ? 'suspended' : 'active',
    calls,
  };
}

export function* listSessions(tenant: string, filter: { status?: SessionStatus; agent?: string }, page: Page, now: number): Verb<SessionRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['status = ?', filter.status],
    // A session past its end is listed under no open status, though nobody has written that down.
    ['expires_at > ?', filter.status === 'active' || filter.status === 'suspended' ? now : undefined],
    ['agent = ?', filter.agent],
  ]);
  const [after, from] =
    page.after === null ? ['', []] : ['AND (opened_at, id) < (SELECT opened_at, id FROM sessions WHERE tenant = ? AND id = ?)', [tenant, page.after]];
  const found = yield* all<SessionColumns>(
    `SELECT ${sessionColumns} FROM sessions WHERE ${text} ${after} ORDER BY opened_at DESC, id DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return found.map(sessionOf);
}

/** The live session of a connection token; one whose ancestor is no longer live is not. */
export function* sessionOfConnection(tenant: string, connection: string, at: number): Verb<SessionRow | null> {
  const found = yield* all<SessionColumns>(
    `SELECT ${sessionColumns} FROM sessions WHERE tenant = ? AND connection = ? AND status = 'active' AND expires_at > ?`,
    tenant,
    connection,
    at,
  );
  for (const columns of found) {
    const line = yield* lineOf(tenant, columns.id);
    if (line.every((one) => isLive(one, at))) return sessionOf(columns);
  }
  return null;
}

/** How many live sessions the agent has of the use case. */
export function* countOpen(session: Pick<NewSession, 'tenant' | 'agent' | 'useCase'>, at: number): Verb<number> {
  const { tenant, agent, useCase } = session;
  const counted = yield* one<{ open: number }>(
    `SELECT count(*) AS open FROM sessions WHERE tenant = ? AND agent = ? AND use_case = ? AND status = 'active' AND expires_at > ?`,
    tenant,
    agent,
    useCase,
    at,
  );
  return counted?.open ?? 0;
}
