/** Every expected way a passkey is not enrolled, confirmed or removed, with what the person may do about it. */
const remedies = {
  'passkey.not_found': ['There is no such passkey.', 'List the passkeys there are.'],
  'passkey.unavailable': [
    'Passkeys need a name and TLS: browsers give none to the public URL of this broker.',
    'Set `public_url` to https://NAME, or to http://localhost:PORT on one machine.',
  ],
  'passkey.not_enrolled': ['What the browser sent is no key made for this enrolment.', 'Begin again.'],
  'passkey.taken': ['This key is or was enrolled here before.', 'Use another, or have your authenticator make a new one.'],
  'passkey.too_many': ['You have as many passkeys as one person may.', 'Remove one you no longer use.'],
  'passkey.own': ['Nobody vouches for a passkey of their own.', 'Ask another admin.'],
  'passkey.too_recent': [
    'You were made an admin within the last 24 hours, or made an admin of its owner.',
    'Ask another admin, or wait until the 24 hours are over.',
  ],
  'person.not_named': ['The tenant document does not name you.', 'Ask an admin of the tenant to add you.'],
  'role.missing': ['This is for people with the role admin.', 'Ask an admin of the tenant.'],
  'login.not_fresh': ['This needs a login of the last five minutes.', 'Log in again: `npx taskgate login`, or anew in the console.'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;
export type PasskeyRefusalCode = keyof typeof remedies;

export interface PasskeyRefusal {
  readonly ok: false;
  readonly code: PasskeyRefusalCode;
  readonly message: string;
  readonly remedy: string;
}

export function refusePasskey(code: PasskeyRefusalCode): PasskeyRefusal {
  const [message, remedy] = remedies[code];
  return { ok: false, code, message, remedy };
}
