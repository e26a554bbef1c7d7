import { z } from 'zod';
import { fields, moment, paint, plain } from './print.ts';

/** An approval as `/v1` answers it, and in words. */

export const summary = z.looseObject({
  id: z.string(),
  status: z.string(),
  digest: z.string(),
  agent: z.string(),
  tool: z.string(),
  requirements: z.array(z.looseObject({ requirement: z.string(), needed: z.int(), given: z.int(), waits_behind: z.array(z.string()).default([]) })),
  edited_from: z.string().nullish(),
  superseded_by: z.string().nullish(),
  rung: z.string().nullish(),
  created_at: z.int(),
  expires_at: z.int(),
});
export type Summary = z.infer<typeof summary>;

const proposal = z.looseObject({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  agent: z.string(),
  owner: z.string(),
  sponsor: z.string(),
  use_case: z.string(),
  purpose: z.string(),
  objective: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  attested_by: z.string(),
  effect: z.string(),
  reaches: z.string(),
  says: z.string().nullable(),
  edited: z.looseObject({ by: z.string(), asked: z.record(z.string(), z.unknown()) }).optional(),
  label: z.looseObject({ sensitivity: z.string(), categories: z.array(z.string()), integrity: z.string() }),
  policies: z.array(z.looseObject({ id: z.string(), reason: z.string().nullable() })),
});
export const detail = summary.extend({ proposal: proposal.nullable() });
export type Detail = z.infer<typeof detail>;

export const progress = (one: Summary): string => one.requirements.map((asked) => `${asked.given}/${asked.needed}`).join(' ');

export function describe(shown: Detail): string {
  const { proposal: asked } = shown;
  const head = fields([
    ['approval', shown.id],
    ['status', `${shown.status}, ${progress(shown)} given, until ${moment(shown.expires_at)}`],
    ['needs', shown.requirements.map(needs).join(', ')],
    ['replaced by', shown.superseded_by ?? null],
    ['waited by', shown.rung ?? null],
    ['digest', shown.digest],
  ]);
  if (asked === null) return `${head}\nIts content was forgotten at its expiry.`;
  const { edited } = asked;
  const before = (name: string, value: unknown): string => {
    const was = edited?.asked[name];
    return edited === undefined || JSON.stringify(was) === JSON.stringify(value) ? '' : ` (the agent asked for ${JSON.stringify(was)})`;
  };
  const entries = Object.entries(asked.arguments).map(([name, value]) => {
    const changed = before(name, value);
    return [`  ${name}`, changed === '' ? value : `${JSON.stringify(value)}${changed}`] as const;
  });
  return [
    head,
    '',
    paint('bold', `Will run ${plain(asked.tool)} (${asked.effect}, reaches ${asked.reaches})`),
    ...(asked.says === null ? [] : [plain(asked.says)]),
    fields(entries),
    '',
    fields([
      ['agent', `${asked.agent}, owned by ${asked.owner}`],
      ['narrowed by', edited === undefined ? null : edited.by],
      ['sponsor', asked.sponsor],
      ['use case', `${asked.use_case}: ${asked.purpose}`],
      ['objective', asked.objective === '' ? null : `${asked.objective} (in the words of the ${asked.attested_by})`],
      ['inputs', `${JSON.stringify(asked.inputs)} (attested by the ${asked.attested_by})`],
      [
        'has read',
        `${asked.label.sensitivity} data, integrity ${asked.label.integrity}${asked.label.categories.length === 0 ? '' : `, ${asked.label.categories.join(' ')}`}`,
      ],
      ...asked.policies.map((policy) => ['asked by', policy.reason === null ? policy.id : `${policy.id}: ${policy.reason}`] as const),
    ]),
  ].join('\n');
}

const needs = ({ requirement, waits_behind: behind }: Summary['requirements'][number]): string =>
  behind.length === 0 ? requirement : `${requirement} (after ${behind.join(', ')})`;
