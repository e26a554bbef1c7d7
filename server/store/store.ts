import type { RecordBody, StoredRecord } from '../audit/record.ts';
import type { BreakGlassVerbs } from './break-glass.ts';
import type { DelegationVerbs } from './delegations.ts';
import type { NotificationVerbs } from './notifications.ts';
import type { PasskeyStore } from './passkey-store.ts';
import type { ProtocolSessionVerbs } from './protocol-sessions.ts';
import type { ApprovalRow, ApprovalStatus, DecisionRow, Edit, EditAnswer, NewApproval, NewVote, PendingLimits, VoteAnswer } from './rows/approvals.ts';
import type { AuthorizationVerbs, CodeGrant } from './rows/authorizations.ts';
import type { ClaimAnswer, ClaimRequest, DispatchRow, Settlement, SettlementAnswer, TaskRow } from './rows/calls.ts';
import type { ChangeApproval, ChangeRow, ChangeStatus, NewChange, RequestAnswer } from './rows/changes.ts';
import type { ConfigurationAnswer, ConfigurationChange, StoredDocument, TenantConfiguration } from './rows/configuration.ts';
import type { ConsoleLink, ConsoleSession } from './rows/console.ts';
import type { AgentToken, Extension, NewSession, SessionRow, SessionStatus, SessionView } from './rows/sessions.ts';
import type { NewEpoch, Page, StoreState } from './rows/state.ts';
import type { Signals } from './signals.ts';
import type { StandingVerbs } from './standing-approvals.ts';

export type { NewPasskey, PasskeyRow } from './passkey-store.ts';
export type { ProtocolSession } from './protocol-sessions.ts';
export * from './rows/approvals.ts';
export type * from './rows/authorizations.ts';
export type * from './rows/calls.ts';
export * from './rows/changes.ts';
export type * from './rows/configuration.ts';
export type * from './rows/console.ts';
export type * from './rows/sessions.ts';
export type * from './rows/state.ts';

