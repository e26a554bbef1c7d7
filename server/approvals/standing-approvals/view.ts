import { z } from 'zod';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { StandingKind, StandingRow, StandingStatus } from '../../store/standing-approvals.ts';
import { type ApprovalRefusal, refuseApproval } from '../refusals.ts';
import { neededFor } from '../satisfied.ts';
import { openStanding, standingContent } from './content.ts';
import { seeStanding } from './see.ts';

const statuses = ['pending', 'active', 'denied', 'revoked', 'expired'] as const satisfies readonly StandingStatus[];
export const standingStatus = z.enum(statuses);
export const standingKind = z.enum(['standing', 'remembered']);

/** As it goes over the wire, times in epoch seconds. */
export const standingSummary = z.strictObject({
  id: z.string(),
  kind: standingKind.describe('`standing` for the sessions of a use case; `remembered` within one session'),
  status: standingStatus,
  digest: z.string().describe('SHA-256 of its canonical content, hex; a decision names it'),
  requirement: z.string(),
  needed: z.int(),
  tool: z.string(),
  use_case: z.string(),
  session: z.string().nullable(),
  author: z.string(),
  votes: z.array(z.strictObject({ person: z.string(), name: z.string(), decision: z.enum(['approve', 'deny']), reason: z.string().nullable(), at: z.int() })),
  created_at: z.int(),
  expires_at: z.int().describe('While it is pending, until when it can be given; then, when it ends'),
});
export type StandingSummary = z.infer<typeof standingSummary>;
export const standingDetail = standingSummary.extend({ content: standingContent.nullable().describe('Exactly what is given; null once it has ended') });
export type StandingDetail = z.infer<typeof standingDetail>;

const seconds = (ms: number): number => Math.floor(ms / 1000);

export function standingSummaryOf(row: StandingRow, at: number): StandingSummary {
  const open = row.status === 'pending' || row.status === 'active';
  return {
    ...{ id: row.id, kind: row.kind, status: open && row.expiresAt <= at ? 'expired' : row.status, digest: row.digest },
    ...{ requirement: row.requirement, needed: neededFor(row.requirement), tool: row.tool, use_case: row.useCase, session: row.session, author: row.author },
    votes: row.votes.map((vote) => ({ ...vote, at: seconds(vote.at) })),
    ...{ created_at: seconds(row.createdAt), expires_at: seconds(row.expiresAt) },
  };
}

/** For whoever has a role in the tenant: what gives more than one call is no secret of those who gave it. */
export async function showStanding(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>,
  person: Person,
  id: string,
): Promise<{ readonly ok: true; readonly standing: StandingDetail } | ApprovalRefusal> {
  const seen = await seeStanding(ports, person, id);
  if (!seen) return refuseApproval('standing.not_found');
  const { row, at } = seen;
  return { ok: true, standing: { ...standingSummaryOf(row, at), content: row.sealed.length === 0 ? null : openStanding(ports, row) } };
}

export async function listStanding(
  ports: Pick<Ports, 'store' | 'clock'>,
  tenant: string,
  filter: { status?: StandingStatus; kind?: StandingKind },
  page: { readonly after: string | null; readonly limit: number },
): Promise<{ items: StandingSummary[]; next: string | null }> {
  const rows = await ports.store.listStanding(tenant, filter, page);
  const last = rows.length < page.limit ? null : (rows.at(-1)?.id ?? null);
  return { items: rows.map((row) => standingSummaryOf(row, ports.clock())), next: last };
}
