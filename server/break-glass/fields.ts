import { z } from 'zod';
import { tenThousandths } from '../../tools/index.ts';
import { longestLifetimeMs, mostCalls, mostTools } from './limits.ts';

/** What people give, the same at every door. */
export const breakGlassFields = {
  session: z.string().min(1).max(200),
  tools: z.array(z.string().min(1).max(64)).min(1).max(mostTools),
  incident: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{1,63}$/, 'the number of an incident or ticket, such as INC-4711'),
  /** Why it cannot wait, or what a review found. */
  sentence: z.string().trim().min(10).max(500),
  seconds: z
    .int()
    .min(60)
    .max(longestLifetimeMs / 1000),
  calls: z.int().min(1).max(mostCalls),
  amount: z
    .number()
    .min(0)
    .refine((value) => value === 0 || tenThousandths(value) !== null, 'at most four decimals'),
  /** Why it ends. */
  reason: z.string().trim().min(3).max(500),
} as const;
