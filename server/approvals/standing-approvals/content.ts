import { z } from 'zod';
import { integrities, sensitivities } from '../../../policies/index.ts';
import { canonicalForm, sha256Hex } from '../../../tools/index.ts';
import { seal, unseal } from '../../credentials/index.ts';
import type { Ports } from '../../ports.ts';
import type { StandingRow } from '../../store/standing-approvals.ts';

export const maxLabel = z.strictObject({ sensitivity: z.enum(sensitivities), categories: z.array(z.string()), integrity: z.enum(integrities) });
const cap = z.int().positive().nullable();
const total = z.number().positive().nullable();

/** Exactly what was agreed to; its canonical form (RFC 8785) is sealed, and its SHA-256 is what those who give it name. */
export const standingContent = z.strictObject({
  tenant: z.string(),
  /** Null for a remembered answer, so that two people who say the same say it together. */
  id: z.string().nullable(),
  kind: z.enum(['standing', 'remembered']),
  requirement: z.string(),
  tool: z.string(),
  tool_digest: z.string(),
  use_case: z.string(),
  session: z.string().nullable(),
  agent: z.string().nullable(),
  /** By argument, in the language of grants; an argument that is not named here is not covered. */
  arguments: z.record(z.string(), z.record(z.string(), z.unknown())),
  max_calls: cap,
  max_amount: total,
  per_day: z.strictObject({ calls: cap, amount: total }),
  /** Highest labels of what the session has read. */
  max_label: maxLabel,
  reason: z.string().nullable(),
  author: z.string().nullable(),
  review_by: z.string().nullable(),
  /** Epoch milliseconds. */
  ends_at: z.int(),
});
export type StandingContent = z.infer<typeof standingContent>;

const context = (tenant: string, digest: string): string => `standing/${tenant}/${digest}`;

export function sealStanding(ports: Pick<Ports, 'keys'>, made: StandingContent): { digest: string; sealed: Uint8Array } {
  const canonical = canonicalForm(made);
  const digest = sha256Hex(canonical);
  return { digest, sealed: seal(ports.keys.escrow, canonical, context(made.tenant, digest)) };
}

/** Throws when the stored bytes are not what the digest names, or were wiped at its end. */
export function openStanding(ports: Pick<Ports, 'keys' | 'clock'>, row: Pick<StandingRow, 'tenant' | 'digest' | 'sealed'>): StandingContent {
  const canonical = unseal(ports.keys.escrow, row.sealed, context(row.tenant, row.digest), ports.clock()).toString('utf8');
  if (sha256Hex(canonical) !== row.digest) throw new Error('the stored standing approval does not match its digest');
  return standingContent.parse(JSON.parse(canonical));
}
