import { describe, expect, test } from 'vitest';
import type { PolicySource } from '../../policies/index.ts';
import { compilePolicy, findUntested, runCases } from '../../policies/index.ts';
import { acme, compiled, permit, source } from './tenants.ts';

const payments = `${permit}
@id("acme/payments")
@reason("Large payments need finance")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when { context.args.amount.greaterThan(decimal("500.0")) }
unless { context.satisfied.contains("approval:finance:2") };`;

const withCases = (cases: string, text = payments): PolicySource => ({ ...acme, files: [{ file: 'acme/payments.cedar', text, cases }] });
const run = async (cases: string) => runCases(withCases(cases), await compiled(withCases(cases)));

const large = '{ args: { invoice: INV-7, iban: DE02, amount: 600 } }';

describe('a case', () => {
  test('meets what it expects and says what came instead when it does not', async () => {
    const [good, bad] = await run(`
- { case: asks, tool: ledger__post_payment, facts: ${large}, expect: { decision: require, requirements: ["approval:finance:2"], policies: [acme/payments] } }
- { case: wrong, tool: ledger__post_payment, facts: ${large}, expect: { decision: allow } }`);
    expect(good).toMatchObject({ file: 'acme/payments.cedar', case: 'asks', ok: true });
    expect(bad).toMatchObject({ ok: false, expected: { decision: 'allow' }, actual: { decision: 'require', requirements: ['approval:finance:2'] } });
  });

  test('compares lists as sets, and only what it states', async () => {
    const results = await run(`
- { case: one, tool: ledger__post_payment, facts: ${large}, expect: { decision: require } }
- { case: two, tool: ledger__post_payment, facts: ${large}, expect: { decision: require, policies: [] } }
- { case: three, tool: ledger__post_payment, facts: ${large}, expect: { decision: require, requirements: ["approval:finance"] } }`);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false]);
  });

  test('about a tool that is not there is never met, not even by expecting a denial', async () => {
    expect(await run('- { case: gone, tool: ledger__gone, expect: { decision: deny } }')).toMatchObject([
      { ok: false, actual: { cause: 'There is no tool ledger__gone' } },
    ]);
  });

  test('can change every fact of the session it starts from', async () => {
    const text = `${permit}@id("acme/all") @reason("all") forbid (principal, action in Taskgate::Action::"call", resource) when {
      principal.name like "x" && principal.owner == "eve" && principal.clearance == 2 && context.sponsor.person == "p" && context.sponsor.groups.contains("g") &&
      context.session.use_case == "u" && context.session.mode == "autonomous" && context.session.attested_by == "agent" && context.session.ceiling == 2 &&
      context.session.age == 7 && context.session.calls == 8 && context.session.sensitivity == 1 && context.session.categories.contains("pii") &&
      context.session.integrity == 0 && resource.effect == "write" && resource.reaches == "tenant" && resource.accepts == 2 && resource.categories.contains("phi") &&
      !context.token.bound && context.now == 9 && context.satisfied.isEmpty()
    };`.replace(' && context.satisfied.isEmpty()', '');
    const cases = `
- case: everything
  tool: ledger__get_invoice
  facts:
    args: { invoice: INV-7 }
    agent: { name: x, workflow: invoice-matching, owner: eve, clearance: confidential }
    sponsor: { person: p, groups: [g] }
    session: { use_case: u, mode: autonomous, attested_by: agent, ceiling: confidential, age: 7, calls: 8, label: { sensitivity: internal, categories: [pii], integrity: external } }
    tool: { effect: write, reaches: tenant, accepts: confidential, returns: { categories: [phi] } }
    token: { bound: false }
    now: 9
  expect: { decision: deny, policies: [acme/all] }`;
    expect(runCases(withCases(cases, text), await compiled(withCases(cases, text)))).toMatchObject([{ ok: true }]);
  });

  test('starts from an agent that a permit for its tool names', async () => {
    const text = `@id("acme/a") permit (principal, action in Taskgate::Action::"upstream:ledger", resource) when { principal.workflow == "exploration" };
@id("acme/b") permit (principal == Taskgate::Agent::"acme/invoice-matcher", action in Taskgate::Action::"upstream:mail", resource);`;
    const cases = `
- { case: ledger, tool: ledger__get_invoice, facts: { args: { invoice: INV-7 } }, expect: { decision: allow, policies: [acme/a] } }
- { case: mail, tool: mail__search, facts: { args: { query: x } }, expect: { decision: allow, policies: [acme/b] } }`;
    expect(runCases(withCases(cases, text), await compiled(withCases(cases, text))).map(({ ok }) => ok)).toEqual([true, true]);
  });
});

describe('a case file that cannot be read is a problem of the set', () => {
  const refused: readonly [string, number | null, string][] = [
    ['- { case: a, tool: t, expect: { decision: maybe } }', 1, 'decision'],
    ['- { case: a, tool: t, expect: { decision: deny } }\n- { case: b, tool: t, facts: { sesion: {} }, expect: { decision: deny } }', 2, 'sesion'],
    ['- { case: a, tool: t, expect: { decision: deny }, skip: true }', 1, 'skip'],
    ['case: a', null, 'array'],
    ['- {', 1, ''],
    ['- { case: a, case: b, tool: t, expect: { decision: deny } }', 1, 'unique'],
    ['- &a [*a, *a]', null, 'alias'],
    [`- { case: a, tool: t, facts: { args: ${'['.repeat(5000)}${']'.repeat(5000)} }, expect: { decision: deny } }`, null, ''],
    [`# ${'x'.repeat(300_000)}`, null, 'larger than'],
  ];
  test.each(refused)('%#', async (cases, line, cause) => {
    const answer = await compilePolicy(withCases(cases));
    expect(answer).toMatchObject({ problems: [{ file: 'acme/payments.cases.yaml', cause: expect.stringContaining(cause) }] });
    if (line !== null) expect(answer).toMatchObject({ problems: [{ line }] });
  });

  test('an empty file holds no cases', async () => {
    expect(await run('')).toEqual([]);
  });
});

describe('the deletion check', () => {
  const asks = `- { case: asks, tool: ledger__post_payment, facts: ${large}, expect: { decision: require, policies: [acme/payments] } }`;
  const small = '- { case: pays, tool: ledger__post_payment, facts: { args: { invoice: INV-7, iban: DE02, amount: 5 } }, expect: { decision: allow } }';

  test('names the policies no case would miss', () => {
    expect(findUntested(source(payments))).toEqual(['acme/matcher', 'acme/payments']);
    expect(findUntested(withCases(small))).toEqual(['acme/payments']);
    expect(findUntested(withCases(asks))).toEqual([]);
  });

  test('is not satisfied by a case that fails anyway', () => {
    expect(findUntested(withCases(asks.replace('decision: require', 'decision: allow')))).toEqual(['acme/matcher', 'acme/payments']);
  });

  test('counts a policy that another one makes redundant as untested', () => {
    const twice = payments + permit.replace('acme/matcher', 'acme/matcher-again');
    expect(findUntested(withCases(asks, twice))).toEqual(['acme/matcher', 'acme/matcher-again']);
  });

  test('is refused for a set that does not compile', () => {
    expect(() => findUntested(source('nonsense'))).toThrow('compiles');
  });
});
