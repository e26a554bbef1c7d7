export { creationOptions, enrolPasskey, offerEnrolment } from './enrol.ts';
export { confirmPasskey, listPasskeys, removePasskey } from './manage.ts';
export { mustBeSigned } from './must-be-signed.ts';
export { challengePresence, provePresence, type RequestOptions, type Step } from './prove-presence.ts';
export type { PasskeyRefusal, PasskeyRefusalCode } from './refusals.ts';
export { hasSigningKey, requestOptions, voteChallenge } from './sign-vote.ts';
export { type Assertion, assertion } from './verify-assertion.ts';
export { registration } from './verify-registration.ts';
export { type PasskeyView, passkeyName, passkeyView } from './view.ts';
