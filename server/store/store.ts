import type { AttestedBy, Effect, Label, Sensitivity } from '../../policies/index.ts';
import type { ToolDefinition } from '../../tools/index.ts';
import type { RecordBody, StoredRecord } from '../audit/record.ts';
import type { ArgumentConstraint, Kind, TaskgateDocument } from '../documents/kinds.ts';
import type { BreakGlassVerbs } from './break-glass.ts';
import type { NotificationVerbs } from './notifications.ts';
import type { PasskeyStore } from './passkey-store.ts';
import type { Signals } from './signals.ts';
import type { StandingTaken, StandingVerbs } from './standing-approvals.ts';

export type { NewPasskey, PasskeyRow } from './passkey-store.ts';

/**
 * The store: domain verbs, each one transaction that includes its record. Every promise resolves only once what it
 * wrote is durable, except where a `durable` promise is handed back. Any verb rejects with `StoreUnavailable` when
 * the store cannot be reached; callers deny. Times are epoch milliseconds, ids opaque text, `tenant` is in every key.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export type SessionStatus = 'active' | 'suspended' | 'ended' | 'revoked';

/** A grant of one session: a tool by digest, with what narrows it. */
export interface SessionGrant {
  readonly tool: string;
  readonly digest: string;
  readonly arguments: Readonly<Record<string, ArgumentConstraint>>;
  readonly origins: Readonly<Record<string, readonly string[]>>;
  readonly maxCalls: number | null;
}

/** Amounts are whole ten-thousandths, so that sums are exact. */
export interface Budget {
  readonly calls: number;
  readonly amount: number | null;
  readonly perDay: { readonly calls: number | null; readonly amount: number | null };
}

export interface SessionRow {
  readonly id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly useCase: string;
  readonly workflow: string;
  readonly mode: 'delegated' | 'autonomous';
  /** `<issuer>#<subject>` of the one person who answers for it: the sponsor, or the use case's accountable person. */
  readonly sponsor: string;
  /** Groups the sponsor's issuer stated at the login that opened it; none when the tenant goes by its document alone. */
  readonly sponsorGroups: readonly string[];
  /** Who opened it: the agent's identity, or an orchestrator's name as `orchestrator:<name>`. */
  readonly requester: string;
  readonly parent: string | null;
  readonly root: string;
  readonly lineage: string;
  readonly objective: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly attestedBy: AttestedBy;
  readonly grants: readonly SessionGrant[];
  readonly ceiling: Sensitivity;
  readonly budget: Budget;
  readonly taskSha256: string;
  /** RFC 7800 confirmation of the key the session is bound to; null for bearers. */
  readonly cnf: Readonly<Record<string, unknown>> | null;
  /** Hash of the connection token it was opened with, when it was. */
  readonly connection: string | null;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly status: SessionStatus;
  readonly endReason: string | null;
  readonly endedAt: number | null;
}

export type NewSession = Omit<SessionRow, 'lineage' | 'root' | 'status' | 'endReason' | 'endedAt'> & {
  /** Sessions of a `shared` agent that overlap or ended within this many ms are one lineage; null for `memory: none`. */
  readonly sharedMemoryWindow: number | null;
  readonly maxOpen: number | null;
  /** The configuration the session was admitted under; another one by now refuses with `stale`. */
  readonly revision: number;
};

/** All that a call needs to know of its session, read in one go, on every call. */
export interface SessionView {
  readonly session: SessionRow;
  /** Parent first, root last. */
  readonly ancestors: readonly SessionRow[];
  readonly label: Label;
  readonly labelVersion: number;
  /** The tenant's configuration revision now. */
  readonly revision: number;
  /** `active` unless an admin suspended the agent while it ran. */
  readonly agentStatus: 'active' | 'suspended';
  readonly calls: number;
}

