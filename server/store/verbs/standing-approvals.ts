import { tally } from '../../approvals/tally.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { StandingTaken } from '../rows/calls.ts';
import type { NewStanding, NewStandingVote, StandingAnswer, StandingKind, StandingRow, StandingStatus, StandingVote } from '../standing-approvals.ts';
import type { Page } from '../store.ts';
import { all, one, run, together, type Verb } from '../verb.ts';
import { readRevision } from './configuration.ts';
import { notify } from './notifications.ts';
import { limitOf, where } from './pages.ts';
import { appendRecord } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';
import type { Swept } from './sweep.ts';

interface Columns extends Pick<StandingRow, 'id' | 'tenant' | 'kind' | 'requirement' | 'tool' | 'session' | 'digest' | 'sealed' | 'status' | 'author'> {
  readonly use_case: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly ends_at: number;
  readonly decided_at: number | null;
}
const columns = 'tenant, id, kind, requirement, tool, use_case, session, digest, sealed, status, author, created_at, expires_at, ends_at, decided_at';

/** Open at the same time in one tenant. */
const mostOpen = 200;
const mostForOneCall = 20;

function* rowOf({ use_case, created_at, expires_at, ends_at, decided_at, ...rest }: Columns): Verb<StandingRow> {
  const votes = yield* all<StandingVote>(
    'SELECT person, name, decision, reason, at FROM standing_votes WHERE tenant = ? AND standing = ? ORDER BY position',
    rest.tenant,
    rest.id,
  );
  return { ...rest, votes, useCase: use_case, createdAt: created_at, expiresAt: expires_at, endsAt: ends_at, decidedAt: decided_at };
}

