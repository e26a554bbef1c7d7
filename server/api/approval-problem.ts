import type { ApprovalRefusal, ApprovalRefusalCode } from '../approvals/index.ts';
import { type Problem, type ProblemStatus, problem } from './problem.ts';

const statusOf = {
  'approval.not_found': 404,
  'approval.not_pending': 409,
  'approval.not_open': 409,
  'approval.excluded': 403,
  'approval.too_recent': 403,
  'approval.not_reviewer': 403,
  'approval.not_in_group': 403,
  'approval.no_such_requirement': 422,
  'approval.not_yet': 409,
  'approval.digest_mismatch': 409,
  'approval.already_voted': 409,
  'approval.reason_required': 422,
  'approval.reason_too_long': 422,
  'approval.edit_refused': 422,
  'approval.edit_widens': 422,
  'approval.edit_nothing': 422,
  'standing.not_found': 404,
  'standing.invalid': 422,
  'standing.too_many': 409,
  'remember.not_yours': 403,
  'remember.destructive': 403,
  'remember.external': 409,
  'passkey.required': 403,
  'passkey.none': 409,
  'passkey.refused': 422,
  stale: 409,
} as const satisfies Readonly<Record<ApprovalRefusalCode, ProblemStatus>>;

export const problemOf = ({ code, message, remedy }: ApprovalRefusal): Problem => problem(statusOf[code], code, message, remedy);
