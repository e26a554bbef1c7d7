import { z } from 'zod';
import {
  compilePolicy,
  explainDecision,
  findUntested,
  type PolicyProblem,
  type PolicySource,
  printSchema,
  runCases,
  statedFacts,
} from '../../policies/index.ts';
import { measureUse, recordsOf, type Use } from '../audit/index.ts';
import { policySource, suggestPolicy, type TenantSnapshot } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import { observedUntil } from '../sessions/index.ts';
import { completeFacts } from './complete-facts.ts';
import { type Endpoint, endpoint, seconds } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const candidate = z.strictObject({
  files: z
    .array(z.strictObject({ file: z.string().min(1).max(300), text: z.string(), cases: z.string().nullable().default(null) }))
    .max(200)
    .default([])
    .describe("Policies to judge in place of the tenant's files of the same name, or beside them; none judges what is active"),
});

const policyProblem = z.strictObject({
  file: z.string(),
  line: z.int().nullable(),
  policy: z.string().nullable(),
  cause: z.string(),
  remedy: z.string(),
});

const caseResult = z.looseObject({ file: z.string(), case: z.string(), ok: z.boolean() });

const tested = z.strictObject({
  ok: z.boolean(),
  problems: z.array(policyProblem),
  results: z.array(caseResult),
  untested: z.array(z.string()).describe('Policies that no case would miss'),
});

const stoppedCalls = z.array(
  z.strictObject({ tool: z.string(), how: z.string(), policies: z.array(z.string()), requirements: z.array(z.string()), calls: z.int() }),
);
const suggestion = z.strictObject({
  use_case: z.string(),
  sessions: z.int(),
  calls: z.int(),
  most_per_session: z.int(),
  most_per_day: z.int(),
  tools: z.array(z.strictObject({ tool: z.string(), calls: z.int(), most_per_session: z.int() })),
  would: stoppedCalls.describe('Calls that ran only because the use case was observed: `deny` or `require`, and by which policies'),
  refused: stoppedCalls.describe('Calls refused for what policy, grants or counters say, by code'),
  unused: z.array(z.string()).describe('Granted and never called'),
  files: z.array(z.strictObject({ source: z.string(), text: z.string() })).describe('As `/documents/apply` takes them'),
  notes: z.array(z.string()),
});

export const policyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/policies/check',
    summary: 'Whether policies are valid against the schemas of your tools; activates nothing',
    access: ['admin', 'auditor'],
    body: candidate,
    answer: z.strictObject({ ok: z.boolean(), problems: z.array(policyProblem) }),
    async run(ports, { snapshot }, { body }) {
      const compiled = await compilePolicy(await sourceOf(ports, snapshot, body));
      return 'problems' in compiled ? { ok: false, problems: plain(compiled.problems) } : { ok: true, problems: [] };
    },
  }),
  endpoint({
    method: 'post',
    path: '/policies/test',
    summary: 'Run every case, and see which policies no case would miss; activates nothing',
    access: ['admin', 'auditor'],
    body: candidate,
    answer: tested,
    async run(ports, { snapshot }, { body }) {
      const source = await sourceOf(ports, snapshot, body);
      const compiled = await compilePolicy(source);
      if ('problems' in compiled) return { ok: false, problems: plain(compiled.problems), results: [], untested: [] };
      const results = runCases(source, compiled.policy).map((result) => ({ ...result }));
      const untested = findUntested(source);
      return { ok: untested.length === 0 && results.every((result) => result.ok), problems: [], results, untested };
    },
  }),
  endpoint({
    method: 'post',
    path: '/policies/explain',
    summary: 'What the active policies would decide about a call with these facts, and why, in words',
    access: ['admin', 'auditor'],
    body: z.strictObject({ tool: z.string().min(1).max(64), facts: statedFacts.prefault({}) }),
    answer: z.strictObject({
      decision: z.enum(['allow', 'deny', 'require']),
      requirements: z.array(z.string()),
      policies: z.array(z.strictObject({ id: z.string(), reason: z.string().nullable() })),
      text: z.string(),
    }),
    async run(ports, { snapshot }, { body }) {
      if (!snapshot.tools.has(body.tool)) return notFound();
      const facts = completeFacts(snapshot, body.tool, body.facts, seconds(ports.clock()));
      if (!facts) return problem(422, 'facts.unknown', 'There is no such agent or use case.', 'Name one of the tenant, or leave it out.');
      const decision = snapshot.policy.decide(facts);
      const observed = observedUntil(snapshot, [facts.session], ports.clock());
      return {
        decision: decision.decision,
        requirements: decision.decision === 'require' ? decision.requirements.map(({ literal }) => literal) : [],
        policies: decision.policies.map(({ id, reason }) => ({ id, reason })),
        text: observed === null ? explainDecision(decision, facts) : `${explainDecision(decision, facts)}\n${notEnforced(facts.session.useCase, observed)}`,
      };
    },
  }),
  endpoint({
    method: 'get',
    path: '/policies/suggest',
    summary: 'Grants and policy for what the record says was used of a use case, and no more; activates nothing',
    access: ['admin', 'auditor'],
    query: z.strictObject({ use_case: z.string().min(1).max(64), since: z.coerce.number().pipe(z.int().min(0)).default(0).describe('Epoch seconds') }),
    answer: suggestion,
    async run(ports, { person, snapshot }, { query }) {
      if (!snapshot.useCases.has(query.use_case)) return notFound();
      const use = await measureUse(recordsOf(ports.store, person.tenant), query.use_case, query.since * 1000);
      const active = (await ports.store.readConfiguration(person.tenant))?.policies ?? [];
      const suggested = await suggestPolicy(snapshot, active, query.use_case, use);
      if (!suggested) return notFound();
      return {
        ...{ use_case: query.use_case, sessions: use.sessions, calls: use.calls, most_per_session: use.mostPerSession, most_per_day: use.mostPerDay },
        tools: [...use.tools].map(([tool, one]) => ({ tool, calls: one.calls, most_per_session: one.mostPerSession })),
        would: use.would.map(stopped),
        refused: use.refused.map(stopped),
        unused: [...suggested.unused],
        files: suggested.files.map((file) => ({ ...file })),
        notes: [...suggested.notes],
      };
    },
  }),
  endpoint({
    method: 'get',
    path: '/policies/schema',
    summary: 'The Cedar schema your policies are checked against, made from your tools and use cases',
    access: ['admin', 'auditor'],
    answer: z.strictObject({ schema: z.string() }),
    run: async (ports, { snapshot }) => ({ schema: printSchema(await sourceOf(ports, snapshot, { files: [] })) }),
  }),
];

const notEnforced = (useCase: string, until: string): string =>
  `Observed: until ${until} this is only recorded for sessions of ${useCase}; what a platform rule denies stays denied.`;

async function sourceOf(ports: Pick<Ports, 'store'>, snapshot: TenantSnapshot, { files }: z.infer<typeof candidate>): Promise<PolicySource> {
  const active = (await ports.store.readConfiguration(snapshot.tenant))?.policies ?? [];
  const replaced = new Set(files.map(({ file }) => file));
  const kept = active.filter(({ file }) => !replaced.has(file));
  const useCases = [...snapshot.useCases.values()].map(({ document }) => document);
  return policySource(snapshot.tenant, [...kept, ...files], snapshot.tools.values(), useCases, snapshot.agents.values());
}

const plain = (problems: readonly PolicyProblem[]) => problems.map((one) => ({ ...one }));

const stopped = ({ policies, requirements, ...one }: Use['would'][number]) => ({ ...one, policies: [...policies], requirements: [...requirements] });
