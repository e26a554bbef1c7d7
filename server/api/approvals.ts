import { z } from 'zod';
import {
  approvalDetail,
  approvalStatus,
  approvalSummary,
  assertion,
  challengeVote,
  decideApproval,
  listApprovals,
  revokeApproval,
  showApproval,
  voteChallenge,
} from '../approvals/index.ts';
import { editApproval } from '../call/index.ts';
import { problemOf } from './approval-problem.ts';
import { type Endpoint, endpoint, paged, paging } from './endpoint.ts';

const vote = {
  decision: z.enum(['approve', 'deny']),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('`digest` of the approval as you read it'),
  requirement: z.string().max(100).optional().describe('Which requirement the vote is for; the first that still lacks one of yours when left out'),
  on_behalf_of: z.string().max(64).optional().describe('Name of whoever lent you the place to vote in; your own when left out, if you have one'),
};
const decision = z.strictObject({
  ...vote,
  reason: z.string().max(1000).nullish().describe('3 to 500 characters when denying, which the agent reads, and when approving a destructive tool'),
  assertion: assertion.optional().describe('What your passkey signed for a challenge of this vote, as `PublicKeyCredential.toJSON()` gives it'),
});

const edit = z.strictObject({
  digest: decision.shape.digest,
  arguments: z
    .record(z.string(), z.unknown())
    .describe('All arguments of the call, of which some take away: a lower amount, fewer targets in a list, a shorter text; nothing else may differ'),
  reason: z.string().max(1000).describe('3 to 500 characters; for the record'),
});

export const approvalEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/approvals',
    summary: 'Approvals that wait for your decision or, with `status`, those you may read that have it',
    access: 'anyone',
    query: z.strictObject({ ...paging, status: approvalStatus.optional() }),
    answer: paged(approvalSummary),
    run: (ports, { person }, { query }) => listApprovals(ports, person, { status: query.status ?? null, after: query.cursor ?? null, limit: query.limit }),
  }),
  endpoint({
    method: 'get',
    path: '/approvals/{id}',
    summary: 'One approval with the whole proposal: what is decided and what will run',
    access: 'anyone',
    answer: approvalDetail,
    async run(ports, { person }, { param }) {
      const answer = await showApproval(ports, person, param('id'));
      return answer.ok ? answer.approval : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/approvals/{id}/challenge',
    summary: 'What your passkey has to sign for exactly this vote; good once, for five minutes',
    access: 'anyone',
    body: z.strictObject(vote),
    answer: voteChallenge,
    async run(ports, { person }, { param, body }) {
      const { on_behalf_of: behalf, ...asked } = body;
      const answer = await challengeVote(ports, person, { ...asked, behalf, approval: param('id') });
      return answer.ok ? answer.challenge : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/approvals/{id}/decisions',
    summary: 'Approve or deny exactly the proposal that `digest` names; the same decision sent again changes nothing and answers 200',
    access: 'anyone',
    body: decision,
    answer: approvalSummary,
    async run(ports, { person }, { param, body }) {
      const { on_behalf_of: behalf, ...asked } = body;
      const answer = await decideApproval(ports, person, { ...asked, behalf, approval: param('id'), reason: body.reason ?? null });
      return answer.ok ? answer.approval : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/approvals/{id}/edits',
    summary: 'Narrow what waits: a new proposal with a digest of its own takes its place, and everybody votes anew on that',
    access: 'anyone',
    status: 201,
    body: edit,
    answer: approvalSummary,
    async run(ports, { person }, { param, body }) {
      const answer = await editApproval(ports, person, { ...body, approval: param('id') });
      return answer.ok ? answer.approval : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/approvals/{id}/revoke',
    summary: 'Take an approval back before its call runs; sent again it changes nothing and answers 200',
    access: 'anyone',
    body: z.strictObject({ reason: z.string().max(1000).nullish() }),
    answer: approvalSummary,
    async run(ports, { person }, { param, body }) {
      const answer = await revokeApproval(ports, person, { approval: param('id'), reason: body.reason ?? null });
      return answer.ok ? answer.approval : problemOf(answer);
    },
  }),
];
