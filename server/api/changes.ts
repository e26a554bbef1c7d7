import { z } from 'zod';
import {
  approveChange,
  type ChangeRefusal,
  type ChangeRefusalCode,
  changeDetail,
  changeStatus,
  changeSummary,
  type DecisionAnswer,
  detailOf,
  listChanges,
  rejectChange,
  showChange,
} from '../changes/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';
import { withinReach } from './documents.ts';
import { type Asker, type Endpoint, endpoint, paged, paging } from './endpoint.ts';
import { notFound, type Problem, type ProblemStatus, problem } from './problem.ts';

const statusOf = {
  'change.not_found': 404,
  'change.not_pending': 409,
  'change.not_admin': 403,
  'change.own': 403,
  'change.not_operator': 403,
  'change.made_admin': 403,
  'change.recent': 403,
  'change.digest_mismatch': 409,
  'change.replanned': 409,
  'change.no_longer_holds': 422,
  'change.does_not_hold': 422,
  'change.nothing_left': 409,
  'change.reason_required': 422,
  'change.reason_too_long': 422,
  'change.too_many': 409,
  stale: 409,
} as const satisfies Readonly<Record<ChangeRefusalCode, ProblemStatus>>;

export const changeProblem = ({ code, message, remedy }: ChangeRefusal): Problem =>
  code === 'change.not_found' ? notFound() : problem(statusOf[code], code, message, remedy);

/** What waits because of a request, and who may approve it; null when it took effect at once. */
export const waitingChange = changeDetail.nullable().describe('Null when it took effect at once; else what waits for another admin');

export const waiting = (ports: Ports, snapshot: TenantSnapshot, change: ChangeRow | null) => (change ? detailOf(ports, snapshot, change) : null);

export const changeEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/changes',
    summary: 'Changes that wait for a second admin or, with `status`, those that have it',
    access: ['admin', 'auditor'],
    query: z.strictObject({ ...paging, status: changeStatus.optional() }),
    answer: paged(changeSummary),
    run: (ports, { person }, { query }) => listChanges(ports, person.tenant, { status: query.status ?? null, after: query.cursor ?? null, limit: query.limit }),
  }),
  endpoint({
    method: 'get',
    path: '/changes/{id}',
    summary: 'One change: the whole difference, its digest, and who may approve it',
    access: ['admin', 'auditor'],
    answer: changeDetail,
    run: async (ports, { snapshot }, { param }) => (await showChange(ports, snapshot, param('id'))) ?? notFound(),
  }),
  endpoint({
    method: 'post',
    path: '/changes/{id}/approve',
    summary: 'Put in force exactly the difference that `digest` names; as another admin than the one who asked. Sent again it changes nothing and answers 200',
    access: ['admin'],
    body: z.strictObject({
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .describe('`digest` of the change as you read it'),
      reason: z.string().max(1000).nullish(),
    }),
    answer: changeDetail,
    run: async (ports, asker, { param, body }) =>
      told(ports, asker, await approveChange(ports, asker.person, { change: param('id'), digest: body.digest, reason: body.reason ?? null })),
  }),
  endpoint({
    method: 'post',
    path: '/changes/{id}/reject',
    summary: 'Take a change back: withdrawn by who asked for it, rejected by any other admin. Sent again it changes nothing and answers 200',
    access: ['admin'],
    body: z.strictObject({ reason: z.string().max(1000).describe('3 to 500 characters') }),
    answer: changeDetail,
    run: async (ports, asker, { param, body }) => told(ports, asker, await rejectChange(ports, asker.person, { change: param('id'), reason: body.reason })),
  }),
];

async function told(ports: Ports, { snapshot }: Asker, answer: DecisionAnswer): Promise<z.infer<typeof changeDetail> | Problem> {
  if (answer.ok) return detailOf(ports, (await ports.tenants.current(snapshot.tenant)) ?? snapshot, answer.change);
  if (answer.code !== 'change.no_longer_holds') return changeProblem(answer);
  const problems = await withinReach(ports, snapshot.tenant, [], answer.problems);
  return problem(422, answer.code, answer.message, answer.remedy, { problems });
}
