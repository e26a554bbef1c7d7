import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { lawOf } from '../../policies/engine/compile.ts';
import { decide, listable } from '../../policies/engine/decide.ts';
import { createMemo } from '../../policies/engine/memo.ts';
import {
  type CallFacts,
  compilePolicy,
  decideObserved,
  describePolicies,
  listableObserved,
  platformRules,
  sensitivities,
  type TenantPolicy,
} from '../../policies/index.ts';
import { call, compiled, payment, source } from '../policies/tenants.ts';

/** Conditions over everything a call has: half of the atoms read arguments. */
const atom = fc.constantFrom(
  'context.args.amount.greaterThan(decimal("500.0"))',
  'context.args.amount.lessThan(decimal("10.0"))',
  'context.args.iban like "DE*"',
  'context.args has memo',
  '(context.args has memo && context.args.memo == "rent")',
  'context.args.invoice == "INV-7"',
  '(context.inputs has invoice && context.inputs.invoice == context.args.invoice)',
  '[context.args.iban, "x"].contains("x")',
  'context.session.calls > 3',
  'context.session.sensitivity > 0',
  'context.token.bound',
  'context.sponsor.groups.contains("finance")',
  'principal.clearance > 1',
  'resource.pinned',
  'context.now * 9000000000 > 0',
  '(context.now + 1 == 2) == (context.args.invoice == "INV-7")',
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} || ${b})`),
    tie('condition').map((a) => `!(${a})`),
    fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
}));

const scope = fc.constantFrom('== Taskgate::Action::"ledger__post_payment"', 'in Taskgate::Action::"upstream:ledger"');
const clause = fc.tuple(fc.constantFrom('when', 'unless'), condition).map(([kind, body]) => `${kind} { ${body} }`);
const lifted = fc.option(fc.constantFrom('approval:finance', 'approval:finance:2', 'confirm:sponsor'));

const permits = fc
  .tuple(scope, clause)
  .map(([action, body]) => `permit (principal, action ${action}, resource) when { principal.workflow == "invoice-matching" } ${body};`);
const forbids = fc
  .tuple(scope, clause, lifted)
  .map(
    ([action, body, literal]) =>
      `forbid (principal, action ${action}, resource) ${body}${literal ? ` unless { context.satisfied.contains("${literal}") }` : ''};`,
  );
const policySet = fc
  .tuple(fc.array(permits, { minLength: 1, maxLength: 2 }), fc.array(forbids, { maxLength: 2 }))
  .map(([some, others]) => [...some, ...others].map((text, index) => `@id("acme/p${index}") @reason("r") ${text}`).join('\n'));

const sensitivity = fc.constantFrom(...sensitivities);
const facts: fc.Arbitrary<CallFacts> = fc
  .record({
    args: fc.record(
      {
        invoice: fc.constantFrom('INV-7', 'INV-8'),
        iban: fc.constantFrom('DE02', 'FR76'),
        amount: fc.constantFrom(1, 20, 600, 500.0001),
        memo: fc.constantFrom('rent', 'other'),
      },
      { requiredKeys: ['invoice', 'iban', 'amount'] },
    ),
    calls: fc.nat(5),
    bound: fc.boolean(),
    live: fc.boolean(),
    granted: fc.boolean(),
    groups: fc.subarray(['finance', 'sales']),
    clearance: sensitivity,
    ceiling: sensitivity,
    read: sensitivity,
    now: fc.constantFrom(1, 1_800_000_000_000),
    inputs: fc.constantFrom<Record<string, unknown>>({}, { invoice: 'INV-7' }),
    satisfied: fc.subarray(['approval:finance', 'approval:finance:2', 'confirm:sponsor']),
  })
  .map(({ args, calls, bound, live, granted, groups, clearance, ceiling, read, now, inputs, satisfied }) =>
    call({
      args,
      now,
      inputs,
      satisfied,
      token: { bound },
      sponsor: { groups },
      agent: { clearance },
      session: { calls, live, granted, ceiling, label: { sensitivity: read, categories: [], integrity: 'trusted' } },
    }),
  );

const likely = facts.map(
  (one): CallFacts => ({
    ...one,
    agent: { ...one.agent, clearance: 'restricted' },
    session: { ...one.session, live: true, granted: true, ceiling: 'restricted', label: { ...one.session.label, sensitivity: 'public' } },
  }),
);

/** Sets that strict validation finds impossible are not law; the rest is judged. */
async function lawful(text: string): Promise<TenantPolicy | null> {
  const answer = await compilePolicy(source(text, { tools: [payment] }));
  return 'policy' in answer ? answer.policy : null;
}

test('whatever is callable is listed', async () => {
  let callable = 0;
  let hidden = 0;
  await fc.assert(
    fc.asyncProperty(policySet, fc.array(likely, { minLength: 6, maxLength: 10 }), async (text, calls) => {
      const policy = await lawful(text);
      fc.pre(policy !== null);
      for (const one of calls) {
        const { args: _, satisfied: __, ...before } = one;
        const listed = policy.listable(before);
        if (!listed) hidden += 1;
        if (policy.decide(one).decision === 'deny') continue;
        callable += 1;
        expect(listed).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
  // The property says nothing unless calls were allowed and tools were hidden.
  expect(callable).toBeGreaterThan(30);
  expect(hidden).toBeGreaterThan(5);
});

test('satisfying more never turns an allowed call away, and what is required lets it run', async () => {
  let required = 0;
  await fc.assert(
    fc.asyncProperty(policySet, fc.array(likely, { minLength: 4, maxLength: 6 }), async (text, calls) => {
      const policy = await lawful(text);
      fc.pre(policy !== null);
      for (const one of calls) {
        const decision = policy.decide(one);
        const more = { ...one, satisfied: ['approval:finance', 'approval:finance:2', 'confirm:sponsor'] };
        if (decision.decision === 'allow') expect(policy.decide(more).decision).toBe('allow');
        if (decision.decision !== 'require') continue;
        required += 1;
        const granted = [...one.satisfied, ...decision.requirements.map(({ literal }) => literal), 'approval:finance'];
        expect(policy.decide({ ...one, satisfied: granted }).decision).toBe('allow');
      }
    }),
    { numRuns: 40 },
  );
  expect(required).toBeGreaterThan(3);
});

test('observing a use case never lets run what the platform denies a tenant that permits everything, and records exactly what enforcing would answer', async () => {
  const everything = await compiled(
    source(`@id("acme/all") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "invoice-matching" };`, {
      tools: [payment],
    }),
  );
  let loosened = 0;
  let held = 0;
  await fc.assert(
    fc.asyncProperty(policySet, fc.array(fc.oneof(likely, facts), { minLength: 6, maxLength: 8 }), async (text, calls) => {
      const policy = await lawful(text);
      fc.pre(policy !== null);
      for (const one of calls) {
        const enforced = policy.decide(one);
        const { decision, wouldBe } = decideObserved(policy, one);
        const platform = everything.decide(one).decision;
        if (platform === 'deny') held += 1;
        if (decision.decision !== 'deny') expect(platform).toBe('allow');
        if (decision.decision === 'allow') {
          expect(wouldBe).toEqual(enforced.decision === 'allow' ? null : enforced);
          const { args: _, satisfied: __, ...before } = one;
          expect(listableObserved(policy, before)).toBe(true);
        } else expect(enforced.decision).toBe('deny');
        if (wouldBe !== null) loosened += 1;
        // What was asked about an observed session says nothing to one that is not.
        expect(policy.decide(one)).toMatchObject({ decision: enforced.decision, policies: enforced.policies });
      }
    }),
    { numRuns: 30 },
  );
  expect(loosened).toBeGreaterThan(20);
  expect(held).toBeGreaterThan(20);
});

describe('a tenant that permits everything', () => {
  const everything = `@id("acme/everything") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "invoice-matching" || principal.workflow == "exploration" };
