import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { whyNotNarrower } from '../../server/approvals/index.ts';

const known = {
  targets: { amount: 'amount', iban: 'iban', to: 'email', note: 'text' } as const,
  grants: [{ arguments: { top: { maximum: 50 }, least: { minimum: 3 } } }],
};
const before = {
  amount: 600,
  iban: 'DE02',
  to: ['a@acme.example', 'b@acme.example'],
  note: 'one\ntwo\nthree',
  top: 20,
  least: 5,
  days: 30,
  dry_run: true,
  tags: ['x', 'y'],
};
const why = (change: Record<string, unknown>) => whyNotNarrower(known, before, { ...before, ...change });

describe('an edit takes away and does nothing else', () => {
  test.each([
    ['an amount goes down', { amount: 599.5 }],
    ['an amount goes down to nothing', { amount: 0 }],
    ['a list of targets loses one', { to: ['b@acme.example'] }],
    ['a text loses a line', { note: 'one\nthree' }],
    ['a text is cut', { note: 'two' }],
    ['a number the grant bounds from above goes down', { top: 1 }],
    ['a number the grant bounds from below goes up', { least: 6 }],
  ])('%s', (_, change) => expect(why(change)).toBeNull());

  test.each([
    ['an amount goes up', { amount: 600.01 }],
    ['an amount becomes what cannot be counted', { amount: -1 }],
    ['an amount becomes text of another meaning', { amount: '6e2' }],
    ['the account is another', { iban: 'DE03' }],
    ['the account is cut', { iban: 'DE0' }],
    ['a list of targets gains one', { to: ['a@acme.example', 'c@acme.example'] }],
    ['a list of targets is turned round', { to: ['b@acme.example', 'a@acme.example'] }],
    ['a list of targets becomes empty', { to: [] }],
    ['a list of targets becomes one of them', { to: 'a@acme.example' }],
    ['a text gains a word', { note: 'one\ntwo\nthree more' }],
    ['a text becomes empty', { note: '' }],
    ['a bounded number goes the other way', { top: 21 }],
    ['a bounded number goes the other way below', { least: 4 }],
    ['a number whose meaning nobody knows', { days: 3 }],
    ['a switch', { dry_run: false }],
    ['a list whose meaning nobody knows', { tags: ['x'] }],
    ['something that was not asked', { memo: 'hello' }],
    ['a name every object has', { constructor: 1 }],
  ])('but not: %s', (_, change) => expect(why(change)).not.toBeNull());

  test('nothing can be left out, for that may do more', () => {
    for (const name of Object.keys(before)) {
      const { [name as keyof typeof before]: _, ...rest } = before;
      expect(whyNotNarrower(known, before, rest)).toBe(`${name} cannot be left out`);
    }
  });

  test('editing what was edited never leads anywhere that one edit would not have', () => {
    const step = fc.record({
      amount: fc.option(fc.integer({ min: 0, max: 700 }), { nil: undefined }),
      to: fc.option(fc.subarray(['a@acme.example', 'b@acme.example', 'c@acme.example']), { nil: undefined }),
      top: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
      iban: fc.option(fc.constantFrom('DE02', 'DE03'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        let now: Record<string, unknown> = before;
        for (const change of steps) {
          const next = { ...now, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) };
          if (whyNotNarrower(known, now, next) === null) now = next;
        }
        return whyNotNarrower(known, before, now) === null;
      }),
    );
  });
});