/**
 * The store: domain verbs, each one transaction that includes its record. Every promise resolves only once what it
 * wrote is durable, except where a `durable` promise is handed back. Any verb rejects with `StoreUnavailable` when
 * the store cannot be reached; callers deny. Times are epoch milliseconds, ids opaque text, `tenant` is in every key.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export interface Store extends PasskeyStore, NotificationVerbs, BreakGlassVerbs, StandingVerbs, DelegationVerbs, AuthorizationVerbs, ProtocolSessionVerbs {
  /** Resolves when the store can be read and written now. */
  check(): Promise<void>;
  close(): Promise<void>;
  /** Told of what other verbs changed, by whichever process on this store. */
  readonly subscribe: Signals['subscribe'];

  readPlatform(): Promise<StoredDocument | null>;
  listTenants(): Promise<readonly { readonly tenant: string; readonly revision: number }[]>;
  readRevision(tenant: string): Promise<number | null>;
  readConfiguration(tenant: string): Promise<TenantConfiguration | null>;
  applyConfiguration(change: ConfigurationChange): Promise<ConfigurationAnswer>;

  /** Idempotent by author and content: one that waits already at the same revision is answered instead; at another, it is superseded. */
  requestChange(change: NewChange): Promise<RequestAnswer>;
  readChange(tenant: string, id: string): Promise<ChangeRow | null>;
  /** Newest first. */
  listChanges(tenant: string, filter: { status?: ChangeStatus }, page: Page): Promise<readonly ChangeRow[]>;
  /** Those that took effect after `since`. */
  recentChanges(tenant: string, since: number): Promise<readonly Pick<ChangeRow, 'author' | 'touches' | 'adds' | 'decidedAt'>[]>;
  /** Guarded: only while it is pending and its digest is `was`. */
  replanChange(
    was: Pick<ChangeRow, 'tenant' | 'id' | 'digest'>,
    next: Pick<ChangeRow, 'digest' | 'revision' | 'items' | 'touches' | 'adds'>,
    record: RecordBody,
  ): Promise<boolean>;
  /** Guarded: only while it is pending; forgets what it held. */
  settleChange(
    which: Pick<ChangeRow, 'tenant' | 'id'>,
    how: { readonly status: 'rejected' | 'withdrawn' | 'superseded'; readonly by: string; readonly reason: string | null; readonly at: number },
    record: RecordBody,
  ): Promise<boolean>;

  openSession(
    session: NewSession,
    at: number,
    record: RecordBody,
    /** The code it is opened with: used up by it, so that of two who show the code one is given the session. */
    grant?: CodeGrant,
  ): Promise<SessionRow | { refused: 'too_many_open' | 'already_open' | 'parent_not_live' | 'stale' | 'code_used' }>;
  /** Uses the approval up for it; false when it was not approved any more, or anything it was judged on moved. */
  extendSession(extension: Extension): Promise<boolean>;
  readSession(tenant: string, id: string): Promise<SessionView | null>;
  /** The live session of a connection token. */
  sessionOfConnection(tenant: string, connection: string): Promise<SessionRow | null>;
  listSessions(tenant: string, filter: { status?: SessionStatus; agent?: string }, page: Page): Promise<readonly SessionRow[]>;
  /** Ends (or suspends) a session and all its descendants; cancels their open approvals. False when it was not live. */
  endSession(tenant: string, id: string, how: { status: Exclude<SessionStatus, 'active'>; reason: string }, at: number, record: RecordBody): Promise<boolean>;
  /** The session has a token that is good until then. */
  noteRenewal(tenant: string, session: string, until: number, record: RecordBody): Promise<void>;
  /** Null when it was never renewed. */
  renewedUntil(tenant: string, session: string): Promise<number | null>;
  /** False when the approval it was to rest on could not be taken. */
  setAgentStatus(tenant: string, agent: string, status: 'active' | 'suspended', record: RecordBody, approval?: ChangeApproval): Promise<boolean>;
  readAgentStatus(tenant: string, agent: string): Promise<'active' | 'suspended'>;

  claim(request: ClaimRequest): Promise<{ readonly answer: ClaimAnswer; readonly durable: Promise<void> }>;
  settle(settlement: Settlement): Promise<SettlementAnswer>;
  /** Lets a dispatch that runs answer as a task until then; false when it has ended already. */
  keepDispatch(tenant: string, session: string, id: string, until: number): Promise<boolean>;
  /** Guarded: only while it runs. Whoever runs it is told; its outcome goes on the record and to nobody. */
  cancelDispatch(tenant: string, session: string, id: string, at: number, record: RecordBody): Promise<boolean>;
  readDispatch(tenant: string, id: string): Promise<TaskRow | null>;
  /** Dispatches of a session that answer as tasks at `at`, youngest first. */
  listTasks(tenant: string, session: string, at: number, limit: number): Promise<readonly TaskRow[]>;

  /** Idempotent by call key: an approval for the key that is pending, approved, denied or used, and not past its expiry, is answered instead. */
  openApproval(
    approval: NewApproval,
    limits: PendingLimits,
    record: RecordBody,
  ): Promise<{ approval: ApprovalRow; created: boolean } | { refused: 'too_many_pending' | 'session_not_live' }>;
  /** The approval a retry of this call re-attaches to at `at`; null when there is none. */
  findApproval(tenant: string, callKey: string, at: number): Promise<ApprovalRow | null>;
  readApproval(tenant: string, id: string): Promise<ApprovalRow | null>;
  listApprovals(tenant: string, filter: { status?: ApprovalStatus; session?: string; tool?: string }, page: Page): Promise<readonly ApprovalRow[]>;
  castVote(vote: NewVote): Promise<VoteAnswer>;
  editApproval(edit: Edit): Promise<EditAnswer>;
  /** Guarded: only from pending or approved; false when something else had settled it. */
  closeApproval(tenant: string, id: string, status: 'cancelled' | 'superseded' | 'revoked', at: number, record: RecordBody): Promise<boolean>;

  /** False when the approval it was to rest on could not be taken. */
  putSecret(tenant: string, name: string, sealed: Uint8Array, at: number, record: RecordBody, approval?: ChangeApproval): Promise<boolean>;
  readSecret(tenant: string, name: string): Promise<{ sealed: Uint8Array; version: number } | null>;
  listSecrets(tenant: string): Promise<readonly { name: string; version: number; updatedAt: number }[]>;

  /** False when the approval it was to rest on could not be taken. */
  putAgentToken(token: AgentToken, record: RecordBody, approval?: ChangeApproval): Promise<boolean>;
  readAgentToken(hash: string): Promise<AgentToken | null>;
  /** Connection tokens that can still be used at `at`; of one agent, or of the whole tenant. */
  listAgentTokens(tenant: string, agent: string | null, at: number): Promise<readonly AgentToken[]>;
  revokeAgentToken(tenant: string, hash: string, record: RecordBody): Promise<boolean>;

  putConsoleLink(link: ConsoleLink): Promise<void>;
  /** A link, without using it up; null when it is not good at `at`. */
  readConsoleLink(tenant: string, hash: string, at: number): Promise<ConsoleLink | null>;
  /** With a link (its hash) only for the one who takes it; false when it was taken before or is for somebody else. */
  openConsoleSession(session: ConsoleSession, link: string | null, record: RecordBody): Promise<boolean>;
  /** Null when it is over, from before the store's epoch, or was last used before `idleSince`. */
  readConsoleSession(tenant: string, hash: string, at: number, idleSince: number): Promise<(ConsoleSession & { readonly seenAt: number }) | null>;
  touchConsoleSession(tenant: string, hash: string, at: number): Promise<void>;
  endConsoleSession(tenant: string, hash: string, record: RecordBody): Promise<boolean>;
  /** Remembers the first time a person was shown an approval. */
  noteShown(tenant: string, approval: string, person: string, at: number): Promise<void>;
  listDispatches(tenant: string, session: string, limit: number): Promise<readonly DispatchRow[]>;
  /** What a task and those drawn from it have used up of its amount, in ten-thousandths. */
  amountUsed(tenant: string, session: string): Promise<number>;
  /** Votes cast since then, newest first. */
  listDecisions(tenant: string, since: number, limit: number): Promise<readonly DecisionRow[]>;

  /** True the first time `key` is seen in `scope`; remembered until `expiresAt`. Never for what was issued before the store's epoch; `issuedAt` is `at` when left out. */
  useOnce(scope: string, key: string, expiresAt: number, at: number, issuedAt?: number): Promise<boolean>;

  /** Appends, in one step with looking, while the session and all it draws on are live; null when one is not. */
  appendWhileLive(tenant: string, session: string, at: number, record: RecordBody): Promise<number | null>;
  /** Appends to the tenant's chain (`null`: the platform log); answers their indexes. */
  append(tenant: string | null, records: readonly RecordBody[]): Promise<readonly number[]>;
  readRecords(tenant: string | null, from: number, limit: number): Promise<readonly StoredRecord[]>;

  readState(): Promise<StoreState>;
  /**
   * Revokes every session that has not ended and every connection token, cancels every open approval, marks what is in flight `unknown`,
   * each with its record, and uses up all that was issued before. False when another had raised the epoch.
   */
  startEpoch(change: NewEpoch): Promise<boolean>;

  /** Ends sessions past their end, expires approvals and changes, reminds of those that wait, marks dispatches past their lease `unknown`, forgets what has expired; each with its record. Answers how many of each. */
  sweep(at: number): Promise<{ sessions: number; approvals: number; dispatches: number; reminders: number; changes: number }>;
}
