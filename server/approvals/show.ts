import type { Person } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';
import { openProposal, type Proposal } from './proposal.ts';
import { type ApprovalRefusal, refuseApproval } from './refusals.ts';
import { mayRead, seeApproval } from './see.ts';
import { type ApprovalDetail, summaryOf } from './view.ts';

/** One approval with the whole proposal. Throws when a stored proposal cannot be opened: nobody decides what cannot be shown. */
export async function showApproval(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>,
  person: Person,
  id: string,
): Promise<{ readonly ok: true; readonly approval: ApprovalDetail } | ApprovalRefusal> {
  const seen = await seeApproval(ports, person, id);
  if (!seen || !mayRead(seen)) return refuseApproval('approval.not_found');
  return { ok: true, approval: { ...summaryOf(seen.row, seen.at), proposal: proposalOf(ports, seen.row) } };
}

/** Forgotten at the approval's expiry: then no bytes are left. */
const proposalOf = (ports: Pick<Ports, 'keys' | 'clock'>, row: ApprovalRow): Proposal | null => (row.proposal.length === 0 ? null : openProposal(ports, row));
