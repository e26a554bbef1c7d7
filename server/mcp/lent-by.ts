import type { ServerContext } from '@modelcontextprotocol/server';
import type { Lent } from './answer-call.ts';
import type { PauseState } from './pause.ts';
import { relayProgress } from './progress.ts';

/** What a 2026-07-28 request lends to its call. */
export function lentBy({ mcpReq }: ServerContext): Lent {
  const { signal, notify, _meta } = mcpReq;
  return { signal, gone: signal, onProgress: relayProgress(_meta?.progressToken, notify), rounds: { resumed: mcpReq.requestState<PauseState>() ?? null } };
}

/** What its client says beside the call, and of itself. */
export const metaOf = ({ mcpReq }: ServerContext): Readonly<Record<string, unknown>> => ({ ...mcpReq._meta, ...mcpReq.envelope });
