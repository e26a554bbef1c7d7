import { z } from 'zod';
import type { ChangeItem, ChangeRow } from '../store/store.ts';

const item = z.strictObject({
  tenant: z.string(),
  kind: z.string(),
  name: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  effect: z.enum(['narrows', 'widens', 'neutral']),
  differences: z.array(z.string()),
});
export const changeStatus = z.enum(['pending', 'applied', 'rejected', 'withdrawn', 'expired', 'superseded']);

export const changeSummary = z.strictObject({
  id: z.string(),
  status: changeStatus,
  digest: z.string().describe('SHA-256 of the difference, hex: only that is approved'),
  author: z.string().describe('`<issuer>#<subject>`, or `operator` at a start'),
  reason: z.string().nullable(),
  needs: z.enum(['admin', 'operator']).describe("Who approves it: another admin, or one named in the operator's document as well"),
  items: z.array(item),
  revision: z.int().describe('Of the configuration it was planned on'),
  created_at: z.int(),
  expires_at: z.int(),
  decided_at: z.int().nullable(),
  decided_by: z.string().nullable(),
  decision_reason: z.string().nullable(),
});
export type ChangeSummary = z.infer<typeof changeSummary>;

export const changeDetail = changeSummary.extend({
  stale: z.boolean().describe('The configuration has moved on since: approving plans it anew first, under a new digest'),
  approvers: z.array(z.string()).describe('Names of those who may approve it now'),
  texts: z
    .array(z.strictObject({ of: z.string(), lines: z.array(z.strictObject({ sign: z.enum([' ', '+', '-']), text: z.string() })) }))
    .describe('While it waits: the documents and policies as they would be, line by line, against those in force'),
  remedy: z.string().nullable().describe('What to do when nobody may'),
});
export type ChangeDetail = z.infer<typeof changeDetail>;

const seconds = (ms: number): number => Math.floor(ms / 1000);
export const itemView = ({ sha256: _, differences, ...one }: ChangeItem): z.infer<typeof item> => ({ ...one, differences: [...differences] });

export function summaryOf(row: ChangeRow, now: number): ChangeSummary {
  return {
    id: row.id,
    status: row.status === 'pending' && row.expiresAt <= now ? 'expired' : row.status,
    digest: row.digest,
    author: row.author,
    reason: row.reason,
    needs: row.needs,
    items: row.items.map(itemView),
    revision: row.revision,
    created_at: seconds(row.createdAt),
    expires_at: seconds(row.expiresAt),
    decided_at: row.decidedAt === null ? null : seconds(row.decidedAt),
    decided_by: row.decidedBy,
    decision_reason: row.decisionReason,
  };
}
