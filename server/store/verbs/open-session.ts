import type { RecordBody } from '../../audit/record.ts';
import type { CodeGrant, NewSession, SessionRow } from '../store.ts';
import { all, run, Undo, type Value, type Verb } from '../verb.ts';
import { takeCode } from './authorizations.ts';
import { readRevision } from './configuration.ts';
import { startLineage, uniteLineages } from './lineages.ts';
import { appendRecord } from './records.ts';
import { isLive, lineOf, type Standing } from './session-rows.ts';
import { countOpen, readSessionRow, sessionOfConnection } from './sessions.ts';

type Refused = { refused: 'too_many_open' | 'already_open' | 'parent_not_live' | 'stale' | 'code_used' };

/** Admits a session against what is live now; which context it shares is settled here, where no other can open beside it. */
export function* openSession(session: NewSession, at: number, record: RecordBody, grant?: CodeGrant): Verb<SessionRow | Refused> {
  if ((yield* readRevision(session.tenant)) !== session.revision) return { refused: 'stale' };
  const line = session.parent === null ? [] : yield* lineOf(session.tenant, session.parent);
  if (session.parent !== null && (line.length === 0 || !line.every((one) => isLive(one, at)))) return { refused: 'parent_not_live' };
  if (session.connection !== null && (yield* sessionOfConnection(session.tenant, session.connection, at))) return { refused: 'already_open' };
  if (session.maxOpen !== null && (yield* countOpen(session, at)) >= session.maxOpen) return { refused: 'too_many_open' };

  yield* insert(session, line[0]?.root ?? session.id, yield* lineageFor(session, line[0], at));
  if (grant && !(yield* takeCode(session.tenant, grant, session.id, at))) throw new Undo({ refused: 'code_used' });
  yield* appendRecord(session.tenant, record);
  const opened = yield* readSessionRow(session.tenant, session.id);
  if (!opened) throw new Error('the session that was just opened is not there');
  return opened;
}

/**
 * The lineage of the parent, and of every session of an agent with shared memory that is open or was within the window: their
 * contexts may all be one (DESIGN §1). Several are united, none starts a new one.
 */
function* lineageFor(session: NewSession, parent: Standing | undefined, at: number): Verb<string> {
  const met = parent ? [parent.lineage] : [];
  if (session.sharedMemoryWindow !== null) {
    const shared = yield* all<{ lineage: string }>(
      'SELECT DISTINCT lineage FROM sessions WHERE tenant = ? AND agent = ? AND coalesce(ended_at, expires_at) > ? ORDER BY lineage',
      session.tenant,
      session.agent,
      at - session.sharedMemoryWindow,
    );
    met.push(...shared.map(({ lineage }) => lineage));
  }
  return met.length > 0 ? yield* uniteLineages(session.tenant, met) : yield* startLineage(session.tenant, session.id);
}

function* insert(session: NewSession, root: string, lineage: string): Verb<void> {
  const columns: Readonly<Record<string, Value>> = {
    tenant: session.tenant,
    id: session.id,
    agent: session.agent,
    use_case: session.useCase,
    workflow: session.workflow,
    mode: session.mode,
    sponsor: session.sponsor,
    sponsor_groups: JSON.stringify(session.sponsorGroups),
    requester: session.requester,
    parent: session.parent,
    root,
    lineage,
    objective: session.objective,
    inputs: JSON.stringify(session.inputs),
    attested_by: session.attestedBy,
    grants: JSON.stringify(session.grants),
    ceiling: session.ceiling,
    budget: JSON.stringify(session.budget),
    task_sha256: session.taskSha256,
    cnf: session.cnf === null ? null : JSON.stringify(session.cnf),
    connection: session.connection,
    opened_at: session.openedAt,
    expires_at: session.expiresAt,
    status: 'active',
  };
  const names = Object.keys(columns);
  yield* run(`INSERT INTO sessions (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`, ...Object.values(columns));
}
