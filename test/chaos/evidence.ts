import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { StoredRecord } from '../../server/audit/index.ts';
import type { BreakGlassRow, Budget, SessionGrant } from '../../server/store/index.ts';
import type { Entry } from './journal.ts';
import type { Effect } from './upstream.ts';

/** All there is to judge a run by: the store's tables as they lie there, the upstream's journal, and the clients'. */
export interface Evidence {
  readonly journal: readonly Entry[];
  readonly effects: readonly Effect[];
  /** By tenant; the platform log's is the empty string. */
  readonly logs: ReadonlyMap<string, readonly StoredRecord[]>;
  readonly heads: readonly { readonly tenant: string; readonly next: number; readonly hash: string }[];
  readonly tenants: readonly { readonly tenant: string; readonly revision: number; readonly configuration: unknown }[];
  readonly platform: unknown;
  readonly sessions: readonly SessionLine[];
  readonly approvals: readonly ApprovalLine[];
  readonly votes: readonly { readonly approval: string; readonly person: string; readonly decision: string }[];
  readonly dispatches: readonly DispatchLine[];
  readonly counters: readonly { readonly scope: string; readonly name: string; readonly used: number }[];
  readonly changes: readonly ChangeLine[];
  readonly glasses: readonly GlassLine[];
  readonly standings: readonly StandingLine[];
  readonly standingVotes: readonly { readonly standing: string; readonly person: string; readonly decision: string }[];
  /** Of break-glass: messages to people, one a channel. */
  readonly messages: readonly { readonly type: string; readonly glass: string; readonly status: string }[];
}
export interface SessionLine {
  readonly id: string;
  readonly useCase: string;
  readonly status: string;
  readonly budget: Budget;
  readonly grants: readonly SessionGrant[];
  /** Of the lineage, now. */
  readonly sensitivity: string;
}
export interface ApprovalLine {
  readonly id: string;
  readonly session: string;
  readonly digest: string;
  readonly status: string;
  readonly dispatch: string | null;
  readonly outcome: string | null;
}
export interface DispatchLine {
  readonly id: string;
  readonly session: string;
  readonly tool: string;
  readonly approval: string | null;
  readonly status: string;
}

export interface ChangeLine {
  readonly id: string;
  readonly author: string;
  readonly reason: string | null;
  readonly digest: string;
  readonly status: string;
  readonly decidedBy: string | null;
  /** Bytes of what it would put in force. */
  readonly held: number;
}
export interface GlassLine {
  readonly id: string;
  readonly session: string;
  readonly status: string;
  readonly terms: BreakGlassRow['terms'];
  readonly confirmer: BreakGlassRow['confirmer'];
  readonly activated: boolean;
  readonly used: boolean;
  readonly reviewed: boolean;
}
export interface StandingLine {
  readonly id: string;
  readonly digest: string;
  readonly author: string;
  readonly status: string;
}

/** What clients and reviewers were told of this kind. */
export const told = <W extends Entry['what']>({ journal }: Evidence, what: W): Extract<Entry, { what: W }>[] =>
  journal.filter((entry): entry is Extract<Entry, { what: W }> => entry.what === what);

export function groupBy<T>(items: readonly T[], key: (item: T) => string | null | undefined): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    if (name === null || name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** acme's records of these types, in order. */
export const recordsOf = ({ logs }: Evidence, ...types: readonly string[]): readonly StoredRecord[] =>
  (logs.get('acme') ?? []).filter(({ body }) => types.includes(body.type));

type Row = Readonly<Record<string, string | number | null>>;
type Query = (text: string) => Promise<readonly Row[]>;

/** Reads the store at `address` past all of Taskgate's own code. */
export async function readEvidence(address: string, journal: readonly Entry[], effectsFile: string): Promise<Evidence> {
  if (address.startsWith('sqlite:')) {
    const database = new DatabaseSync(address.slice('sqlite:'.length));
    try {
      return await collect(async (text) => database.prepare(text).all() as Row[], journal, effectsFile);
    } finally {
      database.close();
    }
  }
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    await client.query('SET search_path = taskgate');
    return await collect(async (text) => (await client.query<Row>(text)).rows, journal, effectsFile);
  } finally {
    await client.end();
  }
}

