export { awaitApproval } from './await-approval.ts';
export { brokerCall } from './broker-call.ts';
export type { ApprovalState, Attempt, CallAnswer, CallIo, CallRequest, CallResult, Edited, ListedTool } from './call.ts';
export { type EditAnswer, type EditRequest, editApproval } from './edit-approval.ts';
export { enterSession, type Session } from './enter-session.ts';
export { listTools } from './list-tools.ts';
export { isRefusal, type Refusal, type RefusalCode, refusalCodes, refusals, refuse } from './refusals.ts';
export { cancelTask, keepTask, listTasks, lookAtTask, runTask, type TaskName, type TaskState } from './task.ts';
