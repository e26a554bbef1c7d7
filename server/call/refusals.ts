/**
 * Every expected way out of a call that is not a result: one closed union, stable codes. What the agent reads is
 * generic where detail would tell it of things it may not know; `detail` is for the record alone.
 */
export const refusalCodes = [
  'token.missing',
  'token.invalid',
  'token.expired',
  'session.not_found',
  'session.expired',
  'session.ended',
  'session.suspended',
  'session.already_open',
  'session.refused',
  'agent.suspended',
  'tool.not_granted',
  'tool.changed',
  'arguments.invalid',
  'arguments.not_granted',
  'arguments.unrepresentable',
  'policy.forbidden',
  'policy.error',
  'approval.required',
  'approval.denied',
  'approval.expired',
  'approval.superseded',
  'approval.too_many',
  'approval.running',
  'budget.exhausted',
  'credential.unavailable',
  'upstream.unavailable',
  'upstream.failed',
  'upstream.timeout',
  'upstream.too_large',
  'outcome.unknown',
  'result.withheld',
  'call.cancelled',
  'stale',
  'unavailable',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export interface Refusal {
  readonly refused: RefusalCode;
  /** What the agent may read: a reason it can act on. */
  readonly message: string;
  /** For the record and the log; never shown to the agent. */
  readonly detail: string | null;
  readonly policies?: readonly string[];
  /** Present for `approval.*`: the handle a client waits with. */
  readonly approval?: { readonly id: string; readonly status: string; readonly expiresAt: number };
  /** `approval.running`, `outcome.unknown`, `upstream.*`: the attempt in question. */
  readonly dispatch?: string;
}

export function refuse(refused: RefusalCode, message: string, more: Partial<Omit<Refusal, 'refused' | 'message'>> = {}): Refusal {
  return { refused, message, detail: null, ...more };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value && 'message' in value;
}
