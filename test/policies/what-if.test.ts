import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lawOf } from '../../policies/engine/compile.ts';
import { type CallFacts, explainInWords, type TenantPolicy, withStated } from '../../policies/index.ts';
import { explain } from '../../policies/what-if/explain.ts';
import { acme, call, compiled, permit, policyFiles, source } from './tenants.ts';

const shipped = { ...acme, files: policyFiles('acme') };
const args = { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 600 };
const explained = (policy: TenantPolicy, facts: CallFacts) => explain(lawOf(policy), facts);
const forbid = (condition: string) =>
  `${permit}@id("acme/rule") @reason("Not like this") forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { ${condition} };`;

describe('what would change a denial by a forbid', () => {
  const turned: readonly [condition: string, over: Parameters<typeof call>[0], fact: string, from: string | null, to: string | null][] = [
    ['context.args.amount.greaterThan(decimal("500.0"))', { args }, 'context.args.amount', '600', '500'],
    ['context.args.amount.greaterThanOrEqual(decimal("500.0"))', { args: { ...args, amount: 500.5 } }, 'context.args.amount', '500.5', '499.9999'],
    ['context.args.iban != "DE02"', { args }, 'context.args.iban', JSON.stringify(args.iban), '"DE02"'],
    ['!(context.args.iban like "FR*")', { args }, 'context.args.iban', JSON.stringify(args.iban), '"FR"'],
    ['context.args has memo', { args: { ...args, memo: 'x' } }, 'context.args.memo', '"x"', null],
    ['!context.sponsor.groups.contains("board")', { args }, 'context.sponsor.groups', '["finance"]', '["finance","board"]'],
    ['context.sponsor.groups.contains("finance")', { args }, 'context.sponsor.groups', '["finance"]', '[]'],
    ['context.session.calls >= 3', { args, session: { calls: 7 } }, 'context.session.calls', '7', '2'],
    [
      'context.session.sensitivity > 0',
      { args, session: { label: { sensitivity: 'internal', categories: [], integrity: 'trusted' } } },
      'context.session.sensitivity',
      '"internal"',
      '"public"',
    ],
    ['!context.token.bound', { args, token: { bound: false } }, 'context.token.bound', 'false', 'true'],
    ['principal.clearance < 3', { args }, 'principal.clearance', '"confidential"', '"restricted"'],
    [
      'context.inputs has invoice && context.inputs.invoice != context.args.invoice',
      { args, inputs: { invoice: 'INV-8' } },
      'context.args.invoice',
      '"INV-7"',
      '"INV-8"',
    ],
    ['resource.effect == "destructive"', { args }, 'resource.effect', '"destructive"', '"write"'],
  ];
  test.each(turned)('%s', async (condition, over, fact, from, to) => {
    const found = explained(await compiled(source(forbid(condition))), call(over));
    expect(found.decision).toMatchObject({ decision: 'deny', policies: [{ id: 'acme/rule' }] });
    expect(found.facts).toContainEqual({ fact, value: from, policies: ['acme/rule'] });
    expect(found.changes).toContainEqual({ facts: [{ fact, from, to }], decision: 'allow', requirements: [] });
  });

  test('where no single fact does, one for each forbid together', async () => {
    const policy = await compiled(shipped);
    const found = explained(policy, call({ args: { ...args, amount: 20, iban: 'FR76' }, session: { live: false } }));
    expect(found.changes).toMatchObject([{ facts: [{ fact: 'context.args.iban' }, { fact: 'context.session.live', to: 'true' }], decision: 'allow' }]);
  });

  test('a forbid that nothing it reads can turn says so', async () => {
    const found = explained(await compiled(source(forbid('context.now >= 0'))), call({ args }));
    // The time could be before 1970 only.
    expect(found.changes).toMatchObject([{ facts: [{ fact: 'context.now', to: '-1' }] }]);
    const always = explained(await compiled(source(forbid('context.args.iban like "*"'))), call({ args }));
    expect(always.changes).toEqual([]);
    expect(explainInWords(always, call({ args }))).toContain('No single one of these facts would change the outcome');
  });
});

test('a call that waits: satisfying it lets it run, and so does a smaller amount', async () => {
  const found = explained(await compiled(shipped), call({ args }));
  expect(found.changes).toEqual([
    { facts: [{ fact: 'context.satisfied', from: '[]', to: '["approval:finance","approval:finance:2"]' }], decision: 'allow', requirements: [] },
    { facts: [{ fact: 'context.args.amount', from: '600', to: '500' }], decision: 'allow', requirements: [] },
  ]);
});

