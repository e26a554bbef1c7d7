import { describe, expect, test } from 'vitest';
import type { PolicyTool } from '../../policies/index.ts';
import { call, causes, compiled, payment, permit, source } from './tenants.ts';

const tool = (properties: Record<string, unknown>, over: Partial<PolicyTool> = {}): PolicyTool => ({
  ...payment,
  inputSchema: { type: 'object', properties, required: [] },
  ...over,
});
const forbidden = (condition: string) => `${permit}
@id("acme/reads") @reason("reads") forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { ${condition} };`;

const judge = async (properties: Record<string, unknown>, condition: string, args: Record<string, unknown>) => {
  const policy = await compiled(source(forbidden(condition), { tools: [tool(properties)] }));
  const decision = policy.decide(call({ args }));
  return decision.decision === 'deny' ? decision.cause : decision.decision;
};

describe('numbers convert exactly or deny', () => {
  const over500 = 'context.args has amount && context.args.amount.greaterThan(decimal("500.0"))';
  const amounts: readonly [unknown, string][] = [
    [0.1, 'allow'],
    [-0.1, 'allow'],
    [0, 'allow'],
    [-0, 'allow'],
    [500, 'allow'],
    [500.0001, 'forbidden'],
    [500.00001, 'unrepresentable'],
    [0.1 + 0.2, 'unrepresentable'],
    [1e3, 'forbidden'],
    [1e-5, 'unrepresentable'],
    [9e14, 'forbidden'],
    [922_337_203_685_477.5, 'forbidden'],
    [922_337_203_685_477.6, 'unrepresentable'],
    [2 ** 53, 'unrepresentable'],
    [1e21, 'unrepresentable'],
    [Number.POSITIVE_INFINITY, 'unrepresentable'],
    [Number.NaN, 'unrepresentable'],
    ['600', 'unrepresentable'],
    ['6e2', 'unrepresentable'],
    [null, 'unrepresentable'],
    [true, 'unrepresentable'],
    [[600], 'unrepresentable'],
    [{ __extn: { fn: 'decimal', arg: '1.0' } }, 'unrepresentable'],
  ];
  test.each(amounts)('number %s: %s', async (amount, expected) => {
    expect(await judge({ amount: { type: 'number' } }, over500, { amount })).toBe(expected);
  });

  const integers: readonly [unknown, string][] = [
    [3, 'forbidden'],
    [2, 'allow'],
    [2 ** 53 - 1, 'forbidden'],
    [2 ** 53, 'unrepresentable'],
    [-(2 ** 53), 'unrepresentable'],
    [2.5, 'unrepresentable'],
    ['3', 'unrepresentable'],
    [3n, 'unrepresentable'],
  ];
  test.each(integers)('integer %s: %s', async (count, expected) => {
    expect(await judge({ count: { type: 'integer' } }, 'context.args has count && context.args.count > 2', { count })).toBe(expected);
  });
});

describe('other types', () => {
  const cases: readonly [string, Record<string, unknown>, string, unknown, string][] = [
    ['a string', { type: 'string' }, 'context.args.x == "a"', 'a', 'forbidden'],
    ['a lone surrogate', { type: 'string' }, 'context.args.x == "a"', '\ud800', 'unrepresentable'],
    ['a huge string', { type: 'string' }, 'context.args.x == "a"', 'a'.repeat(70_000), 'unrepresentable'],
    ['an enumeration without type', { enum: ['a', 'b'] }, 'context.args.x == "a"', 'a', 'forbidden'],
    ['a boolean', { type: 'boolean' }, 'context.args.x', true, 'forbidden'],
    ['a word for a boolean', { type: 'boolean' }, 'context.args.x', 'true', 'unrepresentable'],
    ['a set', { type: 'array', items: { type: 'string' } }, 'context.args.x.contains("a")', ['b', 'a'], 'forbidden'],
    ['a set of decimals', { type: 'array', items: { type: 'number' } }, 'context.args.x.contains(decimal("0.1"))', [0.1, 2], 'forbidden'],
    ['a set with one misfit', { type: 'array', items: { type: 'string' } }, 'context.args.x.contains("a")', ['b', 1], 'unrepresentable'],
    ['a set too long to hand over', { type: 'array', items: { type: 'integer' } }, 'context.args.x.contains(7)', Array(300).fill(1), 'unrepresentable'],
    ['one value for a set', { type: 'array', items: { type: 'string' } }, 'context.args.x.contains("a")', 'a', 'unrepresentable'],
    ['a nullable string', { type: ['string', 'null'] }, 'context.args.x == "a"', 'a', 'forbidden'],
    ['null for a nullable string', { type: ['string', 'null'] }, 'context.args.x == "a"', null, 'unrepresentable'],
  ];
  test.each(cases)('%s', async (_, schema, condition, x, expected) => {
    expect(await judge({ x: schema }, `context.args has x && ${condition}`, { x })).toBe(expected);
  });

  const nested = { to: { type: 'object', properties: { email: { type: 'string' }, name: { type: 'string' }, odd: { anyOf: [] } }, required: ['email'] } };

  test('a nested object is read by its fields; what no policy reads is not looked at', async () => {
    const condition = 'context.args has to && context.args.to.email like "*@evil.example"';
    expect(await judge(nested, condition, { to: { email: 'a@evil.example', name: 7, odd: {}, more: [] } })).toBe('forbidden');
    expect(await judge(nested, condition, { to: { email: 'a@acme.example' } })).toBe('allow');
    expect(await judge(nested, condition, { to: { name: 'a' } })).toBe('unrepresentable');
    expect(await judge(nested, condition, { to: 'a@evil.example' })).toBe('unrepresentable');
    expect(await judge(nested, condition, {})).toBe('allow');
  });

  test('a nested object compared as a whole must be wholly readable', async () => {
    const condition = 'context.args has to && context.args.to == {email: "a"}';
    const plain = { to: { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] } };
    expect(await judge(plain, condition, { to: { email: 'a' } })).toBe('forbidden');
    expect(await judge(plain, condition, { to: { email: 'a', cc: 'b' } })).toBe('unrepresentable');
  });

  test('presence below an object can be asked in one step', async () => {
    const condition = 'context.args has to.name && context.args.to.name == "x"';
    expect(await judge(nested, condition, { to: { email: 'a', name: 'x' } })).toBe('forbidden');
    expect(await judge(nested, condition, { to: { email: 'a' } })).toBe('allow');
  });
});

