import { z } from 'zod';
import { delegationRequest, delegationSummary, delegationSummaryOf, endDelegation, giveDelegation, listDelegations } from '../approvals/index.ts';
import { problemOf } from './approval-problem.ts';
import { type Endpoint, endpoint, paged, paging } from './endpoint.ts';

export const delegationEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/delegations',
    summary: 'Places that you lent or that were lent to you; all of the tenant for admins and auditors',
    access: 'named',
    query: z.strictObject(paging),
    answer: paged(delegationSummary),
    run: (ports, { person }, { query }) => listDelegations(ports, person, { after: query.cursor ?? null, limit: query.limit }),
  }),
  endpoint({
    method: 'post',
    path: '/delegations',
    summary: 'Lend your place in a group to another reviewer for a while; the vote in it is theirs, and nobody’s beside it',
    access: 'named',
    status: 201,
    body: delegationRequest,
    answer: delegationSummary,
    async run(ports, { person }, { body }) {
      const answer = await giveDelegation(ports, person, body);
      return answer.ok ? delegationSummaryOf(answer.delegation, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/delegations/{id}/end',
    summary: 'Take a place back, hand one back, or end it as an admin; at once. What was voted stands',
    access: 'named',
    body: z.strictObject({}),
    answer: delegationSummary,
    async run(ports, { person }, { param }) {
      const answer = await endDelegation(ports, person, param('id'));
      return answer.ok ? delegationSummaryOf(answer.delegation, ports.clock()) : problemOf(answer);
    },
  }),
];
