import { z } from 'zod';
import { operationsOf } from '../../tools/index.ts';
import { type ChangeRefusal, isExempt, requestChange } from '../changes/index.ts';
import { type ComparedTool, changeOf, compareTools, inTurn, planAccepted, readStored } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import { changeProblem, waiting, waitingChange } from './changes.ts';
import { reason, withinReach } from './documents.ts';
import { type Asker, type Endpoint, endpoint, seconds } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

const compared = z.strictObject({
  upstream: z.string(),
  tool: z.string().describe("The upstream's own name of it, behind `resource:`, `template:` or `prompt:` where it is one"),
  name: z.string().nullable().describe('`<upstream>__<tool>`; null when it is not registered'),
  change: z.enum(['changed', 'vanished', 'new', 'same']).describe('`same`: as it was pinned again, and held until it is accepted'),
  held_since: z.int().nullable(),
  pinned: z.string().nullable().describe('Digest of the pinned definition'),
  digest: z.string().nullable().describe('Digest of what it is now: what `accept` names'),
  differences: z.array(z.strictObject({ part: z.string(), lines: z.array(z.strictObject({ sign: z.enum([' ', '+', '-']), text: z.string() })) })),
  findings: z
    .array(z.strictObject({ severity: z.enum(['refused', 'warning']), reason: z.string() }))
    .describe('What to look at twice in what it is now; with one that is refused it is not taken'),
  renamed_to: z.array(z.string()).describe('New tools of the upstream that are the same but for the name'),
  remedy: z.string(),
});

export const toolEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/tools/diff',
    summary: 'Ask upstreams what they offer now and say what of it is not as it was pinned; what is found is held, and that somebody looked is recorded',
    access: ['admin'],
    body: z.strictObject({ upstream: z.string().optional().describe('Only this one') }),
    answer: z.strictObject({
      items: z.array(compared),
      unanswered: z.array(z.strictObject({ upstream: z.string(), cause: z.string(), remedy: z.string() })),
    }),
    async run(ports, { person, snapshot }, { body }) {
      if (body.upstream !== undefined && !snapshot.upstreams.has(body.upstream)) return notFound();
      const { tools, unanswered } = await compareTools(
        ports,
        snapshot,
        person.id,
        body.upstream === undefined ? [...snapshot.upstreams.keys()] : [body.upstream],
      );
      return { items: tools.map(view), unanswered: [...unanswered] };
    },
  }),
  endpoint({
    method: 'post',
    path: '/tools/accept',
    summary: 'Take definitions of registered tools, resources and prompts as they are now, each by the digest that was looked at, once another admin approves',
    access: ['admin'],
    body: z.strictObject({
      upstream: z.string(),
      tools: z
        .array(
          z.strictObject({ tool: z.string().describe("The upstream's own name of it, behind `resource:`, `template:` or `prompt:` where it is one"), digest }),
        )
        .min(1)
        .max(100),
      reason,
    }),
    answer: z.strictObject({ waiting: waitingChange }),
    run: (ports, asker, { body }) => accept(ports, asker, body.upstream, body.tools, body.reason || null),
  }),
];

const view = (one: ComparedTool): z.infer<typeof compared> => ({
  ...{ upstream: one.upstream, tool: one.tool, name: one.name, change: one.change, pinned: one.pinned, digest: one.digest },
  held_since: one.heldSince === null ? null : seconds(one.heldSince),
  differences: one.differences.map(({ part, lines }) => ({ part, lines: lines.map((line) => ({ ...line })) })),
  findings: one.findings.map((finding) => ({ ...finding })),
  renamed_to: [...one.renamedTo],
  remedy: remedyFor(one),
});

function remedyFor({ change, tool, digest: now, renamedTo, findings }: ComparedTool): string {
  if (findings.some(({ severity }) => severity === 'refused')) return 'Have the upstream corrected: this definition is not taken';
  switch (change) {
    case 'new':
      return 'Nobody may call it. To broker it, put it into the Upstream document with its labels and apply that';
    case 'vanished':
      return `Have it put back, or take ${tool} out of the Upstream document${renamedTo.length > 0 ? ` and put ${renamedTo.join(' or ')} in` : ''}`;
    case 'same':
    case 'changed':
      return now === null ? 'Have the upstream corrected: its definition is not plain JSON' : 'Accept it as it is now, or have the former version put back';
  }
}

type Tools = readonly { readonly tool: string; readonly digest: string }[];

async function accept(ports: Ports, { person, snapshot }: Asker, upstream: string, tools: Tools, why: string | null) {
  const document = snapshot.upstreams.get(upstream)?.document;
  if (!document) return notFound();
  const registered = new Set(operationsOf(document).map(({ key }) => key));
  const strange = tools.find(({ tool }) => !registered.has(tool));
  if (strange)
    return problem(
      422,
      'tool.unlabelled',
      'A tool that is not registered cannot be accepted.',
      'Put it into the Upstream document with its labels and apply that.',
    );
  const payload = { kind: 'tools', upstream, tools: tools.map(({ tool, digest: now }) => ({ tool, digest: now })) } as const;
  if (!isExempt(snapshot)) {
    const asked = await requestChange(ports, snapshot, person.id, payload, why);
    return asked.ok ? { waiting: await waiting(ports, snapshot, asked.change) } : refused(ports, snapshot.tenant, asked);
  }
  return inTurn(ports.store, async () => {
    const made = await planAccepted(ports, await readStored(ports.store), snapshot.tenant, payload);
    if ('problems' in made) return doesNotHold(ports, snapshot.tenant, made.problems);
    const answer = await ports.store.applyConfiguration(changeOf(made.prepared, person.id, ports.clock(), why === null ? {} : { reason: why }));
    return answer.applied ? { waiting: null } : problem(409, 'stale', 'The configuration of the tenant changed meanwhile.', 'Try again.');
  });
}

const refused = (ports: Ports, tenant: string, refusal: ChangeRefusal) =>
  refusal.code === 'change.does_not_hold' ? doesNotHold(ports, tenant, refusal.problems) : changeProblem(refusal);

async function doesNotHold(ports: Ports, tenant: string, problems: ChangeRefusal['problems']) {
  const shown = await withinReach(ports, tenant, [], problems);
  return problem(422, 'change.does_not_hold', shown.map(({ cause }) => cause).join('; ') || 'It does not hold.', shown[0]?.remedy ?? 'Try again.', {
    problems: shown,
  });
}
