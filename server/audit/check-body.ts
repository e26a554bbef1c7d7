import { z } from 'zod';
import { type RecordBody, recordTypes } from './record.ts';
import { voteSignature } from './signed-vote.ts';

/** Longest text a record keeps of one field: names and reasons fit, what someone floods it with is cut. */
const longest = 2000;

/** Text of outside origin may hold half a surrogate pair, which has no canonical form: it is replaced, never a reason to lose the record. */
const text = z.string().transform((value) => (value.length > longest ? `${value.slice(0, longest)}…` : value).toWellFormed());
const texts = z.array(text).max(1000).readonly();
const whole = z.int();
const head = z.strictObject({ index: whole, hash: text });

const fields = {
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
  label: z.strictObject({ sensitivity: text, categories: texts, integrity: text }),
  task_sha256: text,
  jkt: text,
  attested_by: text,
  parent: text,
  expires_at: whole,
  duration_ms: z.number(),
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

const required = ['type', 'at'] as const;

/** The record as it may be kept: only fields of the allow-list. Throws on any other, because what is not listed may be a value or a secret. */
export function checkBody(record: RecordBody): RecordBody {
  const kept: Record<string, unknown> = {};
  // Paths only: a message of the check could quote the value that must not be kept.
  const wrong: string[] = required.filter((name) => record[name] === undefined);
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue;
    if (passesAsItIs(name, value)) {
      kept[name] = value;
      continue;
    }
    const checked = Object.hasOwn(fields, name) ? fields[name as keyof RecordBody].safeParse(value) : null;
    if (checked?.success) kept[name] = checked.data;
    else wrong.push(...(checked ? checked.error.issues.map((issue) => placeOf(name, issue)) : [name]));
  }
  if (wrong.length > 0) throw new Error(`not allowed in a record: ${wrong.join('; ').slice(0, 300)}`);
  return kept as unknown as RecordBody;
}

/** What most fields are, told without the check, which would let the same value through unchanged. */
function passesAsItIs(name: string, value: unknown): boolean {
  if (!Object.hasOwn(fields, name)) return false;
  const check: z.ZodType = fields[name as keyof RecordBody];
  if (check === text) return typeof value === 'string' && value.length <= longest && value.isWellFormed();
  return check === whole && Number.isSafeInteger(value);
}

const placeOf = (name: string, issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : [name, ...issue.path].join('.');
