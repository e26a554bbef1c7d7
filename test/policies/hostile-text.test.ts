import { afterEach, describe, expect, test } from 'vitest';
import { call, causes, compiled, permit, source } from './tenants.ts';

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
