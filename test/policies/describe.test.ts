import { expect, test } from 'vitest';
import { describePolicies } from '../../policies/index.ts';

const rule = (condition: string, annotations = '@id("acme/rule") @reason("words")'): string =>
  `${annotations} forbid (principal, action, resource) when { ${condition} };`;
const meaningOf = (text: string): string | undefined => describePolicies(text)?.get('acme/rule')?.meaning;

test('a policy means the same whatever its spacing, comments, reason and order of record fields', () => {
  const one = meaningOf(rule('{ a: 1, b: 2 }.a == 1'));
  expect(one).toBeDefined();
  expect(meaningOf(rule('{b:2,a:1}.a==1 // so\n', '@reason("other words") @id("acme/rule")'))).toBe(one);
});

test('it means another thing with another condition, scope, effect or expiry', () => {
  const text = rule('context.now < 9007199254740991');
  const others = [
    text.replace('0991', '0990'),
    text.replace('resource)', 'resource == Taskgate::Tool::"acme/x")'),
    text.replace('forbid', 'permit'),
    text.replace('@reason', '@expires("1h") @reason'),
  ];
  expect(new Set([text, ...others].map(meaningOf)).size).toBe(5);
});

test('text that cannot be told apart exactly, or that the engine must not see, is not described', () => {
  expect(describePolicies('')).toEqual(new Map());
  for (const text of [
    rule('true') + rule('false'),
    rule('true', ''),
    rule('context.now < 9007199254740993'),
    rule(`${'('.repeat(400)}true${')'.repeat(400)}`),
    'permit (principal == ?principal, action, resource);',
    'permit',
  ]) {
    expect(describePolicies(text), text).toBeNull();
  }
});
