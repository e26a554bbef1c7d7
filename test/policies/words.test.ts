import { describe, expect, test } from 'vitest';
import { type CallFacts, explainDecision, printSchema, type TenantPolicy } from '../../policies/index.ts';
import { acme, call, compiled, permit, policyFiles, source } from './tenants.ts';

const explained = (policy: TenantPolicy, facts: CallFacts): string => explainDecision(policy.decide(facts), facts);

describe('a decision in words', () => {
  const shipped = { ...acme, files: policyFiles('acme') };

  test('of a call that waits: what decided, why, and what would let it run', async () => {
    const args = { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 600 };
    expect(explained(await compiled(shipped), call({ args }))).toBe(`Waits for a human: acme/invoice-matcher calling ledger__post_payment for local#ana.
  acme/payments-need-finance: Payments above 500 need two people from finance.
It may run once this is satisfied for exactly this call:
  2 different reviewers of finance approve`);
  });

  test('of every other decision', async () => {
    const policy = await compiled(shipped);
    const words = (over: Parameters<typeof call>[0]) => explained(policy, call(over));
    expect(words({})).toMatch(/^Allowed: .*\n {2}acme\/matcher-may-use-its-grants: /);
    expect(words({ session: { live: false } })).toMatch(/Denied.*\n {2}platform\/session-live: .*\nNo human can lift this/);
    expect(words({ agent: { workflow: 'gardening' } })).toContain('a permit for workflow "gardening" whose action covers ledger__post_payment');
    expect(words({ args: { invoice: 'INV-7', iban: 'DE02', amount: 0.00001 } })).toContain('context.args.amount does not fit decimal');
    expect(words({ tool: { name: 'ledger__gone' } })).toContain('The law could not be applied');
  });

  test('of each kind of requirement, and of its time', async () => {
    const asking = (literal: string) =>
      `${permit}@id("acme/ask") @reason("Ask") @expires("30m") forbid (principal, action in Taskgate::Action::"call", resource) unless { context.satisfied.contains("${literal}") };`;
    const words = async (literal: string) => explained(await compiled(source(asking(literal))), call());
    expect(await words('approval:finance')).toContain('one reviewer of finance approves\nAn answer must come within 1800 seconds.');
    expect(await words('approval:finance:2:passkey')).toContain('2 different reviewers of finance approve, with a passkey');
    expect(await words('confirm:sponsor')).toContain('the sponsor confirms');
    expect(await words('redact:pii')).toContain('pii is taken out of the result');
  });
});

test('the printed schema holds each tool’s arguments by type, each group, and the inputs', () => {
  const printed = printSchema({ ...acme });
  expect(printed).toMatch(/action "ledger__post_payment" in \[?(Action::)?"upstream:ledger"/);
  expect(printed).toMatch(/"?amount"?: (__cedar::)?decimal/);
  expect(printed).toMatch(/"?memo"?\?: (__cedar::)?String/);
  expect(printed).toMatch(/"?limit"?\?: (__cedar::)?Long/);
  expect(printed).toMatch(/"?inputs"?: \{\s*"?invoice"?\?: (__cedar::)?String/);
  for (const word of ['attested_by', 'clearance', 'satisfied', 'bound', 'standing']) expect(printed).toContain(word);
});
