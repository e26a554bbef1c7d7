export { awaitApproval } from './await-approval.ts';
export { brokerCall } from './broker-call.ts';
export type {
  ApprovalState,
  Asked,
  Attempt,
  CallAnswer,
  CallIo,
  CallRequest,
  CallResult,
  Edited,
  ListedPrompt,
  ListedResource,
  ListedTemplate,
  ListedTool,
} from './call.ts';
export { type Completed, completeArgument } from './complete-argument.ts';
export { type EditAnswer, type EditRequest, editApproval } from './edit-approval.ts';
export { enterSession, type Session } from './enter-session.ts';
export { findOperation, recordedName } from './find-operation.ts';
export { kindsOf, listPrompts, listResources, listTemplates, listTools } from './list-operations.ts';
export { isRefusal, type Refusal, type RefusalCode, refusalCodes, refusals, refuse } from './refusals.ts';
export { cancelTask, keepTask, listTasks, lookAtTask, runTask, type TaskName, type TaskState } from './task.ts';
