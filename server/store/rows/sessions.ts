import type { AttestedBy, Label, Sensitivity } from '../../../policies/index.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { ArgumentConstraint } from '../../documents/kinds.ts';

/** Sessions, and the tokens that open them. */

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
  readonly cnf: { readonly jkt: string } | null;
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

/** More for a live session, under an approval of exactly that. */
export interface Extension {
  readonly tenant: string;
  readonly session: string;
  readonly approval: { readonly id: string; readonly digest: string };
  /** As it was looked at; another one by now changes nothing. */
  readonly before: Pick<SessionRow, 'expiresAt' | 'budget' | 'grants'>;
  readonly next: Pick<SessionRow, 'expiresAt' | 'budget' | 'grants'>;
  readonly revision: number;
  readonly labelVersion: number;
  readonly at: number;
  readonly record: RecordBody;
}

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

export interface AgentToken {
  readonly hash: string;
  readonly tenant: string;
  readonly agent: string;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly revoked: boolean;
}
