export { creationOptions, enrolPasskey, offerEnrolment } from './enrol.ts';
export { confirmPasskey, listPasskeys, removePasskey } from './manage.ts';
export { mustBeSigned } from './must-be-signed.ts';
export type { PasskeyRefusal, PasskeyRefusalCode } from './refusals.ts';
export { hasSigningKey, voteChallenge } from './sign-vote.ts';
export { assertion } from './verify-assertion.ts';
export { registration } from './verify-registration.ts';
export { type PasskeyView, passkeyName, passkeyView } from './view.ts';