@id("acme/everything-again") permit (principal, action in Taskgate::Action::"upstream:ledger", resource) when { principal == Taskgate::Agent::"acme/invoice-matcher" };`;
  let policy: TenantPolicy;
  beforeAll(async () => {
    policy = await compiled(source(everything));
  });

  const level = (name: (typeof sensitivities)[number]) => sensitivities.indexOf(name);
  /** Every platform rule as it is meant, written apart from its text: true where it forbids. */
  const platform: Readonly<Record<string, (one: CallFacts) => boolean>> = {
    'platform/tenant-isolation': ({ tenant, agent, tool, session }) => [agent, tool, session].some((part) => part.tenant !== tenant),
    'platform/session-live': ({ session }) => !session.live,
    'platform/granted': ({ session }) => !session.granted,
    'platform/pinned': ({ tool }) => !tool.pinned,
    'platform/agent-active': ({ agent }) => agent.status !== 'active',
    'platform/sponsor-standing': ({ sponsor }) => sponsor.standing !== 'active',
    'platform/clearance': ({ tool, agent }) => level(tool.returns.sensitivity) > level(agent.clearance),
    'platform/ceiling': ({ tool, session }) => level(tool.returns.sensitivity) > level(session.ceiling),
    'platform/sink': ({ tool, session }) => level(session.label.sensitivity) > level(tool.accepts),
  };
  /** One rule broken, or any few of them, on a call that is otherwise in order. */
  const broken = fc.oneof(
    fc.constantFrom(...Object.keys(platform)).map((id) => [id]),
    fc.subarray(Object.keys(platform)),
  );
  const edges = fc.tuple(likely, broken, fc.constantFrom('agent', 'tool', 'session')).map(([one, rules, foreign]): CallFacts => {
    const is = (name: string): boolean => rules.includes(`platform/${name}`);
    const of = (part: string) => ({ tenant: is('tenant-isolation') && part === foreign ? 'globex' : 'acme' });
    return {
      ...one,
      agent: { ...one.agent, ...of('agent'), clearance: is('clearance') ? 'public' : 'restricted', status: is('agent-active') ? 'suspended' : 'active' },
      sponsor: { ...one.sponsor, standing: is('sponsor-standing') ? 'none' : 'active' },
      tool: { ...one.tool, ...of('tool'), pinned: !is('pinned'), accepts: is('sink') ? 'public' : 'internal' },
      session: {
        ...{ ...one.session, ...of('session'), live: !is('session-live'), granted: !is('granted') },
        ceiling: is('ceiling') ? 'public' : 'restricted',
        label: { ...one.session.label, sensitivity: 'internal' },
      },
    };
  });

  test('widens no platform rule: what each of them forbids is denied by exactly it, and the rest runs', () => {
    const bit = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(facts, edges), (one) => {
        const forbids = Object.keys(platform)
          .filter((id) => platform[id]?.(one))
          .sort();
        if (forbids.length === 1) bit.add(String(forbids));
        const decision = policy.decide(one);
        expect(decision.decision).toBe(forbids.length > 0 ? 'deny' : 'allow');
        if (forbids.length === 0) return;
        expect(decision.policies.map(({ id }) => id)).toEqual(forbids);
        expect(policy.listable(one)).toBe(false);
      }),
      { numRuns: 400 },
    );
    // It says nothing of a rule that never stood alone between a call and its run.
    expect([...bit].sort()).toEqual(Object.keys(platform).sort());
  });

  test('knows every platform rule that is shipped', () => {
    const shipped = platformRules().flatMap(({ text }) => [...(describePolicies(text)?.keys() ?? [])]);
    expect(shipped.sort()).toEqual(Object.keys(platform).sort());
  });

  test('never crosses to another tenant, whichever part is the other’s', () => {
    const tenant = fc.constantFrom('acme', 'globex', 'acme/x', '', 'ACME');
    fc.assert(
      fc.property(likely, tenant, tenant, tenant, tenant, (one, law, agent, tool, session) => {
        const theirs = {
          ...one,
          tenant: law,
          agent: { ...one.agent, tenant: agent },
          tool: { ...one.tool, tenant: tool },
          session: { ...one.session, tenant: session },
        };
        const crosses = [law, agent, tool, session].some((name) => name !== 'acme');
        expect(policy.decide(theirs).decision).toBe(crosses ? 'deny' : 'allow');
        if (crosses) expect(policy.listable(theirs)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

test('no arguments whatever make a decision throw, and hostile keys never pass', async () => {
  const policy = await compiled(
    source(`@id("acme/m") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "invoice-matching" };
