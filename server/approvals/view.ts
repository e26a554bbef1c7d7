import { z } from 'zod';
import { type ApprovalRow, type ApprovalStatus, rungs } from '../store/store.ts';
import { proposal } from './proposal.ts';
import { neededFor, votersOf } from './satisfied.ts';
import { waitsBehind } from './stages.ts';
import { vetoesOf } from './tally.ts';

/** What people see of approvals: shapes as they go over the wire, times in epoch seconds. */

const statuses = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'superseded', 'revoked', 'used'] as const satisfies readonly ApprovalStatus[];
export const approvalStatus = z.enum(statuses);

const vote = z.strictObject({
  person: z.string().describe('`<issuer>#<subject>`'),
  name: z.string(),
  requirement: z.string(),
  decision: z.enum(['approve', 'deny']),
  reason: z.string().nullable(),
  on_behalf_of: z.strictObject({ person: z.string(), name: z.string() }).nullable().describe('In whose place it was cast; null for a vote of their own'),
  signed: z.boolean().describe('By the passkey of the person'),
  at: z.int(),
});

/** Nothing of what would be sent: no argument, input or objective. */
export const approvalSummary = z.strictObject({
  id: z.string(),
  status: approvalStatus,
  digest: z.string().describe('SHA-256 of the canonical proposal (RFC 8785), hex; a decision names it'),
  session: z.string(),
  agent: z.string(),
  tool: z.string(),
  requirements: z.array(
    z.strictObject({
      requirement: z.string().describe('As it stands in policy, such as `approval:finance:2`'),
      needed: z.int(),
      given: z.int().describe('Distinct people who approved it so far'),
      vetoes: z.int().describe('Denials that deny'),
      waits_behind: z.array(z.string()).describe('Requirements of an earlier stage that must be met before this one can be approved'),
    }),
  ),
  votes: z.array(vote),
  edited_from: z.string().nullable().describe('The approval that this one, narrowed by a reviewer, took the place of'),
  superseded_by: z.string().nullable().describe('The approval that took its place when a reviewer narrowed it'),
  created_at: z.int(),
  expires_at: z.int(),
  decided_at: z.int().nullable(),
  outcome: z.enum(['completed', 'failed', 'unknown']).nullable().describe('How the call ended, once it ran'),
  rung: z.enum(rungs).nullable().describe('How its client had waited, once the call ran: as a task, by rounds, in a held request, or by itself with a handle'),
});
export type ApprovalSummary = z.infer<typeof approvalSummary>;

export const approvalDetail = approvalSummary.extend({
  proposal: proposal
    .nullable()
    .describe('Exactly what is decided and what will run, as hashed (its times in epoch milliseconds); null once it was forgotten at its expiry'),
});
export type ApprovalDetail = z.infer<typeof approvalDetail>;

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** `at`: epoch milliseconds; what is past its expiry is expired, though the store may not have said so yet. */
export function summaryOf(row: ApprovalRow, at: number): ApprovalSummary {
  const isOpen = row.status === 'pending' || row.status === 'approved';
  return {
    id: row.id,
    status: isOpen && row.expiresAt <= at ? 'expired' : row.status,
    digest: row.digest,
    session: row.session,
    agent: row.agent,
    tool: row.tool,
    requirements: row.requirements.map((literal) => ({
      requirement: literal,
      needed: neededFor(literal),
      given: votersOf(row, literal).length,
      vetoes: vetoesOf(row.terms, literal),
      waits_behind: waitsBehind(row, literal),
    })),
    votes: row.votes.map(({ person, name, requirement, decision, reason, at, passkey, behalf }) => ({
      ...{ person, name, requirement, decision, reason },
      on_behalf_of: behalf === null ? null : { person: behalf.person, name: behalf.name },
      ...{ signed: passkey !== null, at: seconds(at) },
    })),
    edited_from: row.editedFrom,
    superseded_by: row.supersededBy,
    created_at: seconds(row.createdAt),
    expires_at: seconds(row.expiresAt),
    decided_at: row.decidedAt === null ? null : seconds(row.decidedAt),
    outcome: row.outcome,
    rung: row.rung,
  };
}
