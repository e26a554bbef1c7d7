import type { UpstreamOutcome } from '../../tools/index.ts';
import { hmacOf } from '../audit/index.ts';
import type { Ports } from '../ports.ts';
import type { Settlement } from '../store/store.ts';
import type { CallIo, CallResult } from './call.ts';
import type { Labelled } from './label-result.ts';
import { observedOf } from './record-observed.ts';
import { isRefusal, type Refusal, type RefusalCode, refuse } from './refusals.ts';
import { sealOutcome } from './replay-outcome.ts';

type Failed = Extract<UpstreamOutcome, { kind: 'failed' }>;

/** Settles the dispatch, raises the labels and only then lets the result go: dispatch, outcome and labels are durable by then. */
export async function recordOutcome(
  ports: Pick<Ports, 'store' | 'clock' | 'keys'>,
  labelled: Labelled,
  io: Pick<CallIo, 'begun'>,
): Promise<CallResult | Refusal> {
  const { claimed, outcome } = labelled.raw;
  const { dispatch } = claimed;
  const { judgement, approval } = claimed.credential.warrant;
  await claimed.durable;
  const failure = outcome.kind === 'failed' ? describe(outcome, labelled.raw.stopped) : null;
  const settlement = settlementOf(ports, labelled, failure, io.begun !== undefined);
  const settled = await ports.store.settle(settlement).catch((error: unknown): Refusal => {
    // What was sent cannot be called back: an effect nobody could record is unknown, not undone.
    if (settlement.outcome === 'failed' || judgement.tool.tool.manifest.effect === 'read') throw error;
    return unknownOutcome(dispatch);
  });
  if (isRefusal(settled)) return settled;
  switch (settled.release) {
    case 'session_ended':
      return refuse('session.ended', 'The task ended while this call ran; its result is withheld.', { dispatch });
    case 'over_ceiling':
      return refuse('result.withheld', 'The result is more sensitive than this task may see; it is withheld and the task is suspended.', { dispatch });
    case 'fenced':
      return unknownOutcome(dispatch);
    case 'yes':
      if (outcome.kind === 'result')
        return {
          result: outcome.result,
          decision: claimed.decision,
          record: settled.recordIndex,
          replayed: false,
          ...(approval ? { approval: approval.id } : {}),
          ...(approval?.edited ? { edited: approval.edited } : {}),
        };
      return { ...describe(outcome, labelled.raw.stopped), dispatch };
  }
}

function settlementOf(ports: Pick<Ports, 'clock' | 'keys'>, { raw, label }: Labelled, failure: Refusal | null, mayBeTask: boolean): Settlement {
  const { claimed, outcome } = raw;
  const { judgement, approval, breakGlass } = claimed.credential.warrant;
  const { session, tool } = judgement.tool;
  const at = ports.clock();
  // A read that failed had no effect to wonder about.
  const ended = outcome.kind === 'result' ? 'completed' : outcome.sent && tool.manifest.effect !== 'read' ? 'unknown' : 'failed';
  const about = { tenant: session.row.tenant, session: session.row.id, dispatch: claimed.dispatch, fence: claimed.fence };
  const kept = failure ? { refused: failure.refused, message: failure.message } : outcome.kind === 'result' ? { result: outcome.result } : null;
  return {
    ...about,
    outcome: ended,
    label,
    approvalOutcome: approval && kept && { approval: approval.id, sealed: sealOutcome(ports, session.row.tenant, approval.id, kept) },
    taskOutcome: mayBeTask && !approval && kept ? sealOutcome(ports, session.row.tenant, claimed.dispatch, kept) : null,
    at,
    record: {
      ...about,
      type: `call.${ended}`,
      at,
      agent: session.row.agent,
      tool: tool.name,
      decision_id: claimed.decision,
      duration_ms: at - claimed.at,
      ...(approval ? { approval: approval.id } : {}),
      ...(breakGlass ? { break_glass: breakGlass.id } : {}),
      ...(label ? { label } : {}),
      ...observedOf(session),
      ...(outcome.kind === 'result' ? { result_hmac: hmacOf(ports.keys.hmac, outcome.result), result_bytes: outcome.bytes } : {}),
      ...(failure ? { code: failure.refused } : {}),
    },
  };
}

const unknownOutcome = (dispatch: string): Refusal =>
  refuse('outcome.unknown', 'This call was sent, and whether it took effect could not be written down. Do not send it again; a person must look.', {
    dispatch,
  });

const said: Record<Failed['why'], readonly [RefusalCode, string]> = {
  timeout: ['upstream.timeout', 'The system behind this tool did not answer in time.'],
  too_large: ['upstream.too_large', 'The answer is larger than this tool may return; ask for less.'],
  died: ['upstream.failed', 'The system behind this tool broke off.'],
  protocol: ['upstream.failed', 'The system behind this tool answered something that is not a valid result.'],
  refused: ['upstream.failed', 'The system behind this tool refused the call.'],
  cancelled: ['call.cancelled', 'The call was cancelled.'],
};

/** `stopped`: Taskgate itself cancelled it, for this reason. */
function describe(failed: Failed, stopped: Refusal | null): Refusal {
  const [code, text] = stopped && failed.why === 'cancelled' ? [stopped.refused, stopped.message] : said[failed.why];
  return refuse(code, failed.sent ? `${text} It may have taken effect.` : `${text} Nothing was sent.`, { detail: failed.detail });
}
