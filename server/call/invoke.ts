import { dominates } from '../../policies/index.ts';
import type { UpstreamOutcome } from '../../tools/index.ts';
import type { Ports } from '../ports.ts';
import type { CallIo, CallRequest } from './call.ts';
import type { Claimed } from './claim.ts';
import { mayRunWhileFlushing } from './deadline.ts';
import type { Refusal } from './refusals.ts';
import { scrubSecret } from './scrub-secret.ts';
import { whyStopped } from './while-live.ts';

declare const invoked: unique symbol;

/** What one attempt brought back, not yet labelled and not to be shown to anyone. */
export interface Raw {
  readonly [invoked]: true;
  readonly claimed: Claimed;
  readonly outcome: UpstreamOutcome;
  /** Why Taskgate itself cancelled it; null when it did not. */
  readonly stopped: Refusal | null;
}

/** One attempt, deadline, size cap. Takes only a claim whose dispatch record is durable, a read that stays in the tenant aside. */
export async function invoke(ports: Pick<Ports, 'log'>, claimed: Claimed, request: CallRequest, io: CallIo, deadlineMs: number): Promise<Raw> {
  const { warrant, connection } = claimed.credential;
  const { tool, session, arguments: args } = warrant.judgement.tool;
  if (!mayRunWhileFlushing(tool)) await claimed.durable;
  const { dispatch, leaseUntil: lostAt } = claimed;
  if (io.begun) {
    await claimed.durable;
    await io.begun({ dispatch, approval: warrant.approval?.id ?? null, lostAt });
  }
  const document = session.tenant.upstreams.get(tool.upstream)?.document;
  const call = {
    kind: tool.kind,
    address: tool.address,
    arguments: args,
    dispatch: claimed.dispatch,
    signal: io.signal,
    deadlineMs,
    maxResultBytes: document?.max_result_bytes ?? 1_048_576,
    traceparent: request.traceparent,
    // Progress is of upstream origin and told before any label can rise: only to a lineage that has it already.
    onProgress: dominates(session.view.label, tool.label) ? io.onProgress : null,
    ...(tool.manifest.idempotency.startsWith('header:') ? { idempotencyHeader: tool.manifest.idempotency.slice('header:'.length) } : {}),
  };
  const outcome = await io
    .aside(() => connection.call(call))
    .catch((error: unknown): UpstreamOutcome => {
      ports.log.error({ err: error, dispatch: claimed.dispatch }, 'an upstream connection threw');
      return { kind: 'failed', why: 'died', sent: true, detail: 'the connection threw' };
    });
  const { secret } = claimed.credential;
  return { claimed, outcome: secret === null ? outcome : scrubSecret(outcome, secret), stopped: whyStopped(io.signal) } as Omit<Raw, typeof invoked> as Raw;
}
