import { askerOf } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import type { CallIo } from './call.ts';
import type { Raw } from './invoke.ts';
import type { Warrant } from './obtain-warrant.ts';
import type { Refusal } from './refusals.ts';

/** Calls at once that an upstream gets when its document says nothing: a child process serves them all through one pipe. */
const mostAtOnce = { http: 64, stdio: 16 } as const;

/** Runs what a call does at its upstream when it is its turn there, so that one slow upstream holds up nobody else. */
export function atUpstream(
  ports: Pick<Ports, 'limits'>,
  warrant: Warrant,
  io: Pick<CallIo, 'signal' | 'aside'>,
  act: () => Promise<Raw | Refusal>,
): Promise<Raw | Refusal> {
  const { session, tool } = warrant.judgement.tool;
  const document = session.tenant.upstreams.get(tool.upstream)?.document;
  const upstream = {
    name: tool.upstream,
    most: document?.max_concurrent ?? mostAtOnce[document?.transport.type === 'stdio' ? 'stdio' : 'http'],
    resultBytes: document?.max_result_bytes ?? 1_048_576,
  };
  return ports.limits.atUpstream(upstream, askerOf(session.caller), io, act);
}
