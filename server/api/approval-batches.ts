import { z } from 'zod';
import { approvalBatch, assertion, batchAnswer, decideBatch, listBatches, mostInBatch } from '../approvals/index.ts';
import { type Endpoint, endpoint, whole } from './endpoint.ts';
import { problem } from './problem.ts';

const vote = z.strictObject({
  approval: z.string().max(200),
  decision: z.enum(['approve', 'deny']),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('`digest` of this very approval'),
  requirement: z.string().max(100).optional(),
  on_behalf_of: z.string().max(64).optional().describe('Name of whoever lent you the place to vote in'),
  reason: z.string().max(1000).nullish(),
  assertion: assertion.optional().describe('What your passkey signed for a challenge of this very vote'),
});

export const approvalBatchEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/approval-batches',
    summary: 'Calls alike among what waits for your decision, to be looked at together',
    access: 'anyone',
    answer: whole(approvalBatch),
    run: async (ports, { person }) => ({ items: await listBatches(ports, person), next: null }),
  }),
  endpoint({
    method: 'post',
    path: '/approval-batches',
    summary: 'Several votes at once, each about the one proposal its digest names; what is approved has to be alike. Each is counted or refused by itself',
    access: 'anyone',
    body: z.strictObject({ votes: z.array(vote).min(1).max(mostInBatch) }),
    answer: batchAnswer,
    async run(ports, { person }, { body }) {
      const votes = body.votes.map(({ on_behalf_of, reason, ...one }) => ({ ...one, reason: reason ?? null, behalf: on_behalf_of }));
      const answer = await decideBatch(ports, person, votes);
      return answer ?? problem(422, 'batch.mixed', 'These calls are not alike, or one is named twice, so nothing was decided.', 'Decide them one by one.');
    },
  }),
];
