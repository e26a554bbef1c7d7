import { z } from 'zod';
import type { PasskeyRow } from '../../store/store.ts';

/** Shown to the admin who vouches for it: nothing in it hides or turns text round. */
export const passkeyName = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{M}\p{N} .,'’()_-]{1,60}$/u, 'letters, digits, spaces and plain punctuation, at most 60');

export const passkeyView = z.strictObject({
  id: z.string(),
  person: z.string().describe('`<issuer>#<subject>`'),
  name: z.string().describe('What its owner calls it'),
  status: z.enum(['waits_for_admin', 'waits', 'in_effect', 'removed']).describe('`waits`: confirmed, and in effect from `effective_at` on'),
  enrolled_at: z.int(),
  confirmed_by: z.string().nullable(),
  effective_at: z.int().nullable(),
  removed_at: z.int().nullable(),
});
export type PasskeyView = z.infer<typeof passkeyView>;

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));

export function viewPasskey(row: PasskeyRow, now: number): PasskeyView {
  return {
    id: row.id,
    person: row.person,
    name: row.name,
    status: row.removedAt !== null ? 'removed' : row.effectiveAt === null ? 'waits_for_admin' : row.effectiveAt > now ? 'waits' : 'in_effect',
    enrolled_at: Math.floor(row.enrolledAt / 1000),
    confirmed_by: row.confirmedBy,
    effective_at: seconds(row.effectiveAt),
    removed_at: seconds(row.removedAt),
  };
}
