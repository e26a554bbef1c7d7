import { z } from 'zod';
import { asksPasskey } from '../../policies/index.ts';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { ballotOf } from './ballot.ts';
import { type DecisionRequest, decideApproval } from './decide.ts';
import { listApprovals } from './list.ts';
import { openProposal, type Proposal } from './proposal.ts';
import { mayRead, type Seen, seeApproval } from './see.ts';
import { type ApprovalDetail, approvalDetail, approvalSummary, summaryOf } from './view.ts';

/**
 * A batch is a way to look at calls that ask for the same, and to vote on several of them. Nothing in it is decided as one: each vote
 * names the digest of its own proposal, is refused or counted by itself, and one that must be signed is signed for itself.
 */
export const approvalBatch = z.strictObject({
  batch: z.string().describe('SHA-256 of which approvals with which digests it holds, hex'),
  tool: z.string(),
  agent: z.string(),
  use_case: z.string(),
  requirements: z.array(z.string()).describe('What each vote would count toward'),
  on_behalf_of: z.array(z.string()).describe('Names of those in whose place it would be cast; empty for your own'),
  signed: z.boolean().describe('Each vote has to be signed by your passkey, for itself'),
  approvals: z.array(approvalDetail).min(2).max(20),
});
export type ApprovalBatch = z.infer<typeof approvalBatch>;

export const batchAnswer = z.strictObject({
  batch: z.string(),
  items: z.array(z.strictObject({ approval: z.string(), decided: approvalSummary.nullable(), code: z.string().nullable(), message: z.string().nullable() })),
});
export type BatchAnswer = z.infer<typeof batchAnswer>;

export const mostInBatch = 20;
const lookedAt = 100;

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>;

interface Waiting {
  readonly seen: Seen;
  readonly proposal: Proposal;
}

async function read(ports: Needs, person: Person, id: string): Promise<Waiting | null> {
  const seen = await seeApproval(ports, person, id);
  return seen && mayRead(seen) && seen.row.proposal.length > 0 ? { seen, proposal: openProposal(ports, seen.row) } : null;
}

/** Of what waits for this person, calls alike that can be looked at together; the most pressing first. */
export async function listBatches(ports: Needs, person: Person): Promise<ApprovalBatch[]> {
  const { items } = await listApprovals(ports, person, { status: null, after: null, limit: lookedAt });
  const groups = new Map<string, Waiting[]>();
  for (const { id } of items.toSorted((a, b) => a.expires_at - b.expires_at)) {
    const one = await read(ports, person, id);
    const kind = one && kindOf(one);
    if (one && kind !== null) groups.set(kind, [...(groups.get(kind) ?? []), one]);
  }
  return [...groups.values()].flatMap((alike) => {
    const parts = Array.from({ length: Math.ceil(alike.length / mostInBatch) }, (_, at) => alike.slice(at * mostInBatch, (at + 1) * mostInBatch));
    return parts.flatMap((part) => batchOf(part) ?? []);
  });
}

function batchOf(part: readonly Waiting[]): ApprovalBatch | null {
  const [first] = part;
  const ballot = first && ballotOf(first.seen);
  if (!first || !ballot?.ok || part.length < 2) return null;
  const { tool, agent, use_case } = first.proposal;
  const approvals = part.map(({ seen, proposal }): ApprovalDetail => ({ ...summaryOf(seen.row, seen.at), proposal }));
  return {
    batch: digestOf(approvals.map(({ id, digest }) => ({ approval: id, digest }))),
    ...{ tool, agent, use_case, requirements: [...ballot.requirements], on_behalf_of: [...ballot.behalves] },
    ...{ signed: ballot.requirements.every(asksPasskey), approvals },
  };
}

const digestOf = (items: readonly { readonly approval: string; readonly digest: string }[]): string =>
  sha256Hex(canonicalForm({ approvals: items.map(({ approval, digest }) => ({ approval, digest })) }));

/** What makes calls alike: everything a reviewer weighs but the values themselves. Null for what this person cannot vote on. */
function kindOf({ seen, proposal }: Waiting): string | null {
  const ballot = ballotOf(seen);
  if (!ballot.ok) return null;
  const { tool, tool_digest, agent, owner, use_case, effect, reaches, principal, label, requirements, attested_by, policies } = proposal;
  const shape = Object.entries(proposal.arguments).map(([name, value]) => [name, Array.isArray(value) ? 'list' : typeof value]);
  return canonicalForm({
    ...{ tool, tool_digest, agent, owner, use_case, effect, reaches, principal, label, requirements, attested_by },
    ...{ policies: policies.map(({ id }) => id), edited: proposal.edited !== undefined, shape: shape.toSorted(), mine: ballot.requirements },
    behalves: ballot.behalves,
  });
}

export type BatchedDecision = Omit<DecisionRequest, 'batch'>;

/**
 * Several votes, one after the other. What is approved together has to be alike: nobody slips a call of another kind in among many.
 * Null when it is not, and then nothing is decided.
 */
export async function decideBatch(
  ports: Needs & Pick<Ports, 'config' | 'access'>,
  person: Person,
  decisions: readonly BatchedDecision[],
): Promise<BatchAnswer | null> {
  if (new Set(decisions.map(({ approval }) => approval)).size !== decisions.length) return null;
  const looked = await Promise.all(decisions.map(({ approval }) => read(ports, person, approval)));
  const kinds = new Set(looked.flatMap((one, at) => (one && decisions[at]?.decision === 'approve' ? (kindOf(one) ?? []) : [])));
  if (kinds.size > 1) return null;
  const batch = digestOf(decisions);
  const items: BatchAnswer['items'] = [];
  for (const one of decisions) {
    const answer = await decideApproval(ports, person, { ...one, batch });
    items.push({
      approval: one.approval,
      ...(answer.ok ? { decided: answer.approval, code: null, message: null } : { decided: null, code: answer.code, message: answer.message }),
    });
  }
  return { batch, items };
}
