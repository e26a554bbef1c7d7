import { describe, expect, test } from 'vitest';
import { call, compiled, permit, source } from './tenants.ts';

const action = 'principal, action == Taskgate::Action::"ledger__post_payment", resource';
const permitting = (rest: string) => `@id("acme/permit") permit (${action}) when { principal.workflow == "invoice-matching" } ${rest};`;
const forbidding = (rest: string) => `${permit}@id("acme/forbid") @reason("forbid") forbid (${action}) ${rest};`;

/** About arguments, so unknown before the call; and about the session, so known: 0 calls made, token bound. */
const open = 'context.args.iban like "DE*"';
const yes = 'context.token.bound';
const no = '!context.token.bound';

const listed = async (text: string, over: Parameters<typeof call>[0] = {}) => (await compiled(source(text))).listable(call(over));

describe('what only arguments decide stays listed', () => {
  const conditions = [
    open,
    `!(${open})`,
    `!(!(${open}))`,
    `${open} && ${yes}`,
    `${open} || ${no}`,
    `!(${open} || ${no})`,
    `!(${open} && ${yes})`,
    `if ${open} then ${yes} else ${no}`,
    `if ${open} then ${no} else ${yes}`,
    `if ${yes} then ${open} else ${no}`,
    `(${open}) == (${yes})`,
    `(if ${open} then 1 else 2) == 2`,
    'context.args has memo',
    `[context.args.iban, "x"].contains("x")`,
  ];
  test.each(conditions)('permit … when %s', async (condition) => {
    expect(await listed(permitting(`when { ${condition} }`))).toBe(true);
  });
  test.each(conditions)('permit … unless %s', async (condition) => {
    expect(await listed(permitting(`unless { ${condition} }`))).toBe(true);
  });
  test.each(conditions)('forbid … when %s', async (condition) => {
    expect(await listed(forbidding(`when { ${condition} }`))).toBe(true);
  });
  test.each(conditions)('forbid … unless %s', async (condition) => {
    expect(await listed(forbidding(`unless { ${condition} }`))).toBe(true);
  });
});

describe('what is denied whatever the arguments is hidden', () => {
  const never: readonly [string, string][] = [
    ['a permit that needs more than arguments', permitting(`when { ${open} && ${no} }`)],
    ['a permit turned away by what is known', permitting(`unless { ${open} || ${yes} }`)],
    ['a permit whose every way is closed', permitting(`when { if ${open} then ${no} else !(${yes}) }`)],
    ['a permit under a negation', permitting(`when { !(${open} || ${yes}) }`)],
    ['a forbid that arguments cannot avoid', forbidding(`when { ${open} || ${yes} }`)],
    ['a forbid whose every way bites', forbidding(`when { if ${open} then ${yes} else !(${no}) }`)],
    ['a forbid that arguments cannot lift', forbidding(`unless { ${open} && ${no} }`)],
    ['a forbid without conditions', forbidding('')],
  ];
  test.each(never)('%s', async (_, text) => {
    expect(await listed(text)).toBe(false);
  });
});

test('a forbid that a requirement lifts does not hide the tool', async () => {
  expect(await listed(forbidding('unless { context.satisfied.contains("approval:finance:2") }'))).toBe(true);
});

test('a condition that errs only for some arguments does not hide the tool', async () => {
  const overflow = 'context.now * 9223372036 > 0';
  const policy = await compiled(source(permitting(`when { (${open} && ${overflow}) || ${yes} }`)));
  expect(policy.decide(call())).toMatchObject({ decision: 'deny', cause: 'error' });
  const elsewhere = call({ args: { invoice: 'INV-7', iban: 'FR76', amount: 20 } });
  expect(policy.decide(elsewhere).decision).toBe('allow');
  expect(policy.listable(elsewhere)).toBe(true);
});

test('the agent, the session and the sponsor are taken as they are', async () => {
  expect(await listed(permit)).toBe(true);
  expect(await listed(permit, { agent: { workflow: 'gardening' } })).toBe(false);
  expect(await listed(permit, { session: { granted: false } })).toBe(false);
  expect(await listed(forbidding('when { context.sponsor.groups.contains("finance") }'))).toBe(false);
  expect(await listed(forbidding('when { context.sponsor.groups.contains("finance") }'), { sponsor: { groups: [] } })).toBe(true);
});
