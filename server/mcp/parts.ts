import type {
  ApprovalState,
  Attempt,
  CallAnswer,
  CallIo,
  CallRequest,
  Completed,
  ListedPrompt,
  ListedResource,
  ListedTemplate,
  ListedTool,
  Refusal,
  Session,
  TaskName,
  TaskState,
} from '../call/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { ExtensionAsked } from '../extensions/index.ts';
import type { Caller, Connection, DoorAsked } from '../identity/index.ts';
import type { Aside } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import type { OpenRequest } from '../sessions/index.ts';
import type { ApprovalRow, SessionRow } from '../store/store.ts';

/** Everything this door asks of the broker; it judges nothing itself. */
export interface Parts {
  authenticate(ports: Ports, request: DoorAsked): Promise<Caller | Connection | Refusal>;
  callerOfConnection(connection: Connection, session: SessionRow): Caller;
  enterSession(ports: Ports, caller: Caller): Promise<Session | Refusal>;
  listTools(session: Session): readonly ListedTool[];
  listResources(session: Session): readonly ListedResource[];
  listTemplates(session: Session): readonly ListedTemplate[];
  listPrompts(session: Session): readonly ListedPrompt[];
  completeArgument(session: Session, of: { prompt: string } | { template: string }, argument: string, typed: string): Completed | null;
  kindsOf(session: Session): { readonly resources: boolean; readonly prompts: boolean };
  brokerCall(ports: Ports, session: Session, request: CallRequest, io: CallIo): Promise<CallAnswer>;
  awaitApproval(ports: Ports, caller: Caller, approval: string, holdMs: number, signal: AbortSignal, aside: Aside): Promise<ApprovalState | Refusal>;
  openSession(ports: Ports, snapshot: TenantSnapshot, request: OpenRequest): Promise<SessionRow | Refusal>;
  endSession: EndSession;
  requestExtension(ports: Ports, of: { tenant: string; session: string; asker: string | null }, asked: ExtensionAsked): Promise<ApprovalRow | Refusal>;
  applyExtension(ports: Ports, tenant: string, approval: string): Promise<void>;
  readonly tasks: TaskVerbs;
}

export interface TaskVerbs {
  keep(ports: Ports, session: Session, attempt: Attempt): Promise<TaskName | null>;
  look(ports: Ports, session: Session, name: TaskName): Promise<TaskState | null>;
  run(ports: Ports, session: Session, name: TaskName, io: CallIo): Promise<CallAnswer>;
  cancel(ports: Ports, session: Session, name: TaskName): Promise<'cancelled' | 'over' | null>;
  list(ports: Ports, session: Session): Promise<readonly TaskState[]>;
}

/** False when the session was not live any more. */
type EndSession = (ports: Ports, tenant: string, id: string, how: { status: 'ended'; reason: string }, by: string) => Promise<unknown>;

/** Who stands at the door, let in: what one request may use. */
export interface Visit {
  readonly ports: Ports;
  readonly parts: Parts;
  readonly door: Door;
  /** Null for a connection token without a live task. */
  readonly caller: Caller | null;
  /** The caller's session, read as this request came in; null without a caller. */
  readonly session: Session | null;
  /** When the caller's authority ends at the latest, epoch milliseconds. */
  readonly until: number;
  readonly connection: Connection | null;
  /** Who showed the token. */
  readonly who: Caller | Connection;
  readonly bodyBytes: number;
  /** Why the connection token's task cannot be used though it is still open, such as a suspension. */
  readonly stopped: Refusal | null;
}

/** Which of the URLs was asked, and how a challenge names it. */
export interface Door {
  readonly kind: Caller['door'];
  readonly session: string | null;
  readonly tenant: string | null;
  /** Where this resource's metadata stands (RFC 9728). */
  metadata(): string;
  /** A credential came with the request, good or not. */
  readonly presented: boolean;
}
