import { z } from 'zod';
import {
  decideStanding,
  listStanding,
  proposeStanding,
  rememberAnswer,
  revokeStanding,
  showStanding,
  standingDetail,
  standingKind,
  standingProposal,
  standingStatus,
  standingSummary,
  standingSummaryOf,
} from '../approvals/index.ts';
import { problemOf } from './approval-problem.ts';
import { type Endpoint, endpoint, paged, paging } from './endpoint.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const roles = ['reviewer', 'admin', 'auditor'] as const;

export const standingEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/standing-approvals',
    summary: 'Standing approvals, and answers remembered within sessions',
    access: roles,
    query: z.strictObject({ ...paging, status: standingStatus.optional(), kind: standingKind.optional() }),
    answer: paged(standingSummary),
    run: (ports, { person }, { query }) => {
      const filter = { ...(query.status ? { status: query.status } : {}), ...(query.kind ? { kind: query.kind } : {}) };
      return listStanding(ports, person.tenant, filter, { after: query.cursor ?? null, limit: query.limit });
    },
  }),
  endpoint({
    method: 'post',
    path: '/standing-approvals',
    summary: 'Propose one: it covers nothing until the very group and number it stands for have given it',
    access: roles,
    status: 201,
    body: standingProposal,
    answer: standingSummary,
    async run(ports, { person }, { body }) {
      const answer = await proposeStanding(ports, person, body);
      return answer.ok ? standingSummaryOf(answer.standing, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'get',
    path: '/standing-approvals/{id}',
    summary: 'One, with exactly what is given',
    access: roles,
    answer: standingDetail,
    async run(ports, { person }, { param }) {
      const answer = await showStanding(ports, person, param('id'));
      return answer.ok ? answer.standing : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/standing-approvals/{id}/decisions',
    summary: 'Give or refuse exactly the content that `digest` names; not for whoever proposed it',
    access: roles,
    body: z.strictObject({ decision: z.enum(['approve', 'deny']), digest, reason: z.string().max(1000).describe('3 to 500 characters') }),
    answer: standingSummary,
    async run(ports, { person }, { param, body }) {
      const answer = await decideStanding(ports, person, { ...body, standing: param('id') });
      return answer.ok ? standingSummaryOf(answer.standing, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/standing-approvals/{id}/revoke',
    summary: 'End it at once; for a reviewer of its group or an admin',
    access: roles,
    body: z.strictObject({ reason: z.string().max(1000).nullish() }),
    answer: standingSummary,
    async run(ports, { person }, { param, body }) {
      const answer = await revokeStanding(ports, person, { standing: param('id'), reason: body.reason ?? null });
      return answer.ok ? standingSummaryOf(answer.standing, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/approvals/{id}/remember',
    summary: 'Remember your answer within its session: for exactly these arguments, or within constraints you choose; needs as many people as the requirement',
    access: roles,
    status: 201,
    body: z.strictObject({
      digest,
      arguments: z
        .record(z.string(), z.record(z.string(), z.unknown()))
        .optional()
        .describe('Constraints by argument, in the language of grants; exactly as it was when left out'),
      max_calls: z.int().positive().max(1000).optional(),
    }),
    answer: standingSummary,
    async run(ports, { person }, { param, body }) {
      const request = { approval: param('id'), digest: body.digest, arguments: body.arguments ?? null, maxCalls: body.max_calls ?? null };
      const answer = await rememberAnswer(ports, person, request);
      return answer.ok ? standingSummaryOf(answer.standing, ports.clock()) : problemOf(answer);
    },
  }),
];
