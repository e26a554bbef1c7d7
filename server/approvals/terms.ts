import type { Effect } from '../../policies/index.ts';
import type { TenantDocument } from '../documents/kinds.ts';
import type { ApprovalTerms } from '../store/store.ts';

/** The rules an approval is decided under: those of its tenant when it is asked for. */
export function termsOf({ approvals }: Pick<TenantDocument, 'approvals'>, effect: Effect): ApprovalTerms {
  return { effect, stages: approvals?.stages ?? [], vetoes: approvals?.vetoes ?? {}, escalateTo: approvals?.escalate_to ?? [] };
}