export interface StoredDocument {
  readonly kind: Kind;
  readonly name: string;
  readonly body: TaskgateDocument;
  /** Where it was read from, for messages; relative paths in it are already absolute. */
  readonly source: string;
}
export interface PolicyText {
  readonly file: string;
  readonly text: string;
  /** Content of the `*.cases.yaml` beside it; null when there is none. */
  readonly cases: string | null;
}
export interface Pin {
  readonly upstream: string;
  readonly tool: string;
  readonly definition: ToolDefinition;
  readonly digest: string;
}
/** A use case's globs, expanded when it was applied: what its sessions may at most be granted. */
export interface ExpandedUseCase {
  readonly name: string;
  readonly grants: readonly SessionGrant[];
}
export interface TenantConfiguration {
  readonly tenant: string;
  readonly revision: number;
  readonly documents: readonly StoredDocument[];
  readonly policies: readonly PolicyText[];
  readonly pins: readonly Pin[];
  readonly useCases: readonly ExpandedUseCase[];
  /** `vetDigest` of the law that was compiled apart and whose cases held; absent when it was stored by an earlier version. */
  readonly vetted?: string | null;
}
/** One line of what a change would make different. */
export interface ChangeItem {
  /** `platform` for the operator's own document. */
  readonly tenant: string;
  /** A document's kind, `Policy`, or what else of an agent or a credential changes. */
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly effect: 'narrows' | 'widens' | 'neutral';
  /** One line each, what widens or narrows marked. */
  readonly differences: readonly string[];
  /** SHA-256 of what would be there, or of what would be removed, hex. */
  readonly sha256: string;
}
export type ChangeStatus = 'pending' | 'applied' | 'rejected' | 'withdrawn' | 'expired' | 'superseded';

/** Something that gives more than there is, held back until another admin approves exactly it. */
export interface ChangeRow {
  readonly tenant: string;
  readonly id: string;
  /** `<issuer>#<subject>` of who asked for it, or `operator` at a start. */
  readonly author: string;
  readonly reason: string | null;
  /** Who may approve it: an admin of the tenant, or one who is named in the operator's document as well. */
  readonly needs: 'admin' | 'operator';
  /** SHA-256 of what it would put in force, whatever that is laid over, hex. */
  readonly content: string;
  /** SHA-256 of the difference it would make at `revision`, hex: only that is approved. */
  readonly digest: string;
  /** The tenant's configuration it was planned on. */
  readonly revision: number;
  readonly items: readonly ChangeItem[];
  /** What decisions may come to rest on: `group:finance`, `role:reviewer`, `policy`, `upstream:ledger` … */
  readonly touches: readonly string[];
  /** Of `touches`, what each person (`<issuer>#<subject>`) would be added to. */
  readonly adds: Readonly<Record<string, readonly string[]>>;
  /** What it would put in force, sealed; empty once it is settled. */
  readonly payload: Uint8Array;
  readonly status: ChangeStatus;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
  readonly decisionReason: string | null;
}
export type NewChange = Omit<ChangeRow, 'status' | 'decidedAt' | 'decidedBy' | 'decisionReason'> & { readonly record: RecordBody };
/** Most changes that wait in a tenant at the same time. */
export const mostChanges = 100;
export type RequestAnswer = { readonly change: ChangeRow; readonly created: boolean } | { readonly refused: 'too_many' | 'stale' };

/** Another admin's word on exactly this difference; taken in the transaction that puts it in force, or not at all. */
export interface ChangeApproval {
  readonly tenant: string;
  readonly id: string;
  readonly digest: string;
  /** Configuration in which the approver's role was read. */
  readonly revision: number;
  readonly by: string;
  readonly reason: string | null;
  readonly at: number;
  readonly record: RecordBody;
}

/** The operator's document and every tenant's next configuration; one transaction, all or nothing. */
export interface ConfigurationChange {
  readonly platform: StoredDocument | null;
  readonly tenants: readonly {
    /** 0 for a tenant that is new. */
    readonly expectedRevision: number;
    readonly next: Omit<TenantConfiguration, 'revision'>;
    readonly records: readonly RecordBody[];
  }[];
  /** For the platform log: a change of the operator's document belongs to no tenant. */
  readonly platformRecords?: readonly RecordBody[];
  /** What is held back of it, each planned on the tenant's revision as this leaves it. */
  readonly requests?: readonly NewChange[];
  /** The approval this rests on. */
  readonly approval?: ChangeApproval;
}
export type ConfigurationAnswer =
  | { readonly applied: true; readonly revisions: Readonly<Record<string, number>>; readonly waiting: readonly ChangeRow[] }
  /** The tenant whose revision had moved on, or in which too much waits already, or whose change was not to be approved any more. */
  | { readonly applied: false; readonly moved: string; readonly why: 'revision' | 'too_many' | 'not_pending' };

/** One counter to draw from; refused when `used + amount > limit`. A draw is never given back. */
export interface Draw {
  /** `session/<id>`, `use-case/<name>/<YYYY-MM-DD>`, `standing/<id>` or `standing-day/<id>/<YYYY-MM-DD>`. */
  readonly scope: string;
  /** `calls`, `amount` or `tool:<brokered name>`. */
  readonly key: string;
  readonly amount: number;
  readonly limit: number;
}

