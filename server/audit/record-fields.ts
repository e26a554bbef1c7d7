import { z } from 'zod';
import { type RecordBody, recordTypes } from './record.ts';
import { voteSignature } from './signed-vote.ts';

/** Longest text a record keeps of one field: names and reasons fit, what someone floods it with is cut. */
export const longestText = 2000;

/** Text of outside origin may hold half a surrogate pair, which has no canonical form: it is replaced, never a reason to lose the record. */
export const text = z.string().transform((value) => (value.length > longestText ? `${value.slice(0, longestText)}…` : value).toWellFormed());
export const mostTexts = 1000;
export const texts = z.array(text).max(mostTexts).readonly();
export const whole = z.int();
export const number = z.number();
export const label = z.strictObject({ sensitivity: text, categories: texts, integrity: text });
const head = z.strictObject({ index: whole, hash: text });

/** What each field of a record may hold. */
export const fields = {
  type: z.enum(recordTypes),
  at: whole,
  tenant: text,
  session: text,
  agent: text,
  sponsor: text,
  actor: text,
  use_case: text,
  tool: text,
  tool_digest: text,
  effect: z.enum(['read', 'write', 'destructive']),
  decision_id: text,
  decision: z.enum(['allow', 'deny', 'require']),
  policies: texts,
  requirements: texts,
  revision: whole,
  observed_until: text,
  would: z.strictObject({ decision: z.enum(['deny', 'require']), policies: texts, requirements: texts, reasons: texts }),
  code: text,
  count: whole,
  detail: text,
  approval: text,
  proposal_sha256: text,
  standing: texts,
  edited_from: text,
  vote: z.enum(['approve', 'deny']),
  reason: text,
  delegation: text,
  on_behalf_of: text,
  batch_sha256: text,
  same_reason: whole,
  to: texts,
  satisfied: z.array(z.strictObject({ literal: text, source: text, persons: texts })).readonly(),
  dispatch: text,
  rung: z.enum(['task', 'rounds', 'hold', 'handle']),
  fence: whole,
  arguments_hmac: text,
  result_hmac: text,
  result_bytes: whole,
  label,
  task_sha256: text,
  jkt: text,
  attested_by: text,
  parent: text,
  expires_at: whole,
  duration_ms: number,
  trace_id: text,
  door: text,
  break_glass: text,
  incident: text,
  tools: texts,
  notification: text,
  channel: text,
  founding: z.boolean(),
  personal: z.boolean(),
  passkey: z.strictObject({
    id: text,
    name: text.optional(),
    credential: text.optional(),
    public_key: text.optional(),
    algorithm: whole.optional(),
    rp_id: text.optional(),
  }),
  person: text,
  effective_at: whole,
  signature: voteSignature,
  change: text,
  change_sha256: text,
  author: text,
  epoch: whole,
  backup_sha256: text,
  found_head: head,
  anchored_head: head,
  changes: z
    .array(
      z.strictObject({
        change: z.enum(['added', 'changed', 'removed']),
        kind: text,
        name: text,
        effect: z.enum(['narrows', 'widens', 'neutral']),
        sha256: text,
      }),
    )
    .readonly(),
} satisfies Record<keyof RecordBody, z.ZodType>;
