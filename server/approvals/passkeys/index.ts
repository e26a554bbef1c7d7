export { creationOptions, enrolPasskey, offerEnrolment } from './enrol.ts';
export { confirmPasskey, listPasskeys, removePasskey } from './manage.ts';
export { mustBeSigned } from './must-be-signed.ts';
export type { PasskeyRefusal, PasskeyRefusalCode } from './refusals.ts';
export { voteChallenge } from './sign-vote.ts';
export { assertion } from './verify-assertion.ts';
export { registration } from './verify-registration.ts';
export { passkeyView } from './view.ts';
