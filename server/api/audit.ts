import { z } from 'zod';
import { recordsOf, verifyChain } from '../audit/index.ts';
import { type Endpoint, endpoint } from './endpoint.ts';

const record = z.strictObject({
  tenant: z.string(),
  index: z.int(),
  prev: z.string(),
  hash: z.string(),
  body: z.looseObject({ type: z.string(), at: z.int() }).describe('The record as chained; its times in epoch milliseconds'),
});

export const auditEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/audit/records',
    summary: "The tenant's records in order, as they are chained; `next` is the index to go on from",
    access: ['auditor', 'admin'],
    query: z.strictObject({
      from: z.coerce.number().pipe(z.int().min(0)).default(0),
      limit: z.coerce.number().pipe(z.int().min(1).max(1000)).default(100),
    }),
    answer: z.strictObject({ items: z.array(record), next: z.int().nullable().describe('Null when these were the last') }),
    async run(ports, { person }, { query }) {
      const records = await ports.store.readRecords(person.tenant, query.from, query.limit);
      const items = records.map(({ index, prev, hash, body }) => ({ tenant: person.tenant, index, prev, hash, body: { ...body } }));
      return { items, next: records.length === query.limit ? query.from + records.length : null };
    },
  }),
  endpoint({
    method: 'get',
    path: '/audit/verify',
    summary: "Walk the tenant's chain from its first record; whether its end was cut off shows only against a checkpoint held elsewhere",
    access: ['auditor', 'admin'],
    answer: z.discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true), count: z.int(), signatures: z.int().describe('Votes whose signature by a passkey holds'), head: z.string() }),
      z.strictObject({ ok: z.literal(false), index: z.int(), why: z.string() }),
    ]),
    run: (ports, { person }) => verifyChain(recordsOf(ports.store, person.tenant)),
  }),
];
