/** Every expected way a step of break-glass is not done: one closed union, with what the person may do about it. */
const remedies = {
  'break_glass.not_found': ['There is no such break-glass.', 'List those of your tenant: `taskgate break-glass list`.'],
  'break_glass.not_offered': ['This tenant has no break-glass.', 'An admin names who may activate it: `break_glass: { group: … }` in the Tenant document.'],
  'break_glass.not_in_group': ['You are not in the group that may activate break-glass.', 'Leave it to somebody who is.'],
  'break_glass.too_recent': [
    'A change of the last 24 hours that this rests on was yours, or added you.',
    'Leave it to somebody who was there before, or wait until a day has passed.',
  ],
  'break_glass.login_not_fresh': [
    'Your login is older than five minutes, or your issuer does not say when it was.',
    'Log in again with `taskgate login`, then at once repeat this; or use your passkey, in the console.',
  ],
  'break_glass.passkey_refused': ['What your passkey signed is not good for this step.', 'Ask for a new challenge and sign that.'],
  'break_glass.no_passkey': ['You have no passkey in effect here.', 'Log in again instead, then at once repeat this.'],
  'break_glass.no_session': ['There is no such session, or it is not live.', 'Name a live session: `taskgate session list --status active`.'],
  'break_glass.tool_not_granted': ['A tool that is not in that session.', 'Name tools of the session: `taskgate session show ID`. Break-glass never adds one.'],
  'break_glass.involved': ['You are in the chain of that session, so you cannot open it to itself.', 'Leave it to two people who have nothing to do with it.'],
  'break_glass.same_person': ['It is for a second person to confirm, under no account of the first.', 'Have another person of the group confirm it.'],
  'break_glass.already_there': [
    'That session has break-glass, active or waiting to be confirmed.',
    'Confirm or end that one. It is not renewed: with its end the session ends.',
  ],
  'break_glass.review_overdue': [
    'An earlier break-glass of this tenant was not reviewed in time, and there is no other until it is.',
    'Review it: `taskgate break-glass list --status ended`.',
  ],
  'break_glass.no_channel': [
    'There is no channel on which people would be told, and nobody acts under break-glass unseen.',
    'An admin adds a Channel document.',
  ],
  'break_glass.not_requested': ['It does not wait to be confirmed any more.', 'Ask anew when it is still needed; it waits 15 minutes.'],
  'break_glass.not_open': ['It is over already.', 'Nothing is left to end.'],
  'break_glass.not_ended': ['It is not over, or was reviewed already.', 'End it first: `taskgate break-glass end ID`.'],
  'break_glass.not_rotated': [
    'Credentials it may have touched have their old values.',
    'Set each anew with `taskgate credential set`; `break-glass show` names them.',
  ],
  'break_glass.took_part': ['You took part in it, so you cannot review it.', 'Leave it to an admin or auditor who did not.'],
  'break_glass.not_reviewer': ['A review is for an admin or an auditor.', 'Ask one of them.'],
  stale: ['The configuration of the tenant kept changing meanwhile.', 'Try again.'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;
export type BreakGlassRefusalCode = keyof typeof remedies;

export interface BreakGlassRefusal {
  readonly ok: false;
  readonly code: BreakGlassRefusalCode;
  readonly message: string;
  readonly remedy: string;
}

export function refuseBreakGlass(code: BreakGlassRefusalCode): BreakGlassRefusal {
  const [message, remedy] = remedies[code];
  return { ok: false, code, message, remedy };
}
