import { canonicalForm } from '../../tools/index.ts';
import type { Proposal } from '../approvals/index.ts';
import type { Edited } from './call.ts';

/** What a reviewer narrowed of the agent's call, as the agent may know it; null when it is decided as it was asked. */
export function editedOf(approval: string, { edited, arguments: decided }: Proposal): Edited | null {
  if (!edited) return null;
  const changed = Object.entries(decided).filter(([name, value]) => canonicalForm(value) !== canonicalForm(edited.asked[name]));
  return { approval, arguments: Object.fromEntries(changed) };
}
