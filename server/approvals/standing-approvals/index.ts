export { openStanding, type StandingContent } from './content.ts';
export { decideStanding, revokeStanding, type StandingDecision } from './decide.ts';
export { proposeStanding, type StandingGiven, type StandingProposal, standingProposal } from './propose.ts';
export { type RememberRequest, rememberAnswer } from './remember.ts';
export { seeStanding, stillGiving } from './see.ts';
export {
  listStanding,
  type StandingDetail,
  type StandingSummary,
  showStanding,
  standingDetail,
  standingKind,
  standingStatus,
  standingSummary,
  standingSummaryOf,
} from './view.ts';
