import type { EventFacts, EventType } from '../../notifications/event.ts';
import type {
  BreakGlassAnswer,
  BreakGlassConfirmation,
  BreakGlassRefused,
  BreakGlassReviewing,
  BreakGlassRow,
  BreakGlassStatus,
  NewBreakGlass,
} from '../break-glass.ts';
import type { Page } from '../store.ts';
import { all, one, run, signal, together, Undo, type Verb } from '../verb.ts';
import { type BreakGlassColumns, breakGlassColumns, breakGlassOf, readBreakGlass } from './break-glass-rows.ts';
import { readRevision } from './configuration.ts';
import { notify } from './notifications.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';

const refused = (why: BreakGlassRefused): BreakGlassAnswer => ({ done: false, why });

function* answerWith(tenant: string, id: string): Verb<BreakGlassAnswer> {
  const row = yield* readBreakGlass(tenant, id);
  if (!row) throw new Error('a break-glass that was just written is not there');
  return { done: true, row };
}

/** One that has to be reviewed and was not in time stands before every other of the tenant, whether or not anybody has swept. */
function* isOverdue(tenant: string, at: number): Verb<boolean> {
  const found = yield* one(
    'SELECT 1 AS found FROM break_glass WHERE tenant = ? AND activated_at IS NOT NULL AND reviewed_at IS NULL AND review_due <= ? LIMIT 1',
    tenant,
    at,
  );
  return found !== undefined;
}

export function* requestBreakGlass({ tenant, id, session, agent, terms, revision, at, confirmBy, record }: NewBreakGlass): Verb<BreakGlassAnswer> {
  const [now, line, overdue] = yield* together(readRevision(tenant), lineOf(tenant, session), isOverdue(tenant, at));
  if (now !== revision) return refused('revision');
  if (!isLineLive(line, at)) return refused('session_not_live');
  if (overdue) return refused('review_overdue');
  // One ended is none to begin anew: its session went with it.
  const there = yield* one(
    `SELECT 1 AS found FROM break_glass WHERE tenant = ? AND session = ? AND (status = 'active' OR (status = 'requested' AND confirm_by > ?)) LIMIT 1`,
    tenant,
    session,
    at,
  );
  if (there) return refused('already_there');
  yield* run(
    `INSERT INTO break_glass (tenant, id, session, agent, status, terms, requested_at, confirm_by) VALUES (?, ?, ?, ?, 'requested', ?, ?, ?)`,
    tenant,
    id,
    session,
    agent,
    JSON.stringify(terms),
    at,
    confirmBy,
  );
  yield* appendRecord(tenant, record);
  return yield* answerWith(tenant, id);
}

export function* confirmBreakGlass({ tenant, id, confirmer, revision, at, reviewMs, record }: BreakGlassConfirmation): Verb<BreakGlassAnswer> {
  const row = yield* readBreakGlass(tenant, id);
  if (!row) return refused('not_found');
  const [now, line, overdue] = yield* together(readRevision(tenant), lineOf(tenant, row.session), isOverdue(tenant, at));
  if (now !== revision) return refused('revision');
  if (row.status !== 'requested' || row.confirmBy <= at) return refused('not_requested');
  if (!isLineLive(line, at)) return refused('session_not_live');
  if (overdue) return refused('review_overdue');
  const notAfter = at + row.terms.lifetime;
  const activated = yield* run(
    `UPDATE break_glass SET status = 'active', confirmer = ?, activated_at = ?, not_after = ?, review_due = ? WHERE tenant = ? AND id = ? AND status = 'requested'`,
    JSON.stringify(confirmer),
    at,
    notAfter,
    notAfter + reviewMs,
    tenant,
    id,
  );
  if (activated === 0) return refused('not_requested');
  yield* appendRecord(tenant, { ...record, expires_at: notAfter });
  // Whoever holds a call of this task looks again.
  const held = yield* all<{ id: string }>(`SELECT id FROM approvals WHERE tenant = ? AND session = ? AND status = 'pending'`, tenant, row.session);
  for (const approval of held) yield* signal('approval', tenant, approval.id);
  // INVARIANT: nobody acts under break-glass that nobody else is told of.
  const told = yield* tell('break_glass.activated', { ...row, confirmer }, at, { tools: row.terms.tools, expires_at: notAfter });
  if (told === 0) throw new Undo(refused('nobody_told'));
  return yield* answerWith(tenant, id);
}

export function* tell(type: Extract<EventType, `break_glass.${string}`>, row: BreakGlassRow, at: number, more: EventFacts = {}): Verb<number> {
  const { tenant, id, session, agent, terms, confirmer } = row;
  const people = [terms.initiator.name, ...(confirmer ? [confirmer.name] : [])];
  return yield* notify(tenant, { type, at, about: id, facts: { break_glass: id, session, agent, incident: terms.incident, people, ...more } });
}

/** For the claim: still active for this session and tool, in the same transaction as everything else it takes. */
export function* takeBreakGlass(tenant: string, session: string, tool: string, id: string, at: number): Verb<boolean> {
  const row = yield* readBreakGlass(tenant, id);
  if (row?.status !== 'active' || row.session !== session || (row.notAfter ?? 0) <= at || !row.terms.tools.includes(tool)) return false;
  if (row.firstUsedAt !== null) return true;
  yield* run('UPDATE break_glass SET first_used_at = ? WHERE tenant = ? AND id = ? AND first_used_at IS NULL', at, tenant, id);
  yield* tell('break_glass.used', row, at, { tool });
  return true;
}

export function* reviewBreakGlass({ tenant, id, revision, at, review, record }: BreakGlassReviewing): Verb<BreakGlassAnswer> {
  if ((yield* readRevision(tenant)) !== revision) return refused('revision');
  const reviewed = yield* run(
    `UPDATE break_glass SET review = ?, reviewed_at = ? WHERE tenant = ? AND id = ? AND status = 'ended' AND reviewed_at IS NULL`,
    JSON.stringify(review),
    at,
    tenant,
    id,
  );
  if (reviewed === 0) return refused((yield* readBreakGlass(tenant, id)) ? 'not_ended' : 'not_found');
  yield* appendRecord(tenant, record);
  return yield* answerWith(tenant, id);
}

export function* listBreakGlass(tenant: string, filter: { status?: BreakGlassStatus }, page: Page): Verb<BreakGlassRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['status = ?', filter.status],
  ]);
  const [after, from] =
    page.after === null ? ['', []] : ['AND (requested_at, id) < (SELECT requested_at, id FROM break_glass WHERE tenant = ? AND id = ?)', [tenant, page.after]];
  const found = yield* all<BreakGlassColumns>(
    `SELECT ${breakGlassColumns} FROM break_glass WHERE ${text} ${after} ORDER BY requested_at DESC, id DESC LIMIT ?`,
    ...values,
    ...from,
    limitOf(page),
  );
  return yield* together(...found.map(breakGlassOf));
}
