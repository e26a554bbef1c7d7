import { z } from 'zod';
import { apiVersion, slug } from '../../tools/index.ts';
import { eventKinds } from '../notifications/event.ts';

const address = z.email().max(254);
const server = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:[0-9]{1,5}$/, '<host>:<port>');

/** Where people of a tenant are told that something waits for them or happened: a message with a link, never a way to decide. */
export const channelDocument = z.strictObject({
  apiVersion,
  kind: z.literal('Channel'),
  tenant: slug,
  name: slug,
  transport: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('webhook'),
      url: z
        .url({ protocol: /^https?$/ })
        .max(2048)
        .describe('Receives signed Standard Webhooks'),
    }),
    z.strictObject({ type: z.literal('slack') }).describe('Its incoming webhook is the value of the credential'),
    z.strictObject({
      type: z.literal('email'),
      server: server.describe('Of outgoing mail, `host:port`'),
      security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
      user: z.string().min(1).max(254).optional().describe('Logs in with the credential as password'),
      from: address,
      to: z.array(address).min(1).max(20),
    }),
  ]),
  credential: slug.optional().describe('Signing secret, incoming webhook or password; set by `taskgate credential set`'),
  groups: z
    .array(slug)
    .min(1)
    .max(20)
    .optional()
    .describe('Of what is asked of groups, only what is asked of one of these is told here; everything when left out'),
  events: z
    .array(z.enum(eventKinds))
    .default([...eventKinds])
    .describe('What is told here; break-glass always is'),
});
export type ChannelDocument = z.infer<typeof channelDocument>;
