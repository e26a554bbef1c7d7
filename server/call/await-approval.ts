import type { Caller } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalState, CallIo } from './call.ts';
import { enterSession } from './enter-session.ts';
import { isRefusal, type Refusal, refuse } from './refusals.ts';

/** Should no signal come, what another process decided is seen this late. */
const lookAgainMs = 5_000;

/** Waits, at most `holdMs`, until the approval is no longer pending. Another session's approval and none at all answer alike. */
export async function awaitApproval(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'decisions'>,
  caller: Caller,
  approval: string,
  holdMs: number,
  signal: AbortSignal,
  aside: CallIo['aside'],
): Promise<ApprovalState | Refusal> {
  const until = ports.clock() + holdMs;
  for (let id = approval; ; ) {
    const watch = ports.decisions.watch(caller.tenant, id);
    try {
      const session = await enterSession(ports, caller);
      if (isRefusal(session)) return session;
      const row = await ports.store.readApproval(caller.tenant, id);
      if (!row || row.session !== caller.session) return refuse('approval.unknown', 'There is no such approval in this task.');
      if (row.supersededBy !== null) {
        id = row.supersededBy;
        continue;
      }
      const now = ports.clock();
      const status = row.status === 'pending' && row.expiresAt <= now ? 'expired' : row.status;
      const reason = row.votes.findLast((vote) => vote.decision === 'deny')?.reason ?? null;
      if (status !== 'pending' || now >= until || signal.aborted)
        return {
          id,
          status,
          expiresAt: row.expiresAt,
          reason,
          ...(row.editedFrom === null ? {} : { edited: true }),
          ...(row.tool === 'request_access' ? { extension: true } : {}),
        };
      await aside(() => watch.changed(Math.min(until - now, lookAgainMs), signal));
    } finally {
      watch.stop();
    }
  }
}
