import { z } from 'zod';
import { eventTypes } from '../notifications/index.ts';
import type { Delivery } from '../store/index.ts';
import { type Endpoint, endpoint, paged, paging, seconds } from './endpoint.ts';
import { notFound } from './problem.ts';

const status = z.enum(['pending', 'delivered', 'given_up']);

const delivery = z.strictObject({
  id: z.string().describe('Stable: what receivers know a message by, on every try'),
  channel: z.string(),
  type: z.enum(eventTypes),
  status,
  attempts: z.int(),
  at: z.int().describe('When it happened'),
  next_try_at: z.int().nullable(),
  settled_at: z.int().nullable(),
  error: z.string().nullable().describe('Why the last try failed'),
  about: z.string().nullable().describe('The approval, change, session or break-glass it is about'),
});

const view = ({ notification, facts, ...one }: Delivery): z.infer<typeof delivery> => ({
  id: notification,
  channel: one.channel,
  type: one.type,
  status: one.status,
  attempts: one.attempts,
  at: seconds(one.at),
  next_try_at: one.status === 'pending' ? seconds(one.nextAt) : null,
  settled_at: one.settledAt === null ? null : seconds(one.settledAt),
  error: one.error,
  about: facts.break_glass ?? facts.approval ?? facts.change ?? facts.session ?? null,
});

const placeOf = ({ at, notification, channel }: Delivery): string => `${at}/${notification}/${channel}`;

export const notificationEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/notifications',
    summary: 'Messages to the channels of the tenant, youngest first: which arrived, which are tried again, which were given up',
    access: ['admin', 'auditor'],
    query: z.strictObject({ ...paging, status: status.optional(), channel: z.string().max(64).optional() }),
    answer: paged(delivery),
    async run(ports, { person }, { query }) {
      const filter = { ...(query.status ? { status: query.status } : {}), ...(query.channel ? { channel: query.channel } : {}) };
      const found = await ports.store.listDeliveries(person.tenant, filter, { after: query.cursor ?? null, limit: query.limit + 1 });
      const items = found.slice(0, query.limit);
      const last = items.at(-1);
      return { items: items.map(view), next: found.length > items.length && last ? placeOf(last) : null };
    },
  }),
  endpoint({
    method: 'post',
    path: '/channels/{name}/test',
    summary: 'Send a test message to a channel, by the way every message goes; its fate stands in the list',
    access: ['admin'],
    answer: z.strictObject({ channel: z.string(), at: z.int() }),
    status: 201,
    async run(ports, { person, snapshot }, { param }) {
      const channel = param('name');
      if (!snapshot.channels.has(channel)) return notFound();
      const at = ports.clock();
      await ports.store.notify(person.tenant, { type: 'channel.test', at, about: ports.newId('tst'), facts: {}, channel });
      return { channel, at: seconds(at) };
    },
  }),
];
