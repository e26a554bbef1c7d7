export { awaitApproval } from './await-approval.ts';
export { brokerCall } from './broker-call.ts';
export type { ApprovalState, CallAnswer, CallIo, CallRequest, CallResult, Edited, ListedTool } from './call.ts';
export { type EditAnswer, type EditRequest, editApproval } from './edit-approval.ts';
export { enterSession, type Session } from './enter-session.ts';
export { listTools } from './list-tools.ts';
export { isRefusal, type Refusal, type RefusalCode, refusals, refuse } from './refusals.ts';
