export { budgetOf } from './bound-session.ts';
export { type SponsorStanding, sponsorStanding } from './check-standing.ts';
export { endSession } from './end-session.ts';
export { mintTaskToken } from './mint-task-token.ts';
export { observedUntil } from './observed-until.ts';
export { type OpenRequest, openSession, taskDigest } from './open-session.ts';
export { renewSession } from './renew-session.ts';
export { tenantOfSession } from './session-id.ts';
export { authorizationDetails, type RenewalAsked, type TaskAsked } from './task-details.ts';
