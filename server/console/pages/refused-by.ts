import type { ApprovalRefusal } from '../../approvals/index.ts';
import { notHere, type Refused } from '../page.ts';

const notTheirs: readonly ApprovalRefusal['code'][] = [
  'approval.excluded',
  'approval.too_recent',
  'approval.not_reviewer',
  'approval.not_in_group',
  'remember.not_yours',
  'delegation.not_offered',
  'delegation.not_yours',
  'delegation.barred',
];
const unfit: readonly ApprovalRefusal['code'][] = [
  ...(['approval.reason_required', 'approval.reason_too_long', 'approval.edit_nothing', 'approval.edit_refused', 'approval.edit_widens'] as const),
  'standing.invalid',
  'delegation.not_to_them',
  'delegation.too_long',
];

/** A refusal of an approval's own, as a page. */
export function refusedBy({ code, message, remedy }: ApprovalRefusal): Refused {
  if (code === 'approval.not_found' || code === 'standing.not_found' || code === 'delegation.not_found') return notHere();
  return { refused: unfit.includes(code) ? 422 : notTheirs.includes(code) ? 403 : 409, code, message, remedy };
}