export interface ClaimRequest {
  readonly tenant: string;
  readonly session: string;
  readonly tool: string;
  readonly revision: number;
  readonly labelVersion: number;
  readonly draws: readonly Draw[];
  readonly approval: { readonly id: string; readonly digest: string } | null;
  /** Id of the break-glass it runs under. */
  readonly breakGlass?: string | null;
  /** Standing approvals and remembered answers it rests on, beside or in place of one of its own. */
  readonly standing?: readonly StandingTaken[];
  readonly dispatch: string;
  /** After this the dispatch counts as `unknown`. */
  readonly leaseUntil: number;
  readonly at: number;
  readonly record: RecordBody;
}
export type ClaimAnswer =
  | { readonly claimed: true; readonly fence: number; readonly recordIndex: number }
  | { readonly claimed: false; readonly why: 'session' | 'revision' | 'labels' | 'approval' | 'break_glass' | 'standing' }
  | { readonly claimed: false; readonly why: 'budget'; readonly draw: Draw };

export interface Settlement {
  readonly tenant: string;
  readonly session: string;
  readonly dispatch: string;
  readonly fence: number;
  readonly outcome: 'completed' | 'failed' | 'unknown';
  /** What the result adds to the lineage's label; null when nothing of upstream origin came back. */
  readonly label: Label | null;
  /** The outcome to hold for a replay, sealed; null when the call needed no approval. */
  readonly approvalOutcome: { readonly approval: string; readonly sealed: Uint8Array } | null;
  readonly at: number;
  readonly record: RecordBody;
}
/** Most approvals that wait for a human at the same time. */
export interface PendingLimits {
  readonly session: number;
  readonly agent: number;
  readonly tenant: number;
}

/** `over_ceiling` has suspended the session in the same transaction; `fenced` means another attempt or the sweep settled it. */
export interface SettlementAnswer {
  readonly release: 'yes' | 'session_ended' | 'over_ceiling' | 'fenced';
  readonly label: Label;
  readonly recordIndex: number;
}

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'superseded' | 'revoked' | 'used';