describe('a denial for want of a permit', () => {
  const text = `@id("acme/a") permit (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when { principal.workflow == "exploration" && context.session.calls < 3 && context.token.bound } unless { context.args.amount.greaterThan(decimal("100.0")) };
@id("acme/b") @reason("Only its own") permit (principal == Taskgate::Agent::"acme/explorer", action in [Taskgate::Action::"upstream:mail"], resource);
@id("acme/c") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "exploration" };`;

  test('names the permits that come nearest and what of each does not hold', async () => {
    const found = explained(await compiled(source(text)), call({ args, session: { calls: 5 } }));
    expect(found.decision).toMatchObject({ cause: 'no_permit' });
    expect(found.nearest).toEqual([
      { id: 'acme/c', reason: null, fails: ['principal.workflow == "exploration"'] },
      { id: 'acme/b', reason: 'Only its own', fails: ['action in Taskgate::Action::"upstream:mail"', 'principal == Taskgate::Agent::"acme/explorer"'] },
      {
        id: 'acme/a',
        reason: null,
        fails: ['principal.workflow == "exploration"', 'context.session.calls < 3', 'not context.args.amount.greaterThan(decimal("100.0"))'],
      },
    ]);
    expect(found.changes).toMatchObject([{ facts: [{ fact: 'principal.workflow', to: '"exploration"' }], decision: 'allow' }]);
  });

  test('in words that need no Cedar', async () => {
    const facts = call({ args, agent: { workflow: 'gardening' } });
    expect(
      explainInWords(explained(await compiled(source(permit)), facts), facts),
    ).toBe(`Denied: acme/invoice-matcher calling ledger__post_payment for local#ana.
No policy of acme permits it: a permit for workflow "gardening" whose action covers ledger__post_payment would have to hold.
What was looked at:
  the agent’s workflow: "gardening"
The permits that come nearest, and what of them does not hold:
  acme/matcher
    principal.workflow == "invoice-matching"
What would change the outcome, each tried:
  if the agent’s workflow were "invoice-matching" instead of "gardening": it would be allowed`);
  });
});

test('an allowed call, and one that could not be judged, are not searched', async () => {
  const policy = await compiled(shipped);
  expect(explained(policy, call())).toMatchObject({ decision: { decision: 'allow' }, changes: [], tried: 0 });
  expect(explained(policy, call({ args: { ...args, amount: 0.00001 } }))).toMatchObject({ decision: { cause: 'unrepresentable' }, changes: [], tried: 0 });
  expect(explained(policy, call({ tool: { name: 'ledger__gone' } }))).toMatchObject({ decision: { cause: 'error' }, changes: [], tried: 0 });
});

test('a search makes at most two hundred decisions, however much policy names', async () => {
  const names = (from: number) => Array.from({ length: 200 }, (_, index) => `"g${from + index}"`).join(', ');
  const found = explained(
    await compiled(source(forbid(`!context.sponsor.groups.containsAny([${names(0)}]) || ![${names(500)}].contains(context.args.iban)`))),
    call({ args }),
  );
  expect(found.tried).toBeLessThanOrEqual(200);
  expect(found.tried).toBeGreaterThan(100);
});

test('whatever is told would change the outcome does, the same each time', async () => {
  const policy = await compiled(shipped);
  let told = 0;
  fc.assert(
    fc.property(
      fc.record({
        amount: fc.constantFrom(20, 500, 500.0001, 600, 5000),
        iban: fc.constantFrom('DE02', 'FR76', ''),
        workflow: fc.constantFrom('invoice-matching', 'exploration', 'gardening'),
        live: fc.boolean(),
        clearance: fc.constantFrom('public', 'confidential'),
        satisfied: fc.subarray(['approval:finance', 'approval:finance:2']),
      }),
      ({ amount, iban, workflow, live, clearance, satisfied }) => {
        const facts = call({ args: { ...args, amount, iban }, agent: { workflow, clearance: clearance as 'public' }, session: { live }, satisfied });
        const found = explained(policy, facts);
        expect(explained(policy, facts)).toEqual(found);
        for (const { facts: changed, decision } of found.changes) {
          told += 1;
          const next = changed.reduce((so, { fact, to }) => changedFact(so, fact, to === null ? undefined : JSON.parse(to)), facts);
          expect(policy.decide(next).decision).toBe(decision);
        }
      },
    ),
    { numRuns: 60, seed: 15 },
  );
  expect(told).toBeGreaterThan(20);
});

/** Written apart from what the search itself uses. */
function changedFact(facts: CallFacts, fact: string, to: unknown): CallFacts {
  const [variable, root, name = ''] = fact.split('.');
  if (variable === 'principal') return withStated(facts, { agent: { [root ?? '']: to } });
  if (variable === 'resource')
    return withStated(
      facts,
      ['sensitivity', 'categories', 'integrity'].includes(root ?? '') ? { tool: { returns: { [root ?? '']: to } } } : { tool: { [root ?? '']: to } },
    );
  if (root === 'args') return { ...facts, args: { ...facts.args, [name]: to } };
  if (root === 'session')
    return withStated(facts, name === 'sensitivity' ? { session: { label: { sensitivity: to as 'public' } } } : { session: { [name]: to } });
  return withStated(facts, { [root ?? '']: to });
}