@id("acme/f") @reason("r") forbid (principal, action in Taskgate::Action::"upstream:ledger", resource) when { context.args has memo && context.args.memo like "*x*" };`),
  );
  const value = fc.oneof(fc.anything({ withBigInt: true, withNullPrototype: true }), fc.constant({ __extn: { fn: 'decimal', arg: '1.0' } }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('memo', 'iban', '__extn', 'amount'), value), (args) => {
      const decision = policy.decide(call({ args }));
      if (Object.keys(args).includes('__extn')) expect(decision).toMatchObject({ decision: 'deny', cause: 'unrepresentable' });
      if (args['memo'] !== undefined && typeof args['memo'] !== 'string') expect(decision.decision).toBe('deny');
    }),
    { numRuns: 500 },
  );
});

test('what is remembered is what the engine would answer, whatever was asked before', async () => {
  await fc.assert(
    fc.asyncProperty(policySet, fc.array(fc.oneof(facts, likely), { minLength: 6, maxLength: 8 }), async (text, calls) => {
      const policy = await lawful(text);
      fc.pre(policy !== null);
      const law = lawOf(policy);
      for (const one of [...calls, ...calls]) {
        expect(policy.decide(one)).toEqual(decide({ ...law, memo: createMemo() }, one));
        const { args: _, satisfied: __, ...before } = one;
        expect(policy.listable(before)).toBe(listable({ ...law, memo: createMemo() }, before));
      }
    }),
    { numRuns: 25 },
  );
});
