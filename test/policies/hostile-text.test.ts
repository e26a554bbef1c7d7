import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { inThrowAway } from '../../policies/vet/throw-away.ts';
import { call, causes, compiled, payment, permit, source } from './tenants.ts';

const rule = (condition: string) => `${permit}
@id("acme/rule") @reason("rule") forbid (principal, action in Taskgate::Action::"call", resource) when { ${condition} };`;

/** The engine is one instance for every tenant: whatever text was tried, it must answer the next call. */
afterEach(async () => {
  expect((await compiled(source(permit))).decide(call()).decision).toBe('allow');
});

describe('text that would kill the engine never reaches it', () => {
  const many = (count: number, text: string, separator = '') => Array(count).fill(text).join(separator);
  const hostile: Record<string, string> = {
    '150 nested parentheses': `${'('.repeat(150)}true${')'.repeat(150)}`,
    '300 nested sets': `${'['.repeat(300)}1${']'.repeat(300)} == 1`,
    '40 nested records': `${'{a:'.repeat(40)}1${'}'.repeat(40)} == 1`,
    '1,000 chained additions': `${many(1000, '1', '+')} == 1`,
    '9,000 chained conjunctions': many(9000, 'true', '&&'),
    '3,000 chained members': `context${many(3000, '.a')}`,
    '1,000 chained ifs': `${many(1000, 'if true then true else ')}true`,
    '1,000 chained comparisons by name': many(1000, 'principal is Taskgate::Agent', ' || '),
    '5,000 negations': `${'!'.repeat(5000)}true`,
    'nesting behind a comment': `// " \n${'('.repeat(150)}true${')'.repeat(150)}`,
    'nesting behind an escaped quote': `"\\"" == "(" && ${'('.repeat(150)}true${')'.repeat(150)}`,
  };
  test.each(Object.entries(hostile))('%s', async (_, condition) => {
    const [cause, ...others] = await causes(source(rule(condition)));
    expect(cause).toMatch(/nest|More than/);
    expect(others).toEqual([]);
  });

  test('a file larger than 64 KiB', async () => {
    expect(await causes(source(`${permit}// ${'x'.repeat(65_536)}`))).toEqual([expect.stringContaining('65536 bytes')]);
  });

  test('more policies than a file may hold', async () => {
    expect(await causes(source(many(201, permit)))).toEqual([expect.stringContaining('More than 200 policies')]);
  });

  test('brackets, strings and policies that do not close, strings that go on too long, and numbers no tree can hold', async () => {
    for (const [text, cause] of [
      [rule('true)'), 'closes nothing'],
      [rule('"a'), 'A string does not end'],
      [rule(`context.session.id like "*${'a'.repeat(600)}b"`), 'A string is longer'],
      [rule('context.now < 9007199254740992'), 'A number beyond 2^53'],
      [permit.replace(';', ''), 'A policy does not end'],
      [`${permit}\ud800`, 'not valid Unicode'],
    ] as const) {
      expect(await causes(source(text))).toEqual([expect.stringContaining(cause)]);
    }
  });
});

describe('the largest text that is let through is judged', () => {
  const chain = (count: number, operator: string, term: string) => Array(count).fill(term).join(operator);
  const largest: Record<string, string> = {
    '25 nested parentheses': `${'('.repeat(25)}context.now == 1${')'.repeat(25)}`,
    '45 conjunctions': chain(45, ' && ', 'context.now > 0'),
    '30 ifs': `${'if context.now == 1 then true else '.repeat(30)}context.now == 2`,
    '45 additions': `${chain(45, ' + ', 'context.now')} == 1`,
    '1,000 values in a set': `[${chain(1000, ',', '1')}].contains(context.now)`,
    'brackets in strings and comments': `context.session.id == "${'(['.repeat(200)}" // ${'({'.repeat(100)}\n`,
  };
  test.each(Object.entries(largest))('%s', async (_, condition) => {
    const policy = await compiled(source(rule(condition)));
    expect(policy.decide(call()).decision).toMatch(/allow|deny/);
    expect(policy.decide(call())).not.toMatchObject({ cause: 'error' });
    expect(policy.listable(call())).toEqual(expect.any(Boolean));
  });

  test('a condition deeper than the engine can take back from JSON is refused by name', async () => {
    expect(await causes(source(rule(chain(60, ' && ', 'context.now > 0'))))).toEqual([expect.stringContaining('nests deeper than 50')]);
  });
});

test('a look-alike letter is refused', async () => {
  const cyrillic = permit.replace('invoice-matching', 'invoice-m\u0430tching');
  expect(await causes(source(cyrillic))).toEqual([expect.stringMatching(/script/i)]);
});

