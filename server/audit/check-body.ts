import { z } from 'zod';
import { type RecordBody, recordTypes } from './record.ts';

/** Longest text a record keeps of one field: names and reasons fit, what someone floods it with is cut. */
const longest = 2000;

/** Text of outside origin may hold half a surrogate pair, which has no canonical form: it is replaced, never a reason to lose the record. */
const text = z.string().transform((value) => (value.length > longest ? `${value.slice(0, longest)}…` : value).toWellFormed());
const texts = z.array(text).max(1000).readonly();
const whole = z.int();

const fields = {
  type: z.enum(recordTypes),
  at: whole,
  tenant: text.optional(),
  session: text.optional(),
  agent: text.optional(),
  sponsor: text.optional(),
  actor: text.optional(),
  use_case: text.optional(),
  tool: text.optional(),
  tool_digest: text.optional(),
  decision_id: text.optional(),
  decision: z.enum(['allow', 'deny', 'require']).optional(),
  policies: texts.optional(),
  requirements: texts.optional(),
  revision: whole.optional(),
  code: text.optional(),
  detail: text.optional(),
  approval: text.optional(),
  proposal_sha256: text.optional(),
  vote: z.enum(['approve', 'deny']).optional(),
  reason: text.optional(),
  satisfied: z
    .array(z.strictObject({ literal: text, source: text, persons: texts }))
    .readonly()
    .optional(),
  dispatch: text.optional(),
  fence: whole.optional(),
  arguments_hmac: text.optional(),
  result_hmac: text.optional(),
  result_bytes: whole.optional(),
  label: z.strictObject({ sensitivity: text, categories: texts, integrity: text }).optional(),
  task_sha256: text.optional(),
  attested_by: text.optional(),
  parent: text.optional(),
  expires_at: whole.optional(),
  duration_ms: z.number().optional(),
  trace_id: text.optional(),
  door: text.optional(),
  founding: z.boolean().optional(),
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
    .readonly()
    .optional(),
} satisfies Record<keyof RecordBody, z.ZodType>;

const body = z.strictObject(fields);

/** The record as it may be kept: only fields of the allow-list. Throws on any other, because what is not listed may be a value or a secret. */
export function checkBody(record: RecordBody): RecordBody {
  const checked = body.safeParse(record);
  if (checked.success) return withoutAbsent(checked.data);
  // Paths only: a message of the check could quote the value that must not be kept.
  const where = checked.error.issues.map((issue) => (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.')));
  throw new Error(`not allowed in a record: ${where.join('; ').slice(0, 300)}`);
}

const withoutAbsent = (checked: z.infer<typeof body>): RecordBody =>
  Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined)) as unknown as RecordBody;