async function collect(query: Query, journal: readonly Entry[], effectsFile: string): Promise<Evidence> {
  const logs = new Map<string, StoredRecord[]>();
  for (const row of await query('SELECT tenant, position, prev, hash, body FROM records ORDER BY tenant, position')) {
    const tenant = text(row, 'tenant');
    const log = logs.get(tenant) ?? [];
    logs.set(tenant, log);
    log.push({ tenant: tenant || null, index: number(row, 'position'), prev: text(row, 'prev'), hash: text(row, 'hash'), body: JSON.parse(text(row, 'body')) });
  }
  const [platform] = await query('SELECT document FROM platform');
  return {
    journal,
    effects: existsSync(effectsFile) ? linesOf(effectsFile) : [],
    logs,
    heads: (await query('SELECT tenant, next, hash FROM chain_heads')).map((row) => ({
      tenant: text(row, 'tenant'),
      next: number(row, 'next'),
      hash: text(row, 'hash'),
    })),
    tenants: (await query('SELECT tenant, revision, configuration FROM tenants')).map((row) => ({
      tenant: text(row, 'tenant'),
      revision: number(row, 'revision'),
      configuration: JSON.parse(text(row, 'configuration')),
    })),
    platform: platform ? JSON.parse(text(platform, 'document')) : null,
    sessions: (
      await query(
        "SELECT s.id, s.use_case, s.status, s.budget, s.grants, l.sensitivity FROM sessions s JOIN lineages l ON l.tenant = s.tenant AND l.id = s.lineage WHERE s.tenant = 'acme'",
      )
    ).map((row) => ({
      id: text(row, 'id'),
      useCase: text(row, 'use_case'),
      status: text(row, 'status'),
      budget: JSON.parse(text(row, 'budget')),
      grants: JSON.parse(text(row, 'grants')),
      sensitivity: text(row, 'sensitivity'),
    })),
    approvals: (await query("SELECT id, session, digest, status, dispatch, outcome FROM approvals WHERE tenant = 'acme'")) as unknown as ApprovalLine[],
    votes: (await query("SELECT approval, person, decision FROM votes WHERE tenant = 'acme'")) as unknown as Evidence['votes'],
    dispatches: (await query("SELECT id, session, tool, approval, status FROM dispatches WHERE tenant = 'acme'")) as unknown as DispatchLine[],
    counters: (await query("SELECT scope, name, used FROM counters WHERE tenant = 'acme'")).map((row) => ({
      scope: text(row, 'scope'),
      name: text(row, 'name'),
      used: number(row, 'used'),
    })),
    ...(await collectGiven(query)),
  };
}

/** What people give beyond one call, or put in force. */
async function collectGiven(query: Query): Promise<Pick<Evidence, 'changes' | 'glasses' | 'standings' | 'standingVotes' | 'messages'>> {
  const changes = await query(
    "SELECT id, author, reason, digest, status, decided_by, length(payload) AS held FROM changes WHERE tenant = 'acme' ORDER BY created_at, id",
  );
  const glasses = await query("SELECT * FROM break_glass WHERE tenant = 'acme'");
  const messages = await query(
    "SELECT n.type, n.facts, d.status FROM notifications n JOIN deliveries d ON d.tenant = n.tenant AND d.notification = n.id WHERE n.tenant = 'acme'",
  );
  return {
    changes: changes.map((row) => ({
      ...{ id: text(row, 'id'), author: text(row, 'author'), digest: text(row, 'digest'), status: text(row, 'status') },
      ...{ reason: textOrNull(row, 'reason'), decidedBy: textOrNull(row, 'decided_by'), held: number(row, 'held') },
    })),
    glasses: glasses.map((row) => ({
      ...{ id: text(row, 'id'), session: text(row, 'session'), status: text(row, 'status'), terms: JSON.parse(text(row, 'terms')) },
      ...{ confirmer: row['confirmer'] === null ? null : JSON.parse(text(row, 'confirmer')), activated: row['activated_at'] !== null },
      ...{ used: row['first_used_at'] !== null, reviewed: row['reviewed_at'] !== null },
    })),
    standings: (await query("SELECT id, digest, author, status FROM standing_approvals WHERE tenant = 'acme'")) as unknown as StandingLine[],
    standingVotes: (await query("SELECT standing, person, decision FROM standing_votes WHERE tenant = 'acme'")) as unknown as Evidence['standingVotes'],
    messages: messages.map((row) => ({ type: text(row, 'type'), glass: JSON.parse(text(row, 'facts')).break_glass ?? '', status: text(row, 'status') })),
  };
}

const text = (row: Row, name: string): string => String(row[name]);
const textOrNull = (row: Row, name: string): string | null => (row[name] === null ? null : text(row, name));
const number = (row: Row, name: string): number => Number(row[name]);
const linesOf = (file: string): Effect[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Effect);
