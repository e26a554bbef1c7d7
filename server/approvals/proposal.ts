import { z } from 'zod';
import { effects, integrities, reaches, sensitivities } from '../../policies/index.ts';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import { seal, unseal } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';

/**
 * What is decided: one call, as it will be sent, with everything shown to the reviewer. Its canonical form (RFC 8785)
 * is sealed in the store; its SHA-256 is what reviewers name, and what runs is what stands in it.
 */
export const proposal = z.strictObject({
  tenant: z.string(),
  session: z.string(),
  tool: z.string(),
  tool_digest: z.string(),
  /** As they will be sent. */
  arguments: z.record(z.string(), z.unknown()),
  agent: z.string(),
  owner: z.string(),
  sponsor: z.string(),
  requirements: z.array(z.string()).min(1),
  label: z.strictObject({ sensitivity: z.enum(sensitivities), categories: z.array(z.string()), integrity: z.enum(integrities) }),
  revision: z.int(),
  policies: z.array(z.strictObject({ id: z.string(), reason: z.string().nullable() })),
  use_case: z.string(),
  purpose: z.string(),
  objective: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  attested_by: z.enum(['sponsor', 'orchestrator', 'agent']),
  effect: z.enum(effects),
  reaches: z.enum(reaches),
  /** Whom the upstream sees. */
  principal: z.enum(['shared', 'agent', 'sponsor']),
  /** The registered words for what the tool does; null when the registrant gave none. */
  says: z.string().nullable(),
  /** Present when a reviewer narrowed what the agent asked: what it was made from, by whom, and the arguments of the agent's own call. */
  edited: z.strictObject({ approval: z.string(), digest: z.string(), by: z.string(), asked: z.record(z.string(), z.unknown()) }).optional(),
  /** Epoch milliseconds. */
  created_at: z.int(),
  expires_at: z.int(),
});
export type Proposal = z.infer<typeof proposal>;

const context = (tenant: string, approval: string): string => `proposal/${tenant}/${approval}`;

export function sealProposal(ports: Pick<Ports, 'keys'>, approval: string, made: Proposal): { digest: string; sealed: Uint8Array } {
  const canonical = canonicalForm(made);
  return { digest: sha256Hex(canonical), sealed: seal(ports.keys.escrow, canonical, context(made.tenant, approval)) };
}

/** Throws when the stored bytes are not what the approval's digest names, or were wiped at its expiry. */
export function openProposal(ports: Pick<Ports, 'keys' | 'clock'>, row: Pick<ApprovalRow, 'id' | 'tenant' | 'proposal' | 'digest'>): Proposal {
  const canonical = unseal(ports.keys.escrow, row.proposal, context(row.tenant, row.id), ports.clock()).toString('utf8');
  if (sha256Hex(canonical) !== row.digest) throw new Error('the stored proposal does not match its digest');
  return proposal.parse(JSON.parse(canonical));
}
