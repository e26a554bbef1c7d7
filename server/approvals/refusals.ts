/** Every expected way a person's act on an approval is not done: one closed union, with what the person may do about it. */
const remedies = {
  'approval.not_found': ['There is no such approval.', 'List the approvals that wait for you.'],
  'approval.not_pending': ['It is settled or has expired.', 'Nothing is left to decide; the agent may ask again.'],
  'approval.not_open': ['It is neither pending nor approved, or its call already runs.', 'Nothing is left to take back.'],
  'approval.excluded': ['You are in the chain that asks for it, so you cannot give it.', 'Leave it to another reviewer of the group.'],
  'approval.too_recent': [
    'Within the last 24 hours you changed what it rests on, or were added to it.',
    'Leave it to another reviewer of the group, or wait until the 24 hours are over.',
  ],
  'approval.not_reviewer': ['You do not have the role reviewer in this tenant.', 'Ask an admin, or leave it to a reviewer.'],
  'approval.not_in_group': ['You are in none of the groups it asks.', 'Leave it to a reviewer of the group it names.'],
  'approval.no_such_requirement': ['It does not ask for that requirement.', 'Name one of its own requirements, or none.'],
  'approval.not_yet': ['Others are asked before you, and have not all agreed.', 'Wait until they have; you may deny it now.'],
  'approval.digest_mismatch': ['The digest is not that of this proposal.', 'Read the approval again and decide about what you see.'],
  'approval.already_voted': ['You have decided otherwise already, and a vote is final.', 'Revoke the approval while its call has not run.'],
  'approval.reason_required': [
    'A denial, and an approval of what cannot be undone, needs a reason of at least three characters.',
    'Say why; it stands in the record, and of a denial the agent reads it.',
  ],
  'approval.reason_too_long': ['A reason has at most 500 characters.', 'Shorten it.'],
  'approval.edit_refused': ['The edited call is not one this task may make.', 'Change what it names, or deny the call with a reason.'],
  'approval.edit_widens': [
    'An edit can only take away from what was asked.',
    'Lower an amount, take targets off a list or cut a text; or deny it with a reason.',
  ],
  'approval.edit_nothing': ['Nothing was changed.', 'Approve it as it is, or change an argument.'],
  'passkey.required': ['It asks for a vote signed by your passkey.', 'Decide in the console, or ask for a challenge and send what your key signs.'],
  'passkey.none': ['You have no passkey in effect here.', 'Enrol one; it signs once an admin has confirmed it and a day has passed.'],
  'passkey.refused': ['What your passkey signed is not good for this vote.', 'Ask for a new challenge and sign that.'],
  'delegation.not_found': ['There is no such delegation.', 'List yours.'],
  'delegation.not_offered': ['Reviewers of that group do not lend their place in this tenant.', 'An admin may say so in `approvals.delegable`.'],
  'delegation.not_yours': ['You are not in that group yourself, and what was lent to you cannot be lent on.', 'Lend your place in a group of your own.'],
  'delegation.not_to_them': [
    'A place is lent to another reviewer of the tenant, by name, who is not in that group: those who are have a vote of their own.',
    'Name one.',
  ],
  'delegation.too_long': ['It is longer than the tenant lets a place be lent.', 'Lend it for less; it can be lent again.'],
  'delegation.already_there': ['You have lent your place in that group already.', 'Take it back first.'],
  'delegation.too_many': ['As many places are lent in the tenant as may be.', 'Take back those that are no longer needed.'],
  'delegation.not_in_force': ['The place was lent no longer when you voted.', 'Leave it to whoever lent it, or to another reviewer of the group.'],
  'delegation.barred': ['Whoever lent you their place could not give this one, so you cannot give it for them.', 'Leave it to another reviewer of the group.'],
  'delegation.spent': ['The vote of that place has been cast: one place has one vote, whoever casts it.', 'Leave it to another reviewer of the group.'],
  'standing.not_found': ['There is no such standing approval.', 'List those there are.'],
  'standing.invalid': ['It is not a standing approval that can be given.', 'Correct what it says and propose it again.'],
  'standing.too_many': ['The tenant has as many standing approvals as may be.', 'Revoke those that are no longer needed.'],
  'remember.not_yours': ['Only who approved this call, as a reviewer of the group, can have that answer remembered.', 'Approve it first.'],
  'remember.destructive': ['The answer to a destructive call is never remembered.', 'Decide each one.'],
  'remember.external': ['The task has read more, or from outside, since it was asked; its answers are not remembered.', 'Decide each call.'],
  stale: ['The configuration of the tenant kept changing while you decided.', 'Try again.'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;
export type ApprovalRefusalCode = keyof typeof remedies;

export interface ApprovalRefusal {
  readonly ok: false;
  readonly code: ApprovalRefusalCode;
  readonly message: string;
  readonly remedy: string;
}

/** `more`: what exactly, in words a reviewer may read. */
export function refuseApproval(code: ApprovalRefusalCode, more?: string): ApprovalRefusal {
  const [message, remedy] = remedies[code];
  return { ok: false, code, message: more === undefined ? message : `${message} ${more}`, remedy };
}
