import type { RecordBody } from '../audit/record.ts';

/**
 * Every expected way out of a call that is not a result: one closed union, stable codes. What the agent reads is
 * generic where detail would tell it of things it may not know; `detail` is for the record alone.
 */
export const refusals = {
  'token.missing': 'No access token was sent.',
  'token.invalid': 'The token is not one of Taskgate for this door, or it is used where it does not belong.',
  'token.expired': 'The access token has expired; renew it with a fresh workload credential.',
  'token.unproven': 'The token is bound to a key, and the request carries no DPoP proof of it that is fresh, for this very request and not used before.',
  'token.scope': 'The access token was narrowed to less than the call needs; another token of the session may do it.',
  'session.not_found': 'There is no such session for this caller: not there and not yours answer alike.',
  'session.expired': 'The session, its agent or its use case has reached its end.',
  'session.ended': 'The session was ended or revoked, or an ancestor of it was.',
  'session.suspended': 'The session is suspended until an admin ends it.',
  'session.proof_required':
    'The tenant or the use case takes only tokens bound to a key (`require_proof`); open another task with a DPoP proof, as `taskgate connect` does.',
  'session.already_open': 'A connection token has one live session; end it first.',
  'session.refused': 'The session asked for is not one this agent may have.',
  'agent.suspended': 'The agent is suspended; all its sessions have stopped.',
  'tool.not_granted': 'The tool is not in this session: unknown and ungranted answer alike.',
  'tool.changed': 'The tool was pinned anew after the session opened.',
  'tool.quarantined': 'The tool is not what was pinned any more; it is held until an admin has accepted what it is now.',
  'arguments.invalid': "The arguments do not fit the tool's schema.",
  'arguments.not_granted': "The arguments do not fit the session's grant.",
  'arguments.unrepresentable': 'A number that policy reads or a budget counts cannot be represented exactly.',
  'policy.forbidden': 'A policy forbids the call, or none permits it.',
  'policy.error': 'Policy could not be evaluated, so the call is denied.',
  'approval.required': 'A human has to approve exactly this call; nothing was executed.',
  'approval.denied': 'A reviewer denied the call, or the approval was withdrawn before it ran.',
  'approval.expired': 'Nobody decided in time.',
  'approval.superseded': 'What was approved is not what would run now.',
  'approval.too_many': 'Too many calls of the session, agent or tenant wait for a human already.',
  'approval.running': 'The approved call is running; ask again for its outcome.',
  'approval.unknown': 'There is no such approval in this session.',
  'budget.exhausted': 'A cap or budget of the session, an ancestor or the use case is used up.',
  'credential.unavailable': 'The upstream credential cannot be had; nothing was taken, counted or sent.',
  'upstream.unavailable': 'The upstream cannot be reached; nothing was sent.',
  'upstream.failed': 'The upstream broke off, refused or answered something invalid.',
  'upstream.timeout': 'The upstream did not answer in time.',
  'upstream.too_large': 'The answer is larger than the upstream document allows.',
  'outcome.unknown': 'The call was sent and nobody can tell whether it took effect; a person must look.',
  'result.withheld': "The result is above the session's ceiling; it is withheld and the session suspended.",
  'call.cancelled': 'The client cancelled the call.',
  'limit.exceeded': 'More was asked, held or refused than one session, agent or tenant may take from the others; nothing was done.',
  stale: 'What the call was judged on kept changing; try again.',
  unavailable: 'Taskgate cannot answer right now; the call is denied.',
} as const;
export type RefusalCode = keyof typeof refusals;
export const refusalCodes = Object.keys(refusals) as [RefusalCode, ...RefusalCode[]];

export interface Refusal {
  readonly refused: RefusalCode;
  /** What the agent may read: a reason it can act on. */
  readonly message: string;
  /** For the record and the log; never shown to the agent. */
  readonly detail: string | null;
  readonly policies?: readonly string[];
  /** Present for `approval.*`: the handle a client waits with. */
  readonly approval?: { readonly id: string; readonly status: string; readonly expiresAt: number };
  /** `limit.exceeded`: seconds to leave before the next try. */
  readonly retryAfter?: number;
  /** `token.scope`: all that a token needs for the call and for what this one could do. */
  readonly scopes?: readonly string[];
  /** `approval.running`, `outcome.unknown`, `upstream.*`: the attempt in question. */
  readonly dispatch?: string;
  /** `token.unproven`: whose token it was, for the record of their tenant. */
  readonly whose?: { readonly tenant: string; readonly agent: string; readonly session: string; readonly sponsor: string };
  /** For the record: what the call turned out to be of. */
  readonly operation?: string;
  /** For the record: the task it was refused in. */
  readonly task?: Pick<RecordBody, 'use_case' | 'observed_until'>;
}

export function refuse(refused: RefusalCode, message: string, more: Partial<Omit<Refusal, 'refused' | 'message'>> = {}): Refusal {
  return { refused, message, detail: null, ...more };
}

export const heldTool = (tool: string, detail: string | null): Refusal =>
  refuse(
    'tool.quarantined',
    `${tool} is not what was registered any more and is held; nothing was sent. Do without it: an admin has to look at it first (\`taskgate tool diff\`).`,
    { detail },
  );

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value && 'message' in value;
}