export interface Vote {
  readonly person: string;
  /** The person's name in the tenant document when the vote was cast. */
  readonly name: string;
  readonly requirement: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
  /** The key that signed it; null for a plain vote. */
  readonly passkey: string | null;
}
/** Under which rules of its tenant it is decided: as they were when it was asked for. */
export interface ApprovalTerms {
  readonly effect: Effect;
  /** Groups, or `sponsor`, in the order in which they are asked; whoever is not among them is asked from the start. */
  readonly stages: readonly string[];
  /** By group: how many denials deny, where it takes more than one. */
  readonly vetoes: Readonly<Record<string, number>>;
  /** Groups that are told as well once three quarters of its life are over; when there are none, the admins are. */
  readonly escalateTo: readonly string[];
}
export interface ApprovalRow {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly agent: string;
  readonly tool: string;
  readonly callKey: string;
  /** SHA-256 of the proposal's canonical form, hex. */
  readonly digest: string;
  /** The proposal's canonical bytes, sealed; what runs is what stands here. */
  readonly proposal: Uint8Array;
  readonly requirements: readonly string[];
  /** Persons (`<issuer>#<subject>`) who cannot give it. */
  readonly excluded: readonly string[];
  readonly terms: ApprovalTerms;
  /** The approval this one is an edit of; null when the agent asked for exactly this. */
  readonly editedFrom: string | null;
  /** The edit that took its place; null otherwise. */
  readonly supersededBy: string | null;
  readonly status: ApprovalStatus;
  readonly votes: readonly Vote[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly dispatch: string | null;
  /** How the dispatch ended; null while it runs or when there is none. */
  readonly outcome: 'completed' | 'failed' | 'unknown' | null;
  readonly sealedOutcome: Uint8Array | null;
}
export type NewApproval = Omit<ApprovalRow, 'status' | 'votes' | 'decidedAt' | 'dispatch' | 'outcome' | 'sealedOutcome' | 'editedFrom' | 'supersededBy'>;

export interface NewVote extends Vote {
  readonly tenant: string;
  readonly approval: string;
  /** The digest the voter was shown; another one is refused. */
  readonly digest: string;
  /** Configuration in which the person's role and group were read. */
  readonly revision: number;
  /** What the authenticator counted when it signed; null for a plain vote. */
  readonly counter: number | null;
  readonly record: RecordBody;
}
export type VoteAnswer =
  | { readonly voted: true; readonly approval: ApprovalRow }
  | {
      readonly voted: false;
      readonly why: 'not_found' | 'not_pending' | 'already_voted' | 'digest' | 'revision' | 'excluded' | 'passkey';
      readonly approval: ApprovalRow | null;
    };

/** One proposal in the place of another: the original must still be the pending one that was edited. */
export interface Edit {
  readonly original: Pick<ApprovalRow, 'tenant' | 'id' | 'digest'>;
  readonly edited: NewApproval;
  /** Configuration under which the edit was judged and the person's group was read. */
  readonly revision: number;
  /** `<issuer>#<subject>` of the reviewer. */
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}
export type EditAnswer =
  | { readonly edited: true; readonly approval: ApprovalRow }
  | { readonly edited: false; readonly why: 'not_pending' | 'session_not_live' | 'revision' };

export interface AgentToken {
  readonly hash: string;
  readonly tenant: string;
  readonly agent: string;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly revoked: boolean;
}

/** A browser logged in at the console. */
export interface ConsoleSession {
  readonly tenant: string;
  /** SHA-256, hex, of the secret the browser holds: all that is ever stored of it. */
  readonly hash: string;
  /** `<issuer>#<subject>`. */
  readonly person: string;
  readonly loggedInAt: number;
  /** When the issuer last asked who they are; null when it does not say. */
  readonly provedAt: number | null;
  readonly expiresAt: number;
}
/** Good for one login at the console. */
export interface ConsoleLink {
  readonly tenant: string;
  readonly hash: string;
  readonly person: string;
  readonly madeAt: number;
  readonly expiresAt: number;
}
export interface DispatchRow {
  readonly id: string;
  readonly tool: string;
  readonly status: 'dispatched' | 'completed' | 'failed' | 'unknown';
  readonly approval: string | null;
  readonly dispatchedAt: number;
  readonly settledAt: number | null;
}
/** One vote with what it was about. */
export interface DecisionRow {
  readonly approval: string;
  readonly person: string;
  readonly name: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly at: number;
  readonly tool: string;
  readonly agent: string;
  readonly session: string;
  readonly askedAt: number;
  /** When the console first showed it to this person; null when they decided elsewhere. */
  readonly shownAt: number | null;
}
/** Where a chain ends: its last record. */
export interface ChainHead {
  /** Null for the platform log. */
  readonly tenant: string | null;
  readonly index: number;
  readonly hash: string;
}
/** Which store this is and how far it has come. */
export interface StoreState {
  readonly store: string;
  /** Grows whenever what may have run ahead of the store is cut off. */
  readonly epoch: number;
  /** Epoch milliseconds at which that was done; 0 when it never was. */
  readonly epochAt: number;
  /** Of every chain that has a record. */
  readonly heads: readonly ChainHead[];
}
/** Cuts off whatever may have run ahead of the store: one transaction for all tenants. */
export interface NewEpoch {
  /** The epoch that was found; when it is another by now, nothing is done. */
  readonly found: number;
  readonly next: number;
  readonly at: number;
  /** Stands as code on the record of everything that ends by it. */
  readonly reason: 'restored' | 'behind_anchor' | 'accepted';
  /** The record that says so in a chain; null is the platform log. */
  recordFor(tenant: string | null): RecordBody;
}

export interface Page {
  readonly after: string | null;
  readonly limit: number;
}

export interface Store extends PasskeyStore, NotificationVerbs, BreakGlassVerbs, StandingVerbs {
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
  ): Promise<SessionRow | { refused: 'too_many_open' | 'already_open' | 'parent_not_live' | 'stale' }>;
  readSession(tenant: string, id: string): Promise<SessionView | null>;
  /** The live session of a connection token. */
  sessionOfConnection(tenant: string, connection: string): Promise<SessionRow | null>;
  listSessions(tenant: string, filter: { status?: SessionStatus; agent?: string }, page: Page): Promise<readonly SessionRow[]>;
  /** Ends (or suspends) a session and all its descendants; cancels their open approvals. False when it was not live. */
  endSession(tenant: string, id: string, how: { status: Exclude<SessionStatus, 'active'>; reason: string }, at: number, record: RecordBody): Promise<boolean>;
  /** False when the approval it was to rest on could not be taken. */
  setAgentStatus(tenant: string, agent: string, status: 'active' | 'suspended', record: RecordBody, approval?: ChangeApproval): Promise<boolean>;
  readAgentStatus(tenant: string, agent: string): Promise<'active' | 'suspended'>;

  claim(request: ClaimRequest): Promise<{ readonly answer: ClaimAnswer; readonly durable: Promise<void> }>;
  settle(settlement: Settlement): Promise<SettlementAnswer>;

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
