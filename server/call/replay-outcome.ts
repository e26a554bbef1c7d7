import { z } from 'zod';
import type { UpstreamResult } from '../../tools/index.ts';
import { openProposal } from '../approvals/index.ts';
import { seal, unseal } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow, SessionRow, TaskRow } from '../store/store.ts';
import type { CallResult } from './call.ts';
import { editedOf } from './edited.ts';
import { type Refusal, type RefusalCode, refusalCodes, refuse } from './refusals.ts';

const parts = z.array(z.record(z.string(), z.unknown()));
/** How an approved call ended, as it is kept, sealed, until its approval expires. */
const outcome = z.union([
  z.strictObject({
    result: z.union([
      z.strictObject({ content: parts, structuredContent: z.unknown().optional(), isError: z.boolean() }),
      z.strictObject({ contents: parts }),
      z.strictObject({ description: z.string().optional(), messages: parts }),
    ]),
  }),
  z.strictObject({ refused: z.enum(refusalCodes), message: z.string() }),
]);
type Outcome = { readonly result: UpstreamResult } | { readonly refused: RefusalCode; readonly message: string };

/** `of`: an approval, or the dispatch of a call that nobody was asked about. */
const context = (tenant: string, of: string): string => `outcome/${tenant}/${of}`;

export function sealOutcome(ports: Pick<Ports, 'keys'>, tenant: string, of: string, ended: Outcome): Uint8Array {
  return seal(ports.keys.escrow, JSON.stringify(ended), context(tenant, of));
}

/** Answers a retry of a call that ran: the stored outcome, marked, running nothing. */
export async function replayOutcome(ports: Pick<Ports, 'store' | 'keys' | 'clock'>, row: ApprovalRow, decision: string): Promise<CallResult | Refusal> {
  const approval = { id: row.id, status: row.status, expiresAt: row.expiresAt };
  const dispatch = row.dispatch ?? undefined;
  if (row.outcome === null) return refuse('approval.running', 'This call was approved and is running; ask again for its outcome.', { approval });
  if (row.outcome === 'unknown' || row.sealedOutcome === null || row.sealedOutcome.length === 0) {
    const message = 'This call was approved and sent, and nobody can tell whether it took effect. It will not be sent again; a person must look.';
    return refuse('outcome.unknown', message, { approval, ...(dispatch ? { dispatch } : {}) });
  }
  const at = ports.clock();
  const stored = openOutcome(ports, row.tenant, row.id, row.sealedOutcome, at);
  if ('refused' in stored)
    return refuse(stored.refused, `${stored.message} (Replayed: this approved call was tried once and is not tried again.)`, { approval });
  const record = await ports.store.appendWhileLive(row.tenant, row.session, at, {
    type: 'call.replayed',
    at,
    tenant: row.tenant,
    session: row.session,
    agent: row.agent,
    tool: row.tool,
    approval: row.id,
    decision_id: decision,
    ...(dispatch ? { dispatch } : {}),
  });
  if (record === null) return refuse('session.ended', 'This task has ended.');
  const edited = row.editedFrom === null ? null : editedOf(row.id, openProposal(ports, row));
  return {
    result: stored.result,
    decision,
    record,
    replayed: true,
    approval: row.id,
    ...(edited ? { edited } : {}),
  };
}

/** Answers for a call that nobody was asked about and that became a task: as it ended, running nothing. */
export async function replayTask(
  ports: Pick<Ports, 'store' | 'keys' | 'clock'>,
  { tenant, id: session, agent }: SessionRow,
  row: TaskRow,
  decision: string,
): Promise<CallResult | Refusal> {
  const { id: dispatch, tool } = row;
  if (row.status === 'unknown' || row.sealedOutcome === null || row.sealedOutcome.length === 0)
    return refuse('outcome.unknown', 'This call was sent, and nobody can tell how it ended. A person must look.', { dispatch });
  const at = ports.clock();
  const stored = openOutcome(ports, tenant, dispatch, row.sealedOutcome, at);
  if ('refused' in stored) return refuse(stored.refused, stored.message, { dispatch });
  const about = { type: 'call.replayed' as const, at, tenant, session, agent, tool, decision_id: decision, dispatch };
  const record = await ports.store.appendWhileLive(tenant, session, at, about);
  if (record === null) return refuse('session.ended', 'This task has ended.');
  return { result: stored.result, decision, record, replayed: true };
}

const openOutcome = (ports: Pick<Ports, 'keys'>, tenant: string, of: string, sealed: Uint8Array, at: number): Outcome =>
  outcome.parse(JSON.parse(unseal(ports.keys.escrow, sealed, context(tenant, of), at).toString('utf8'))) as Outcome;
