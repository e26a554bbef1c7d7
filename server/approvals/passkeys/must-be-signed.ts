import type { Effect } from '../../../policies/index.ts';
import type { TenantDocument } from '../../documents/kinds.ts';

/** The tenant has every vote on a call of this effect signed, whichever form of it a policy asks for. */
export const mustBeSigned = ({ approvals }: Pick<TenantDocument, 'approvals'>, effect: Effect): boolean =>
  approvals?.passkey_for === 'destructive' && effect === 'destructive';
