import { z } from 'zod';
import { autonomyOf } from '../audit/index.ts';
import { exception, listExceptions } from '../exceptions/index.ts';
import { type Endpoint, endpoint, whole } from './endpoint.ts';

const count = z.int().min(0);
const autonomy = z.strictObject({
  effects: z
    .strictObject({ alone: count, standing: count, remembered: count, votes: count, break_glass: count })
    .describe('Calls that changed something, by what let them run: nobody was asked, what had been given before, people for exactly this call, an emergency'),
  autonomy: z.number().nullable().describe('Effects that ran without a human deciding about exactly them, of all effects; null when there were none'),
  tasks: count,
  approvals: count,
  approvals_per_task: z.number().nullable(),
});
const dayMs = 86_400_000;

export const exceptionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/exceptions',
    summary: 'Everything in force that lets pass what rules would stop or ask about, with owner, reason, end and review date',
    access: ['reviewer', 'admin', 'auditor'],
    answer: whole(exception),
    run: async (ports, { snapshot }) => ({ items: await listExceptions(ports, snapshot), next: null }),
  }),
  endpoint({
    method: 'get',
    path: '/measures/autonomy',
    summary: 'How often people were asked, read from the record: effects that ran without a human of all effects, and approvals a task',
    access: ['reviewer', 'admin', 'auditor'],
    query: z.strictObject({ days: z.coerce.number().pipe(z.int().min(1).max(366)).default(30) }),
    answer: autonomy,
    run: (ports, { snapshot }, { query }) => autonomyOf(ports.store, snapshot, ports.clock() - query.days * dayMs),
  }),
];
