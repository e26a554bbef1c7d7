import type { ApprovalRow, ApprovalStatus, ApprovalTerms, Rung, Vote } from '../store.ts';
import { all, one, type Verb } from '../verb.ts';

export interface ApprovalColumns {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly agent: string;
  readonly tool: string;
  readonly call_key: string;
  readonly nonce: string | null;
  readonly digest: string;
  readonly proposal: Uint8Array;
  readonly requirements: string;
  readonly excluded: string;
  /** Null when an earlier version asked for it. */
  readonly terms: string | null;
  readonly edited_from: string | null;
  readonly superseded_by: string | null;
  readonly status: ApprovalStatus;
  readonly created_at: number;
  readonly expires_at: number;
  readonly decided_at: number | null;
  readonly dispatch: string | null;
  readonly rung: Rung | null;
  readonly outcome: ApprovalRow['outcome'];
  readonly sealed_outcome: Uint8Array | null;
}

/** Named one by one, so that a plan prepared before a column was added goes on answering. */
export const approvalColumns = [
  'tenant, id, session, agent, tool, call_key, nonce, digest, proposal, requirements, excluded, terms, edited_from, superseded_by, status',
  'created_at, expires_at, decided_at, dispatch, rung, outcome, sealed_outcome',
].join(', ');

/** Nobody knows what the tool of an approval without terms does: the strictest are taken. */
const strictest: ApprovalTerms = { effect: 'destructive', stages: [], vetoes: {}, escalateTo: [] };

/** The row with its votes, in the order they were cast. */
export function* approvalOf(columns: ApprovalColumns): Verb<ApprovalRow> {
  return {
    id: columns.id,
    tenant: columns.tenant,
    session: columns.session,
    agent: columns.agent,
    tool: columns.tool,
    callKey: columns.call_key,
    nonce: columns.nonce,
    digest: columns.digest,
    proposal: columns.proposal,
    requirements: JSON.parse(columns.requirements) as string[],
    excluded: JSON.parse(columns.excluded) as string[],
    terms: columns.terms === null ? strictest : (JSON.parse(columns.terms) as ApprovalTerms),
    editedFrom: columns.edited_from,
    supersededBy: columns.superseded_by,
    status: columns.status,
    votes: yield* votesOf(columns.tenant, columns.id),
    createdAt: columns.created_at,
    expiresAt: columns.expires_at,
    decidedAt: columns.decided_at,
    dispatch: columns.dispatch,
    rung: columns.rung,
    outcome: columns.outcome,
    sealedOutcome: columns.sealed_outcome,
  };
}

function* votesOf(tenant: string, approval: string): Verb<Vote[]> {
  const found = yield* all<VoteColumns>(
    'SELECT person, name, requirement, decision, reason, at, passkey, delegation, lender, lender_name FROM votes WHERE tenant = ? AND approval = ? ORDER BY position',
    tenant,
    approval,
  );
  return found.map(({ delegation, lender, lender_name, ...own }) => ({
    ...own,
    behalf: delegation === null || lender === null ? null : { person: lender, name: lender_name ?? lender, delegation },
  }));
}

interface VoteColumns extends Omit<Vote, 'behalf'> {
  readonly delegation: string | null;
  readonly lender: string | null;
  readonly lender_name: string | null;
}

export function* readApproval(tenant: string, id: string): Verb<ApprovalRow | null> {
  const found = yield* one<ApprovalColumns>(`SELECT ${approvalColumns} FROM approvals WHERE tenant = ? AND id = ?`, tenant, id);
  return found ? yield* approvalOf(found) : null;
}
