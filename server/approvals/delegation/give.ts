import { z } from 'zod';
import { seconds } from '../../documents/durations.ts';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { aboutDelegation, type DelegationRow } from '../../store/index.ts';
import { sameHuman } from '../excluded.ts';
import { type ApprovalRefusal, refuseApproval } from '../refusals.ts';
import { standingOf } from '../standing.ts';

export const delegationRequest = z.strictObject({
  group: z.string().max(64).describe('The group whose reviewer you are'),
  to: z.string().max(64).describe('Name in the tenant document of another reviewer, who is not in that group'),
  lifetime: z.int().min(60).describe('Seconds from now on; at most what the tenant says in `approvals.delegable`'),
  reason: z.string().max(1000).describe('3 to 500 characters; for the record'),
});
export type DelegationRequest = z.infer<typeof delegationRequest>;

type Given = { readonly ok: true; readonly delegation: DelegationRow } | ApprovalRefusal;
type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'newId'>;

/**
 * Lends one's own place in one group to a colleague. INVARIANT: it is a place that the lender holds themselves, so what was lent to them
 * cannot be lent on; and it moves a vote, it never makes a second one.
 */
export async function giveDelegation(ports: Needs, person: Person, { group, to, lifetime, reason }: DelegationRequest): Promise<Given> {
  const snapshot = await ports.tenants.current(person.tenant);
  if (!snapshot) return refuseApproval('delegation.not_found');
  const { people, approvals } = snapshot.document;
  const lender = standingOf(snapshot, person);
  if (!lender.roles.has('reviewer')) return refuseApproval('approval.not_reviewer');
  if (!lender.groups.has(group) || lender.name === null) return refuseApproval('delegation.not_yours');
  const longest = Object.hasOwn(approvals?.delegable ?? {}, group) ? approvals?.delegable?.[group] : undefined;
  if (longest === undefined) return refuseApproval('delegation.not_offered');
  if (lifetime > seconds(longest)) return refuseApproval('delegation.too_long', `At most ${longest}.`);
  const delegate = Object.hasOwn(people, to) ? people[to] : undefined;
  if (!delegate?.roles.includes('reviewer') || delegate.groups.includes(group)) return refuseApproval('delegation.not_to_them');
  if (sameHuman(delegate.subject, person.id)) return refuseApproval('delegation.not_to_them');
  const said = reason.trim();
  if (said.length < 3) return refuseApproval('approval.reason_required');
  if (said.length > 500) return refuseApproval('approval.reason_too_long');

  const at = ports.clock();
  const place = { tenant: person.tenant, id: ports.newId('dlg'), group, lender: person.id, lenderName: lender.name };
  const given = { ...place, delegate: delegate.subject, delegateName: to, reason: said, createdAt: at, endsAt: at + lifetime * 1000 };
  const record = { ...aboutDelegation('delegation.given', given, at, person.id), reason: said, expires_at: given.endsAt, revision: snapshot.revision };
  const answer = await ports.store.giveDelegation(given, snapshot.revision, record);
  if (answer.done) return { ok: true, delegation: answer.delegation };
  switch (answer.why) {
    case 'already_there':
      return refuseApproval('delegation.already_there');
    case 'too_many':
      return refuseApproval('delegation.too_many');
    case 'revision':
      return refuseApproval('stale');
  }
}

/** Taken back by whoever lent it, handed back by whoever holds it, or ended by an admin: it only narrows. What was voted stands. */
export async function endDelegation(ports: Needs, person: Person, id: string): Promise<Given> {
  const [row, snapshot] = await Promise.all([ports.store.readDelegation(person.tenant, id), ports.tenants.current(person.tenant)]);
  if (!row || !snapshot) return refuseApproval('delegation.not_found');
  const isTheirs = [row.lender, row.delegate].includes(person.id);
  if (!isTheirs && !standingOf(snapshot, person).roles.has('admin')) return refuseApproval('delegation.not_found');
  const at = ports.clock();
  await ports.store.endDelegation(row.tenant, row.id, at, aboutDelegation('delegation.ended', row, at, person.id));
  const after = await ports.store.readDelegation(row.tenant, row.id);
  return after ? { ok: true, delegation: after } : refuseApproval('delegation.not_found');
}
