import type { DocumentProblem } from '../documents/problems.ts';

/** Every expected way a person's act on a change is not done: one closed union, with what the person may do about it. */
const remedies = {
  'change.not_found': ['There is no such change.', 'List what waits: `npx taskgate change list`.'],
  'change.not_pending': ['It is settled or has expired.', 'Nothing is left to decide; ask for it again if it is still wanted.'],
  'change.not_admin': ['You do not have the role admin in this tenant.', 'Leave it to an admin.'],
  'change.own': ['You asked for it, so another admin has to approve it, from an account that is not yours.', 'Ask another admin of the tenant.'],
  'change.not_operator': ["It changes the operator's document, which an operator has to approve.", 'Ask another person named in `operators`.'],
  'change.made_admin': ['It makes you an admin.', 'Leave it to somebody who is one already.'],
  'change.recent': [
    'You were made an admin within the last 24 hours, or made an admin of the one who asks.',
    'Leave it to another admin, or wait until the 24 hours are over.',
  ],
  'change.digest_mismatch': ['The digest is not that of this difference.', 'Read the change again and decide about what you see.'],
  'change.replanned': [
    'What it would be laid over has changed, so it was planned anew and has another digest.',
    'Read it again; approve the new digest if it is still what you want.',
  ],
  'change.no_longer_holds': ['It does not hold any more over what is in force now.', 'Reject it, and apply the documents again once corrected.'],
  'change.does_not_hold': ['It does not hold over what is in force.', 'Correct what `problems` names and try again.'],
  'change.nothing_left': ['All of it is in force already, or what it is about is gone.', 'Nothing is left to decide.'],
  'change.reason_required': ['A rejection needs a reason of at least three characters.', 'Say why; the author and the record get to read it.'],
  'change.reason_too_long': ['A reason has at most 500 characters.', 'Shorten it.'],
  'change.too_many': ['Too many changes wait for a second admin already.', 'Approve or reject some: `npx taskgate change list`.'],
  stale: ['The configuration of the tenant kept changing meanwhile.', 'Try again.'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;
export type ChangeRefusalCode = keyof typeof remedies;

export interface ChangeRefusal {
  readonly ok: false;
  readonly code: ChangeRefusalCode;
  readonly message: string;
  readonly remedy: string;
  /** What does not hold, when that is the reason. */
  readonly problems: readonly DocumentProblem[];
}

export function refuseChange(code: ChangeRefusalCode, problems: readonly DocumentProblem[] = []): ChangeRefusal {
  const [message, remedy] = remedies[code];
  return { ok: false, code, message, remedy, problems };
}
