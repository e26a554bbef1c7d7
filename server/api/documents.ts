import { z } from 'zod';
import { changeDetail, detailOf } from '../changes/index.ts';
import { type ApplyOptions, applyDocuments, type DocumentProblem, type Loaded, loadTexts, noticesOf, type PlanItem } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import { type Asker, type Endpoint, endpoint } from './endpoint.ts';
import { type Problem, problem } from './problem.ts';

const request = z.strictObject({
  files: z
    .array(
      z.strictObject({
        source: z
          .string()
          .min(1)
          .max(300)
          .regex(/^[^\p{Cc}]*\.(yaml|cedar)$/u, '`*.yaml`, `*.cedar` or `*.cases.yaml`')
          .describe('Name of the file, for messages'),
        text: z.string(),
      }),
    )
    .min(1)
    .max(500),
  prune: z.boolean().default(false).describe('Also remove what the files no longer contain'),
});
export const reason = z.string().trim().max(500).nullish().describe('Why; who approves what waits reads it');

export const planned = z.strictObject({
  applied: z.boolean().describe('Something took effect'),
  items: z.array(
    z.strictObject({
      tenant: z.string(),
      kind: z.string(),
      name: z.string(),
      change: z.enum(['added', 'changed', 'removed']),
      effect: z.enum(['narrows', 'widens', 'neutral']),
      differences: z.array(z.string()),
      waits: z.boolean().describe('For another admin'),
    }),
  ),
  waiting: z.array(changeDetail).describe('What waits for another admin; empty when it was only planned'),
  notices: z.array(z.string()).describe('Warnings, and what the plan asks of people'),
});

export const documentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/documents/plan',
    summary: 'Check documents and policies and say what applying them would change; changes nothing',
    access: ['admin'],
    body: request,
    answer: planned,
    run: (ports, asker, { body }) => applied(ports, asker, loadTexts(body.files), { prune: body.prune, dryRun: true, reason: null }),
  }),
  endpoint({
    method: 'post',
    path: '/documents/apply',
    summary:
      'Apply documents and policies of your tenant in one transaction; what widens waits for another admin, and what holds without it takes effect at once. Applied again they change nothing',
    access: ['admin'],
    body: request.extend({ reason }),
    answer: planned,
    run: (ports, asker, { body }) => applied(ports, asker, loadTexts(body.files), { prune: body.prune, dryRun: false, reason: body.reason || null }),
  }),
];

/** Applies, or only plans, what an admin brought, within their tenant. */
export async function applied(
  ports: Ports,
  { person, snapshot }: Asker,
  loaded: Loaded,
  how: Pick<ApplyOptions, 'prune' | 'dryRun' | 'reason'>,
): Promise<z.infer<typeof planned> | Problem> {
  const answer = await applyDocuments(ports, loaded, {
    ...how,
    by: person.id,
    applier: { at: 'door', tenant: person.tenant },
    platform: (await isOperator(ports, person.id)) ? 'allowed' : 'refused',
    tenants: [person.tenant],
  });
  if (answer.ok) {
    const waiting = await Promise.all(answer.waiting.map((change) => detailOf(ports, snapshot, change)));
    const items = answer.plan.items.map((item) => ({ ...plain(item), waits: answer.waits.includes(item) }));
    return { applied: answer.applied, items, waiting, notices: [...noticesOf(answer), ...waiting.flatMap(({ remedy }) => remedy ?? [])] };
  }
  const problems = await withinReach(ports, person.tenant, brought(loaded), answer.problems);
  const detail = problems.length === 1 ? '1 problem; nothing was applied.' : `${problems.length} problems; nothing was applied.`;
  return problem(422, 'documents.invalid', detail, 'Correct what `problems` names and try again.', { problems });
}

/** Every file that was brought, also those that could not be read. */
const brought = ({ documents, policies, problems }: Loaded): readonly string[] => [
  ...[...documents, ...policies].map(({ source }) => source),
  ...policies.map(({ source }) => source.replace(/\.cedar$/, '.cases.yaml')),
  ...problems.map(({ file }) => file),
];

/** What is wrong elsewhere, in the operator's document or another tenant's, is said without where or what. */
export async function withinReach(
  ports: Pick<Ports, 'store'>,
  tenant: string,
  files: readonly string[],
  problems: readonly DocumentProblem[],
): Promise<DocumentProblem[]> {
  const own = await ports.store.readConfiguration(tenant);
  const known = new Set([...files, ...(own?.documents ?? []).map(({ source }) => source), ...(own?.policies ?? []).map(({ file }) => file)]);
  const elsewhere: DocumentProblem = { file: '', line: null, path: '', cause: 'The configuration as a whole would not hold', remedy: 'Ask the operator' };
  const shown = problems.filter(({ file }) => file === '' || known.has(file));
  return shown.length < problems.length ? [...shown, elsewhere] : shown;
}

const plain = ({ tenant, kind, name, change: kindOfChange, effect, differences }: PlanItem) => ({
  ...{ tenant, kind, name, effect },
  change: kindOfChange,
  differences: [...differences],
});

/** The configured operators stand in the operator's own document, which only they may change. */
async function isOperator(ports: Pick<Ports, 'store'>, person: string): Promise<boolean> {
  const platform = (await ports.store.readPlatform())?.body;
  return platform?.kind === 'Platform' && platform.operators.includes(person);
}