test('a bidirectional control character is refused', async () => {
  expect(await causes(source(permit.replace('invoice-matching', 'invoice\u202e-matching')))).toEqual([expect.stringMatching(/BIDI|bidi/)]);
});

test('comments may stand anywhere, hold anything, and be all there is', async () => {
  expect(await causes(source(`// ; ((( "\n${permit}// the end ;;`))).toEqual([]);
  expect(await causes(source(permit.replace('when', '// "( ;\nwhen')))).toEqual([]);
  expect((await compiled(source('// nothing yet'))).decide(call())).toMatchObject({ decision: 'deny', cause: 'no_permit' });
});

describe('texts at their limits and beyond, each in a bounded time', () => {
  const nest = (open: string, inner: string, close: string, count: number) => `${open.repeat(count)}${inner}${close.repeat(count)}`;
  const beyond: Record<string, string> = {
    'nested parentheses, one too many': rule(nest('(', 'true', ')', 32)),
    'nested sets, one too many': rule(`${nest('[', '1', ']', 33)} == 1`),
    'ifs, one too many': rule(`${'if context.now == 1 then true else '.repeat(33)}false`),
    'operators, one too many': rule(Array(130).fill('context.now > 0').join(' && ')),
    '10 MB of spaces': `${permit}${' '.repeat(10_000_000)}`,
    '10 MB in one word': `permit${'x'.repeat(10_000_000)}`,
    'one byte more than a file may hold': permit.padEnd(65_537, '\n'),
    'a NUL': permit.replace('when', '\0when'),
    'a NUL in a string': permit.replace('invoice-matching', 'invoice\0-matching'),
    'a space without width': permit.replace('invoice-matching', 'invoice\u200b-matching'),
    'an unterminated comment’s string': `${permit}"never ends`,
    'a string that ends in a backslash': `${permit}"never ends \\`,
    'an isolate that hides the rest': permit.replace('invoice-matching', '\u2066invoice-matching\u2069'),
    'a look-alike in a name': permit.replace('principal.workflow', 'principal.w\u043erkflow'),
    'an id used again': permit + permit,
    'ids by position only': 'permit (principal, action, resource);\nforbid (principal, action, resource);',
    'a thousand annotations': `${Array.from({ length: 1000 }, (_, index) => `@a${index}("x")`).join(' ')} ${permit}`,
    'an annotation twice': `@id("acme/other") ${permit}`,
    'a template': permit.replace('principal,', 'principal == ?principal,'),
    'a pattern of two thousand stars': rule(`context.session.id like "${'*a'.repeat(1000)}"`),
    'a number of a thousand digits': rule(`context.now == ${'9'.repeat(1000)}`),
    'an escape that is none': rule('context.session.id == "\\q"'),
    'a thousand levels of a dotted name': `permit (principal == ${'A::'.repeat(1000)}B::"x", action, resource);`,
    'an extension function that is none': rule(`${'system("x")'} == 1`),
    'a decimal nobody can hold': rule('decimal("99999999999999999999.0").lessThan(decimal("1.0"))'),
    'an address that is none': rule('ip("1.2.3.4/99").isLoopback()'),
  };
  test.each(Object.entries(beyond))('refused: %s', async (_, text) => {
    const began = performance.now();
    const refusals = await causes(source(text));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.length).toBeLessThanOrEqual(1100);
    for (const cause of refusals) expect(cause.length).toBeLessThan(2000);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  const within: Record<string, string> = {
    'the deepest brackets': rule(nest('(', 'context.now == 1', ')', 31)),
    'as many bytes as a file may hold': permit.padEnd(65_536, '\n'),
    'a pattern of 255 stars': rule(`context.args has invoice && context.args.invoice like "${'*a'.repeat(127)}*b"`).replace(
      'action in Taskgate::Action::"call"',
      'action == Taskgate::Action::"ledger__post_payment"',
    ),
    'a set of 5,000 values': rule(`[${Array.from({ length: 5000 }, (_, index) => index).join(',')}].contains(context.now)`),
    '200 policies': permit + Array.from({ length: 199 }, (_, index) => permit.replace('acme/matcher', `acme/p${index}`)).join('\n'),
  };
  test.each(Object.entries(within))('judged: %s', async (_, text) => {
    const policy = await compiled(source(text));
    const began = performance.now();
    const args = { invoice: 'a'.repeat(60_000), iban: 'DE02', amount: 20 };
    expect(policy.decide(call({ args }))).not.toMatchObject({ cause: 'error' });
    expect(policy.listable(call())).toEqual(expect.any(Boolean));
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

test('three thousand seeded texts, made of policy, its words and noise, end no engine', { timeout: 120_000 }, async () => {
  const words = [
    'permit',
    'forbid',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ',',
    ';',
    '@id("acme/x")',
    '@',
    'when',
    'unless',
    'principal',
    'action',
    'resource',
    'context',
    '.args',
    '.amount',
  ];
  const more = [
    '==',
    '!=',
    '<',
    '&&',
    '||',
    '!',
    '-',
    '+',
    '*',
    '.',
    'has',
    'in',
    'is',
    'like',
    'if',
    'then',
    'else',
    'decimal("1.0")',
    '"*a*"',
    '"\\u{0}"',
    '1',
    '-9223372036854775808',
  ];
  const entities = [
    'Taskgate::Action::"call"',
    'Taskgate::Agent::"acme/x"',
    '::',
    '?principal',
    '__cedar',
    'true',
    '[]',
    '{}',
    '//',
    '\n',
    '\u202e',
    '\0',
    'é',
    '😀',
  ];
  const soup = fc.array(fc.constantFrom(...words, ...more, ...entities), { maxLength: 60 }).map((some) => some.join(' '));
  const good = rule('context.session.calls > 3 && [1, 2].contains(context.now) && context.session.id like "a*"');
  const cut = fc
    .tuple(fc.nat(good.length), fc.nat(40), fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('')), fc.nat(4))
    .map(([at, length, put, times]) => good.slice(0, at) + put.repeat(times) + good.slice(at + length));
  const condition = soup.map(rule);
  const texts = fc.sample(fc.oneof(soup, cut, condition), { numRuns: 3000, seed: 1401 });
  const outcome = await inThrowAway<{ compiled: number; traps: number; alive: boolean }>(new URL('./fixtures/compiles.ts', import.meta.url), texts, {
    ms: 110_000,
    heapMb: 512,
    residentMb: 2048,
  });
  expect(outcome).toEqual({ answer: { compiled: expect.any(Number), traps: 0, alive: true } });
  // It says nothing unless some texts get past the parser.
  expect('answer' in outcome && outcome.answer.compiled).toBeGreaterThan(20);
});

describe('values that are hostile are refused before the engine, or cost little', () => {
  const reading = (condition: string) =>
    `${permit}@id("acme/reads") @reason("reads") forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { ${condition} };`;
  const deep = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  const objects = {
    ...payment,
    inputSchema: { type: 'object', properties: { to: { type: 'object', properties: { a: { type: 'string' } } }, memo: { type: 'string' } } },
  };
  const whole = { type: 'object', properties: { to: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } } };
  const values: readonly [string, Record<string, unknown>, string][] = [
    ['a record of 10,000 keys', { to: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index])) }, 'allow'],
    ['5,000 levels', { to: deep(5000) }, 'deny'],
    ['10,000 values', { to: { a: Array(10_000).fill('x') } }, 'deny'],
    ['a megabyte of text', { to: { a: 'x'.repeat(1_000_000) } }, 'deny'],
    ['null', { to: { a: null } }, 'deny'],
    ['a function call in the engine’s own form', { to: { __extn: { fn: 'ip', arg: '1.1.1.1' } } }, 'deny'],
    ['an entity in the engine’s own form', { to: { __entity: { type: 'Taskgate::Agent', id: 'acme/x' } } }, 'deny'],
    ['an expression in the engine’s own form', { to: { __expr: 'principal' } }, 'deny'],
    ['a prototype', { to: JSON.parse('{"__proto__":{"a":"x"}}') }, 'deny'],
    ['the very value the rule wants', { to: { a: 'x' } }, 'deny'],
    ['another', { to: { a: 'y' } }, 'allow'],
  ];
  test.each(values)('%s', async (_, args, expected) => {
    const policy = await compiled(source(reading('context.args has to.a && context.args.to.a == "x"'), { tools: [objects] }));
    const began = performance.now();
    expect(policy.decide(call({ args })).decision).toBe(expected);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test('a record that is compared as a whole is taken whole, or not at all', async () => {
    const policy = await compiled(source(reading('context.args has to && context.args.to == {a: "x"}'), { tools: [{ ...objects, inputSchema: whole }] }));
    for (const to of [Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index])), deep(5000), { a: 'x', b: 'y' }]) {
      const began = performance.now();
      expect(policy.decide(call({ args: { to } }))).toMatchObject({ decision: 'deny', cause: 'unrepresentable' });
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });
});
