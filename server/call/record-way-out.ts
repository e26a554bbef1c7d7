import type { Caller } from '../identity/caller.ts';
import { askerOf } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import { type Rung, StoreUnavailable } from '../store/store.ts';
import type { CallAnswer, CallResult } from './call.ts';
import { isRefusal, type Refusal, type RefusalCode, refuse } from './refusals.ts';

/**
 * The outermost wrapper: every way out that is not a released result leaves a record, or the call is `unavailable`.
 * An exception is a bug or an outage; both deny.
 */
export async function recordWayOut(
  ports: Pick<Ports, 'store' | 'clock' | 'log' | 'limits'>,
  caller: Caller,
  request: Asked,
  decision: string,
  call: () => Promise<CallResult | Refusal>,
): Promise<CallAnswer> {
  let answer: CallResult | Refusal;
  try {
    answer = await call();
  } catch (error) {
    ports.log.error({ err: error, tenant: caller.tenant, session: caller.session, decision }, 'a call ended in an exception');
    answer = refuse('unavailable', 'Taskgate cannot answer right now; nothing more was done. Try again later.', {
      detail: error instanceof Error ? error.name : 'unknown',
    });
  }
  if (!isRefusal(answer)) return answer;
  // Each leaves a durable record, so who causes too many is stopped at the door, where they are summed up.
  if (isOwnDoing(answer)) ports.limits.countRefusal(askerOf(caller));
  try {
    const [record] = await ports.store.append(caller.tenant, [recordOf(caller, request, decision, answer, ports.clock())]);
    return { ...answer, decision, record: record ?? null };
  } catch (error) {
    // That something was sent must be said even when it cannot be written down.
    if (answer.refused === 'outcome.unknown') return { ...answer, decision, record: null };
    if (!(error instanceof StoreUnavailable)) ports.log.error({ err: error, decision }, 'a refusal could not be recorded');
    return { ...refuse('unavailable', 'Taskgate cannot answer right now; nothing more was done. Try again later.'), decision, record: null };
  }
}

interface Asked {
  readonly tool: string;
  /** How the request waited, where it could wait for a human. */
  readonly rung?: Rung;
}

/** Not what the agent asked for was the reason, but something of ours or of an upstream: nobody is turned away for that. */
const notItsDoing: ReadonlySet<RefusalCode> = new Set([
  'credential.unavailable',
  'upstream.unavailable',
  'upstream.failed',
  'upstream.timeout',
  'upstream.too_large',
  'outcome.unknown',
  'limit.exceeded',
  'stale',
  'unavailable',
]);
const isOwnDoing = ({ refused }: Refusal): boolean => !notItsDoing.has(refused);

function recordOf(caller: Caller, request: Asked, decision: string, refusal: Refusal, at: number) {
  return {
    type:
      refusal.refused === 'result.withheld' || (refusal.refused === 'session.ended' && refusal.dispatch)
        ? ('call.withheld' as const)
        : ('call.refused' as const),
    at,
    tenant: caller.tenant,
    session: caller.session,
    agent: caller.agent,
    sponsor: caller.sponsor,
    ...refusal.task,
    // What was asked for is the caller's text until it is resolved: kept short, so that it cannot flood the record.
    tool: (refusal.operation ?? request.tool).slice(0, 128),
    decision_id: decision,
    code: refusal.refused,
    ...(refusal.detail === null ? {} : { detail: refusal.detail.slice(0, 500) }),
    ...(refusal.policies ? { policies: refusal.policies } : {}),
    ...(refusal.approval ? { approval: refusal.approval.id, ...(request.rung ? { rung: request.rung } : {}) } : {}),
    ...(refusal.dispatch ? { dispatch: refusal.dispatch } : {}),
  };
}
