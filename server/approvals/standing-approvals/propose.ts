import { z } from 'zod';
import { parseRequirement } from '../../../policies/index.ts';
import { slug, tenThousandths } from '../../../tools/index.ts';
import { endOfDay } from '../../documents/durations.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { StandingRow } from '../../store/standing-approvals.ts';
import { type ApprovalRefusal, refuseApproval } from '../refusals.ts';
import { standingOf } from '../standing.ts';
import { whyUnconstrained } from './constraints.ts';
import { maxLabel, type StandingContent, sealStanding } from './content.ts';
import { inGroup } from './see.ts';

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a date, YYYY-MM-DD; it ends at the end of that day, UTC');
const amount = z.number().positive();

export const standingProposal = z.strictObject({
  requirement: z.string().max(100).describe('What it stands for, as in policy, such as `approval:finance:2`; as many people of that group must give it'),
  tool: z.string().max(128).describe('One brokered tool, as it is defined now'),
  use_case: slug.describe('Only for its sessions'),
  agent: slug.optional().describe('Only for this agent; every agent of the use case when left out'),
  arguments: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .describe('Constraints by argument, in the language of grants; a call with an argument that is not named here is not covered'),
  max_calls: z.int().positive().max(100_000),
  max_amount: amount.optional().describe('Sum of the amounts it may move; owed when the tool has an amount'),
  per_day: z.strictObject({ calls: z.int().positive().optional(), amount: amount.optional() }).default({}).describe('The UTC day'),
  max_label: maxLabel
    .default({ sensitivity: 'internal', categories: [], integrity: 'tenant' })
    .describe('Highest labels of what a session may have read; `integrity` is the least it may have'),
  ends: day.describe('Its last day, at most 90 days ahead'),
  review_by: day.optional().describe('Its last day when left out'),
  reason: z.string().trim().min(3).max(500),
});
export type StandingProposal = z.infer<typeof standingProposal>;

const dayMs = 86_400_000;
const longestMs = 90 * dayMs;
/** How long it can be voted on. */
const votableMs = dayMs;

export type StandingGiven = { readonly ok: true; readonly standing: StandingRow } | ApprovalRefusal;

/** Proposed by a reviewer of its group or an admin; it covers nothing until others of the group have given it. */
export async function proposeStanding(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys' | 'newId'>,
  person: Person,
  asked: StandingProposal,
): Promise<StandingGiven> {
  const snapshot = await ports.tenants.current(person.tenant);
  if (!snapshot) return refuseApproval('standing.not_found');
  const standing = standingOf(snapshot, person);
  if (!standing.roles.has('admin') && !inGroup(standing, asked.requirement)) {
    return refuseApproval(standing.roles.has('reviewer') ? 'approval.not_in_group' : 'approval.not_reviewer');
  }
  const at = ports.clock();
  const why = whyNot(snapshot, asked, at);
  if (why !== null) return refuseApproval('standing.invalid', `${why}.`);
  const tool = snapshot.tools.get(asked.tool);
  if (!tool) return refuseApproval('standing.not_found');

  const id = ports.newId('sta');
  const { requirement, use_case, agent = null, max_calls, max_amount = null, per_day, max_label, reason } = asked;
  const content: StandingContent = {
    ...{ tenant: person.tenant, id, kind: 'standing', requirement, tool: tool.name, tool_digest: tool.digest, use_case, session: null, agent },
    ...{ arguments: asked.arguments, max_calls, max_amount, per_day: { calls: per_day.calls ?? null, amount: per_day.amount ?? null }, max_label },
    ...{ reason, author: person.id, review_by: asked.review_by ?? asked.ends, ends_at: endOfDay(asked.ends) },
  };
  const { digest, sealed } = sealStanding(ports, content);
  const answer = await ports.store.proposeStanding(
    {
      ...{ id, tenant: person.tenant, kind: 'standing', requirement, tool: tool.name, useCase: use_case, session: null, digest, sealed, author: person.id },
      ...{ createdAt: at, expiresAt: Math.min(at + votableMs, content.ends_at), endsAt: content.ends_at },
    },
    snapshot.revision,
    null,
  );
  if (answer.done) return { ok: true, standing: answer.standing };
  return refuseApproval(answer.why === 'too_many' ? 'standing.too_many' : 'stale');
}

function whyNot(snapshot: TenantSnapshot, asked: StandingProposal, at: number): string | null {
  const requirement = parseRequirement(asked.requirement);
  if (requirement?.kind !== 'approval') return 'it can stand for `approval:<group>[:n]` and for nothing else';
  if (requirement.passkey) return 'a passkey signs one call, so it cannot stand for others';
  const tool = snapshot.tools.get(asked.tool);
  const useCase = snapshot.useCases.get(asked.use_case);
  if (!useCase) return 'there is no such use case';
  if (!tool || !useCase.grants.some((grant) => grant.tool === tool.name && grant.digest === tool.digest)) return 'the use case does not grant that tool';
  if (asked.agent !== undefined && snapshot.agents.get(asked.agent)?.workflow !== useCase.document.workflow) return 'no such agent may run the use case';
  const properties = Object.keys((tool.inputSchema['properties'] as object | undefined) ?? {});
  const loose = whyUnconstrained(asked.arguments, properties, Object.keys(useCase.document.inputs));
  if (loose !== null) return loose;
  const unnamed = Object.keys(tool.manifest.targets).find((target) => properties.includes(target) && !Object.hasOwn(asked.arguments, target));
  if (unnamed !== undefined) return `${unnamed} decides on whom or what it lands and is not constrained`;
  const sums = [asked.max_amount, asked.per_day.amount].filter((one) => one !== undefined);
  if (sums.some((one) => tenThousandths(one) === null)) return 'an amount has at most four decimals';
  const moves = Object.values(tool.manifest.targets).includes('amount');
  if (moves && asked.max_amount === undefined) return 'the tool moves amounts, so `max_amount` must say how much in total';
  if (!moves && sums.length > 0) return 'the tool moves no amount';
  const ends = endOfDay(asked.ends);
  if (Number.isNaN(ends) || ends <= at || ends > at + longestMs) return '`ends` is not a day within the next 90';
  return asked.review_by !== undefined && !(endOfDay(asked.review_by) <= ends) ? '`review_by` is after `ends`' : null;
}