describe('what is not there, and what should not be', () => {
  test('an absent optional argument is an absent attribute', async () => {
    expect(await judge({ memo: { type: 'string' } }, 'context.args has memo', {})).toBe('allow');
    expect(await judge({ memo: { type: 'string' } }, '!(context.args has memo)', {})).toBe('forbidden');
    expect(await judge({ memo: { type: 'string' } }, 'context.args has memo', { memo: undefined })).toBe('allow');
  });

  test('reading an optional argument without asking for it first does not compile', async () => {
    const [cause] = await causes(source(forbidden('context.args.memo == "x"'), { tools: [tool({ memo: { type: 'string' } })] }));
    expect(cause).toContain('memo');
  });

  test('an absent required argument denies', async () => {
    const policy = await compiled(source(forbidden('context.args.iban like "FR*"')));
    expect(policy.decide(call({ args: { invoice: 'INV-7', amount: 20 } }))).toMatchObject({ cause: 'unrepresentable', detail: 'context.args.iban is missing' });
  });

  test('keys starting with two underscores are refused at any depth, read or not', async () => {
    const policy = await compiled(source(permit));
    const hostile = [
      { __extn: { fn: 'decimal', arg: '1.0' } },
      { memo: { __entity: { type: 'Taskgate::Agent', id: 'acme/other' } } },
      { memo: [[{ a: { __proto: 1 } }]] },
      JSON.parse('{"__proto__": {"amount": 1}}'),
    ];
    for (const args of hostile) expect(policy.decide(call({ args }))).toMatchObject({ decision: 'deny', cause: 'unrepresentable' });
    expect(policy.decide(call({ inputs: { a: { __extn: 1 } } }))).toMatchObject({ cause: 'unrepresentable' });
    expect(policy.decide(call({ args: { _memo: '__extn' } })).decision).toBe('allow');
  });

  test('an argument that only other tools declare is not passed over when it comes', async () => {
    const open = tool({}, { name: 'ledger__open' });
    const text = `${permit}
@id("acme/reads") @reason("reads") forbid (principal, action in Taskgate::Action::"call", resource)
when { context.args has amount && context.args.amount.greaterThan(decimal("500.0")) };`;
    const policy = await compiled(source(text, { tools: [payment, open] }));
    expect(policy.decide(call({ args: { amount: 600 } }, open))).toMatchObject({ decision: 'deny', cause: 'unrepresentable' });
    expect(policy.decide(call({ args: {} }, open)).decision).toBe('allow');
  });

  test('only arguments that some policy reads are looked at', async () => {
    const policy = await compiled(source(permit));
    expect(policy.decide(call({ args: { amount: 0.1 + 0.2, iban: null, other: Array(10_000).fill({ a: 1 }) } })).decision).toBe('allow');
  });

  test('the detail of a denial never carries the value', async () => {
    const policy = await compiled(source(forbidden('context.args.iban like "FR*"')));
    const decision = policy.decide(call({ args: { invoice: 'INV-7', iban: { hidden: 'top secret' }, amount: 20 } }));
    expect(JSON.stringify(decision)).not.toContain('secret');
  });

  test('inputs that two use cases type differently cannot be read', async () => {
    const useCases = ['string', 'integer'].map((type, index) => ({ name: `u${index}`, workflow: 'invoice-matching', inputs: { x: { type } } }));
    const [cause] = await causes(source(forbidden('context.inputs has x && context.inputs.x == "a"'), { useCases }));
    expect(cause).toContain('`x` has no type that policy can read');
  });
});
