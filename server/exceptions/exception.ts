import { z } from 'zod';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';

export const exceptionKinds = ['standing', 'remembered', 'widening', 'observed', 'bearer', 'delegation', 'break_glass'] as const;

/** Something a tenant lets pass that its rules would otherwise stop or ask about, with who answers for it and until when. */
export const exception = z.strictObject({
  kind: z
    .enum(exceptionKinds)
    .describe(
      [
        '`standing`: calls that need no answer of their own; `remembered`: the same within one session; `widening`: a change a second admin let through',
        '`observed`: a use case whose policy is recorded and not enforced; `bearer`: one whose tokens are good without a proof of a key, or a connection token; `break_glass`',
        '`delegation`: a place in a group of reviewers that is lent',
      ].join('; '),
    ),
  id: z.string().describe('Of the standing approval, change or break-glass; the name of the use case, the id of the connection token'),
  what: z.string(),
  owner: z.string().describe('Who answers for it: a name in the tenant document, or `<issuer>#<subject>`'),
  reason: z.string().nullable(),
  since: z.int().nullable().describe('Epoch seconds; null when it stands in a document'),
  ends: z.int().nullable().describe('Epoch seconds; null when nothing ends it but a change'),
  review_by: z.int().nullable().describe('Epoch seconds'),
  overdue: z.boolean().describe('Its review date has passed'),
});
export type Exception = z.infer<typeof exception>;

/** Times in epoch milliseconds, as the broker keeps them; what is overdue is told where all are put together. */
export interface Found extends Omit<Exception, 'since' | 'ends' | 'review_by' | 'overdue'> {
  readonly since: number | null;
  readonly ends: number | null;
  readonly reviewBy: number | null;
}

/** One part of Taskgate that grants exceptions, and how it names those in force at `now`. */
export type ExceptionSource = (ports: Pick<Ports, 'store' | 'keys' | 'clock'>, snapshot: TenantSnapshot, now: number) => Promise<readonly Found[]>;
