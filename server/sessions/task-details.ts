import { z } from 'zod';
import { slug } from '../../tools/index.ts';

/** `authorization_details` of type `taskgate-task` (RFC 9396): a request, never the grant. Times in whole seconds. */

const type = z.literal('taskgate-task');
export const longestObjective = 2_000;
const monthSeconds = 2_678_400;

export const taskAsked = z.strictObject({
  type,
  use_case: slug,
  objective: z.string().trim().min(1).max(longestObjective).optional(),
  inputs: z.record(z.string().max(64), z.unknown()).default({}),
  tools: z.array(z.string().min(1).max(64)).min(1).max(200).optional(),
  lifetime: z.int().positive().max(monthSeconds).optional(),
  parent: z.string().max(128).optional(),
});
export type TaskAsked = z.infer<typeof taskAsked>;

export const renewalAsked = z.strictObject({ type, session_id: z.string().max(128) });
export type RenewalAsked = z.infer<typeof renewalAsked>;

/** Exactly one entry: one token is one session. */
export const authorizationDetails = z.tuple([z.union([taskAsked, renewalAsked])]);