export function* readStanding(tenant: string, id: string): Verb<StandingRow | null> {
  const found = yield* one<Columns>(`SELECT ${columns} FROM standing_approvals WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? yield* rowOf(found) : null;
}

export function* listStanding(tenant: string, filter: { status?: StandingStatus; kind?: StandingKind }, page: Page): Verb<StandingRow[]> {
  const { text, values } = where([
    ['tenant = ?', tenant],
    ['status = ?', filter.status],
    ['kind = ?', filter.kind],
    ['id > ?', page.after ?? undefined],
  ]);
  const found = yield* all<Columns>(`SELECT ${columns} FROM standing_approvals WHERE ${text} ORDER BY id LIMIT ?`, ...values, limitOf(page));
  return yield* together(...found.map(rowOf));
}

type Usable = { row: StandingRow; used: Record<string, number> };

export function* standingFor(tenant: string, tool: string, session: string, at: number): Verb<Usable[]> {
  const found = yield* all<Columns>(
    `SELECT ${columns} FROM standing_approvals
     WHERE tenant = ? AND tool = ? AND status = 'active' AND expires_at > ? AND (session IS NULL OR session = ?) ORDER BY expires_at, id LIMIT ?`,
    tenant,
    tool,
    at,
    session,
    mostForOneCall,
  );
  return yield* together(...found.map((one) => usableOf(one, at)));
}

function* usableOf(found: Columns, at: number): Verb<Usable> {
  const row = yield* rowOf(found);
  const counted = yield* all<{ scope: string; name: string; used: number }>(
    'SELECT scope, name, used FROM counters WHERE tenant = ? AND scope IN (?, ?)',
    ...[row.tenant, `standing/${row.id}`, `standing-day/${row.id}/${new Date(at).toISOString().slice(0, 10)}`],
  );
  return { row, used: Object.fromEntries(counted.map(({ scope, name, used }) => [`${scope} ${name}`, used])) };
}

/** In the claim's own transaction; false when it ended since the call was judged. */
export function* takeStanding(tenant: string, { id, digest }: StandingTaken, at: number): Verb<boolean> {
  const taken = yield* run(
    `UPDATE standing_approvals SET used_at = ? WHERE tenant = ? AND id = ? AND digest = ? AND status = 'active' AND expires_at > ?`,
    at,
    tenant,
    id,
    digest,
    at,
  );
  return taken === 1;
}

export function* proposeStanding(standing: NewStanding, revision: number, first: StandingVote | null): Verb<StandingAnswer> {
  const { tenant, id, createdAt: at, session } = standing;
  if ((yield* readRevision(tenant)) !== revision) return { done: false, why: 'revision' };
  if (session !== null && !isLineLive(yield* lineOf(tenant, session), at)) return { done: false, why: 'session_not_live' };
  const equal = yield* one<{ id: string }>(
    `SELECT id FROM standing_approvals WHERE tenant = ? AND digest = ? AND kind = 'remembered' AND status IN ('pending', 'active') AND expires_at > ?`,
    tenant,
    standing.digest,
    at,
  );
  if (!equal) {
    const open = yield* one<{ open: number }>(
      `SELECT count(*) AS open FROM standing_approvals WHERE tenant = ? AND status IN ('pending', 'active') AND expires_at > ?`,
      tenant,
      at,
    );
    if ((open?.open ?? 0) >= mostOpen) return { done: false, why: 'too_many' };
    yield* insert(standing);
    yield* appendRecord(tenant, about('standing.proposed', standing, at, { actor: standing.author, expires_at: standing.endsAt, revision }));
    const facts = { standing: id, tool: standing.tool, use_case: standing.useCase, requirements: [standing.requirement], expires_at: standing.expiresAt };
    if (standing.kind === 'standing') yield* notify(tenant, { type: 'standing.waiting', at, about: id, facts });
  }
  if (first) return yield* voteStanding({ ...first, tenant, standing: equal?.id ?? id, digest: standing.digest, revision });
  const row = yield* readStanding(tenant, id);
  return row ? { done: true, standing: row } : { done: false, why: 'not_found' };
}

function* insert(standing: NewStanding): Verb<void> {
  const { tenant, id, kind, requirement, tool, useCase, session, digest, sealed, author, createdAt, expiresAt, endsAt } = standing;
  const values = [tenant, id, kind, requirement, tool, useCase, session, digest, sealed, 'pending', author, createdAt, expiresAt, endsAt, null];
  yield* run(`INSERT INTO standing_approvals (${columns}) VALUES (${values.map(() => '?').join(', ')})`, ...values);
}

/** Casts one person's vote, and gives or refuses it when that was the last one needed. */
export function* voteStanding({ tenant, standing: id, digest, revision, person, name, decision, reason, at }: NewStandingVote): Verb<StandingAnswer> {
  const before = yield* readStanding(tenant, id);
  if (!before) return { done: false, why: 'not_found' };
  if (before.digest !== digest) return { done: false, why: 'digest' };
  if (before.votes.some((vote) => vote.person === person || vote.name === name)) return { done: false, why: 'already_voted' };
  if (before.status !== 'pending' || before.expiresAt <= at) return { done: false, why: 'not_pending' };
  if ((yield* readRevision(tenant)) !== revision) return { done: false, why: 'revision' };
  yield* run(
    'INSERT INTO standing_votes (tenant, standing, person, name, decision, reason, at, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ...[tenant, id, person, name, decision, reason, at, before.votes.length],
  );
  yield* appendRecord(tenant, about('standing.voted', before, at, { actor: person, vote: decision, revision, ...(reason === null ? {} : { reason }) }));
  const votes = [...before.votes, { person, name, decision, reason, at }];
  const counted = tally(
    [before.requirement],
    votes.map((vote) => ({ ...vote, requirement: before.requirement, passkey: null, behalf: null })),
  );
  if (counted.status === 'pending') return { done: true, standing: { ...before, votes } };
  const given = counted.status === 'approved';
  const [status, expiresAt] = given ? (['active', before.endsAt] as const) : (['denied', before.expiresAt] as const);
  yield* run('UPDATE standing_approvals SET status = ?, expires_at = ?, decided_at = ? WHERE tenant = ? AND id = ?', status, expiresAt, at, tenant, id);
  const satisfied = [{ literal: before.requirement, source: 'votes', persons: counted.voters[before.requirement] ?? [] }];
  const change = {
    change: 'added',
    kind: before.kind === 'standing' ? 'StandingApproval' : 'RememberedAnswer',
    name: id,
    effect: 'widens',
    sha256: digest,
  } as const;
  yield* appendRecord(
    tenant,
    about(given ? 'standing.given' : 'standing.denied', before, at, given ? { satisfied, changes: [change], expires_at: expiresAt } : {}),
  );
  return { done: true, standing: { ...before, votes, status, expiresAt, decidedAt: at } };
}

export function* revokeStanding(tenant: string, id: string, at: number, record: RecordBody): Verb<boolean> {
  const revoked = yield* run(
    `UPDATE standing_approvals SET status = 'revoked', decided_at = coalesce(decided_at, ?), sealed = ? WHERE tenant = ? AND id = ? AND status IN ('pending', 'active')`,
    at,
    new Uint8Array(),
    tenant,
    id,
  );
  if (revoked === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}

/** Ends what has come to its end and forgets what it held. */
export function* sweepStanding(tenant: string, at: number, most: number): Verb<Swept> {
  const past = yield* all<Columns>(
    `SELECT ${columns} FROM standing_approvals WHERE tenant = ? AND status IN ('pending', 'active') AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    tenant,
    at,
    most,
  );
  yield* endThem(past, 'expired', at);
  return { counted: past.length, touched: past.length };
}

/** What was drawn from them since an older copy of the store was made is not known here. */
export function* revokeAllStanding(tenant: string, at: number, code: string): Verb<void> {
  const open = yield* all<Columns>(`SELECT ${columns} FROM standing_approvals WHERE tenant = ? AND status IN ('pending', 'active') ORDER BY id`, tenant);
  yield* endThem(open, 'revoked', at, code);
}

function* endThem(rows: readonly Columns[], status: 'expired' | 'revoked', at: number, code?: string): Verb<void> {
  for (const row of rows) {
    yield* run(
      'UPDATE standing_approvals SET status = ?, sealed = ?, decided_at = coalesce(decided_at, ?) WHERE tenant = ? AND id = ?',
      ...[status, new Uint8Array(), at, row.tenant, row.id],
    );
    yield* appendRecord(row.tenant, about(`standing.${status}`, { ...row, useCase: row.use_case }, at, code === undefined ? {} : { code }));
  }
}

type Known = Pick<StandingRow, 'tenant' | 'id' | 'requirement' | 'tool' | 'useCase' | 'session' | 'digest'>;

export function about(type: RecordBody['type'], one: Known, at: number, more: Partial<RecordBody> = {}): RecordBody {
  const task = { use_case: one.useCase, ...(one.session === null ? {} : { session: one.session }) };
  return {
    type,
    at,
    tenant: one.tenant,
    actor: 'taskgate',
    tool: one.tool,
    ...task,
    standing: [one.id],
    proposal_sha256: one.digest,
    requirements: [one.requirement],
    ...more,
  };
}
