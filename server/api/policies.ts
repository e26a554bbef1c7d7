import { z } from 'zod';
import {
  type CallFacts,
  type Explanation,
  explainCall,
  explainInWords,
  type PolicyProblem,
  type PolicySource,
  printSchema,
  statedFacts,
  testPolicy,
  vetPolicy,
} from '../../policies/index.ts';
import { measureUse, recordsOf, type Use } from '../audit/index.ts';
import { policySource, suggestPolicy, type TenantSnapshot } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import { observedUntil } from '../sessions/index.ts';
import { completeFacts } from './complete-facts.ts';
import { applied, planned, reason } from './documents.ts';
import { type Endpoint, endpoint, seconds } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const candidate = z.strictObject({
  files: z
    .array(
      z.strictObject({
        file: z
          .string()
          .min(1)
          .max(300)
          .regex(/^[^\p{Cc}]*\.cedar$/u, '`*.cedar`'),
        text: z.string(),
        cases: z.string().nullable().default(null),
      }),
    )
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
const explained = z.strictObject({
  decision: z.enum(['allow', 'deny', 'require']),
  requirements: z.array(z.string()),
  policies: z.array(z.strictObject({ id: z.string(), reason: z.string().nullable() })),
  facts: z.array(z.strictObject({ fact: z.string(), value: z.string().nullable(), policies: z.array(z.string()) })).describe('What the policies looked at'),
  nearest: z.array(z.strictObject({ id: z.string(), reason: z.string().nullable(), fails: z.array(z.string()) })).describe('Permits that nearly hold'),
  changes: z
    .array(
      z.strictObject({
        facts: z.array(z.strictObject({ fact: z.string(), from: z.string().nullable(), to: z.string().nullable() })),
        decision: z.enum(['allow', 'deny', 'require']),
        requirements: z.array(z.string()),
      }),
    )
    .describe('What would change the outcome; each was tried'),
  tried: z.int(),
  text: z.string(),
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
      const problems = await vetPolicy(await sourceOf(ports, snapshot, body));
      return { ok: problems.length === 0, problems: plain(problems) };
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
      const { problems, results, untested } = await testPolicy(await sourceOf(ports, snapshot, body));
      const ok = problems.length === 0 && untested.length === 0 && results.every((result) => result.ok);
      return { ok, problems: plain(problems), results: results.map((result) => ({ ...result })), untested: [...untested] };
    },
  }),
  endpoint({
    method: 'post',
    path: '/policies/explain',
    summary: 'What policies decide about a call with these facts, why, and what would have to change, in words',
    access: ['admin', 'auditor'],
    body: candidate.extend({ tool: z.string().min(1).max(64), facts: statedFacts.prefault({}) }),
    answer: explained,
    async run(ports, { snapshot }, { body }) {
      if (!snapshot.tools.has(body.tool)) return notFound();
      const facts = completeFacts(snapshot, body.tool, body.facts, seconds(ports.clock()));
      if (!facts) return problem(422, 'facts.unknown', 'There is no such agent or use case.', 'Name one of the tenant, or leave it out.');
      const { problems, explanation } = await explainCall(await sourceOf(ports, snapshot, body), facts);
      if (!explanation) return problem(422, 'policies.invalid', 'The policies do not hold.', 'Correct what `problems` names.', { problems: plain(problems) });
      const live = body.files.length > 0 ? explanation.decision : snapshot.policy.decide(facts);
      // What is in force may be unable to judge where a fresh engine can: then that is the answer.
      const broken = live.decision === 'deny' && live.cause === 'error';
      const answer = told(broken ? { decision: live, facts: [], nearest: [], changes: [], tried: 0 } : explanation, facts);
      const observed = observedUntil(snapshot, [facts.session], ports.clock());
      return observed === null ? answer : { ...answer, text: `${answer.text}\n${notEnforced(facts.session.useCase, observed)}` };
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
    method: 'post',
    path: '/policies/activate',
    summary: 'Put policies in force beside your other documents, once every case holds and each policy is missed by one; what widens waits for another admin',
    access: ['admin'],
    body: candidate.extend({ files: candidate.shape.files.unwrap().min(1), reason }),
    answer: planned,
    run(ports, asker, { body }) {
      const { tenant } = asker.snapshot;
      const policies = body.files.map((one) => ({ ...one, tenant, source: one.file }));
      return applied(ports, asker, { documents: [], policies, problems: [] }, { prune: false, dryRun: false, reason: body.reason || null });
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

function told(explanation: Explanation, call: CallFacts): z.infer<typeof explained> {
  const { decision, facts, nearest, changes, tried } = explanation;
  return {
    decision: decision.decision,
    requirements: decision.decision === 'require' ? decision.requirements.map(({ literal }) => literal) : [],
    policies: decision.policies.map(({ id, reason }) => ({ id, reason })),
    facts: facts.map(({ policies, ...fact }) => ({ ...fact, policies: [...policies] })),
    nearest: nearest.map(({ fails, ...permit }) => ({ ...permit, fails: [...fails] })),
    changes: changes.map((change) => ({ ...change, facts: change.facts.map((fact) => ({ ...fact })), requirements: [...change.requirements] })),
    tried,
    text: explainInWords(explanation, call),
  };
}

const plain = (problems: readonly PolicyProblem[]) => problems.map((one) => ({ ...one }));

const stopped = ({ policies, requirements, ...one }: Use['would'][number]) => ({ ...one, policies: [...policies], requirements: [...requirements] });
