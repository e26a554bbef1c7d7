export { ballotOf } from './ballot.ts';
export { type ApprovalBatch, approvalBatch, batchAnswer, decideBatch, listBatches, mostInBatch } from './batches.ts';
export { createDecisions } from './create-decisions.ts';
export { challengeVote, type DecisionRequest, decideApproval } from './decide.ts';
export {
  type DelegationSummary,
  delegationRequest,
  delegationSummary,
  delegationSummaryOf,
  endDelegation,
  giveDelegation,
  listDelegations,
} from './delegation/index.ts';
export { excludedFrom, sameHuman } from './excluded.ts';
export { listApprovals } from './list.ts';
export { whyNotNarrower } from './narrower.ts';
export {
  type Assertion,
  assertion,
  challengePresence,
  hasSigningKey,
  mustBeSigned,
  provePresence,
  type RequestOptions,
  requestOptions,
  type Step,
  voteChallenge,
} from './passkeys/index.ts';
export { openProposal, type Proposal, sealProposal } from './proposal.ts';
export { type ApprovalRefusal, type ApprovalRefusalCode, refuseApproval } from './refusals.ts';
export { revokeApproval } from './revoke.ts';
export { satisfiedLiterals } from './satisfied.ts';
export { mayRead, mayReview, readAround, type Seen, seeApproval, stand } from './see.ts';
export { showApproval } from './show.ts';
export { type Standing, standingOf } from './standing.ts';
export {
  decideStanding,
  listStanding,
  openStanding,
  proposeStanding,
  rememberAnswer,
  revokeStanding,
  type StandingContent,
  type StandingDetail,
  type StandingSummary,
  seeStanding,
  showStanding,
  standingDetail,
  standingKind,
  standingProposal,
  standingStatus,
  standingSummary,
  standingSummaryOf,
  stillGiving,
} from './standing-approvals/index.ts';
export { termsOf } from './terms.ts';
export { type ApprovalDetail, type ApprovalSummary, approvalDetail, approvalStatus, approvalSummary, summaryOf } from './view.ts';
export { whoMayEdit } from './who-may-edit.ts';
