import { expect, test } from 'vitest';
import { createMemo } from '../../policies/engine/memo.ts';
import { call, compiled, payment, permit, source } from './tenants.ts';

test('an equal question is asked once, another again, and each set of policies for itself', () => {
  const memo = createMemo();
  let asked = 0;
  const ask = (set: string, context: Record<string, unknown>) =>
    memo.answer(
      set,
      JSON.stringify(context),
      () => ({ n: ++asked }),
      () => true,
    ).n;
  expect([ask('call', { a: 1 }), ask('call', { a: 2 }), ask('call', { a: 1 }), ask('list', { a: 1 })]).toEqual([1, 2, 1, 3]);
});

test('an answer that does not last is asked for again', () => {
  const memo = createMemo();
  let asked = 0;
  const ask = () =>
    memo.answer(
      'call',
      '{}',
      () => ({ n: ++asked }),
      () => false,
    ).n;
  expect([ask(), ask()]).toEqual([1, 2]);
});

const reading = (condition: string) =>
  compiled(
    source(`${permit}@id("acme/reads") @reason("r") forbid (principal, action in Taskgate::Action::"call", resource) when { ${condition} };`, {
      tools: [payment],
    }),
  );

test.each([
  [
    'an argument',
    'context.args.invoice == "INV-8"',
    call({ args: { invoice: 'INV-7', iban: 'DE02', amount: 1 } }),
    call({ args: { invoice: 'INV-8', iban: 'DE02', amount: 1 } }),
  ],
  ['the session', 'context.session.calls > 3', call({ session: { calls: 0 } }), call({ session: { calls: 4 } })],
  ['the token', '!context.token.bound', call({ token: { bound: true } }), call({ token: { bound: false } })],
  ['the time', 'context.now > 5', call({ now: 1 }), call({ now: 6 })],
  ['the agent', 'principal.owner == "eve"', call({}), call({ agent: { owner: 'eve' } })],
  ['the tool', '!resource.pinned', call({}), call({ tool: { pinned: false } })],
  ['the sponsor', 'context.sponsor.groups.contains("x")', call({}), call({ sponsor: { groups: ['x'] } })],
  ['an input', 'context.inputs has invoice && context.inputs.invoice == "INV-8"', call({}), call({ inputs: { invoice: 'INV-8' } })],
  ['a whole record', 'context.session == context.session && context.session.age > 20', call({}), call({ session: { age: 21 } })],
])('what a policy reads of %s makes another question', async (_what, condition, before, after) => {
  const policy = await reading(condition);
  expect([policy.decide(before).decision, policy.decide(after).decision, policy.decide(before).decision]).toEqual(['allow', 'deny', 'allow']);
});

test('a condition may still ask for groups and entities that the scope has settled', async () => {
  for (const condition of [
    'action in Taskgate::Action::"upstream:ledger"',
    'resource in Taskgate::Upstream::"acme/ledger"',
    'principal == Taskgate::Agent::"acme/invoice-matcher"',
    'Taskgate::Upstream::"acme/ledger".tenant == "acme"',
  ]) {
    expect([condition, (await reading(condition)).decide(call({})).decision]).toEqual([condition, 'deny']);
  }
});

test('a scope over an upstream or one tool or agent bites', async () => {
  for (const scope of [
    'principal, action, resource in Taskgate::Upstream::"acme/ledger"',
    'principal, action, resource == Taskgate::Tool::"acme/ledger__post_payment"',
    'principal == Taskgate::Agent::"acme/invoice-matcher", action, resource',
    'principal is Taskgate::Agent, action, resource is Taskgate::Tool in Taskgate::Upstream::"acme/ledger"',
  ]) {
    const policy = await compiled(source(`${permit}@id("acme/scoped") @reason("r") forbid (${scope});`));
    expect([scope, policy.decide(call({})).decision]).toEqual([scope, 'deny']);
  }
});

test('a law remembers for itself alone: the next revision is asked afresh', async () => {
  const one = await compiled(source(permit));
  const two = await compiled(source(`${permit}@id("acme/never") @reason("closed") forbid (principal, action in Taskgate::Action::"call", resource);`));
  const facts = call({});
  expect(one.decide(facts).decision).toBe('allow');
  expect(two.decide(facts).decision).toBe('deny');
  expect(one.decide(facts).decision).toBe('allow');
});
