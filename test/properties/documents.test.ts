import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rank, sensitivities } from '../../policies/index.ts';
import { nearest } from '../../policies/suggest.ts';
import { compareFields, fieldRules, sumOf } from '../../server/documents/effects.ts';
import { compareGrants } from '../../server/documents/grant-differences.ts';
import { loadTexts, type UseCaseDocument, useCaseDocument } from '../../server/documents/index.ts';

const cap = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
const when = fc.integer({ min: 10, max: 28 }).map((day) => `2030-01-${day}`);
const useCase = fc
  .record({
    ceiling: fc.constantFrom(...sensitivities),
    groups: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    minutes: fc.integer({ min: 1, max: 60 }),
    hours: fc.integer({ min: 1, max: 9 }),
    calls: fc.integer({ min: 1, max: 50 }),
    amount: cap,
    dayCalls: cap,
    dayAmount: cap,
    open: cap,
    proof: fc.boolean(),
    expires: when,
    review: when,
  })
  .map((one) => ({
    model: one,
    document: asRead({
      kind: 'UseCase',
      tenant: 't',
      name: 'u',
      workflow: 'w',
      owner: 'o',
      purpose: 'p',
      sponsors: { groups: one.groups },
      grants: [{ tool: 'a__b' }],
      ceiling: one.ceiling,
      lifetime: { default: `${one.minutes}m`, longest: `${one.hours}h` },
      budget: { calls: one.calls, amount: one.amount, per_day: { calls: one.dayCalls, amount: one.dayAmount } },
      max_open_sessions: one.open,
      require_proof: one.proof,
      expires: one.expires,
      review_by: one.review,
    }),
  }));
/** As a file would give it: what is not set is not there. */
function asRead(document: object): UseCaseDocument {
  return useCaseDocument.parse(JSON.parse(JSON.stringify(document)));
}
type Model = Parameters<Parameters<typeof useCase.map>[0]>[0]['model'];

const orMore = (value: number | undefined): number => value ?? Number.POSITIVE_INFINITY;
/** True when `after` lets anything more happen than `before`, said independently of the rules under test. */
const gives = (before: Model, after: Model): boolean =>
  rank(after.ceiling) > rank(before.ceiling) ||
  after.groups.some((group) => !before.groups.includes(group)) ||
  after.minutes > before.minutes ||
  after.hours > before.hours ||
  after.calls > before.calls ||
  orMore(after.amount) > orMore(before.amount) ||
  orMore(after.dayCalls) > orMore(before.dayCalls) ||
  orMore(after.dayAmount) > orMore(before.dayAmount) ||
  orMore(after.open) > orMore(before.open) ||
  (before.proof && !after.proof) ||
  after.expires > before.expires ||
  after.review > before.review;

describe('the marks of a plan', () => {
  it('say widens exactly when something more is given', () => {
    fc.assert(
      fc.property(useCase, useCase, ({ model: a, document: before }, { model: b, document: after }) => {
        const effect = sumOf(compareFields(fieldRules.UseCase, before, after));
        expect(effect === 'widens').toBe(gives(a, b));
      }),
    );
  });

  it('are none for a document compared with itself, whatever the order of its fields', () => {
    fc.assert(
      fc.property(useCase, ({ document }) => {
        expect(compareFields(fieldRules.UseCase, document, Object.fromEntries(Object.entries(document).reverse()))).toEqual([]);
      }),
    );
  });

  const value = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string(),
    fc.array(fc.integer()),
    fc.dictionary(fc.string({ minLength: 1 }), fc.boolean()),
  );
  it('never say narrows of a field that no rule knows, for any kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(fieldRules)), value, value, (rules, before, after) => {
        const differences = compareFields(rules, { unheard_of: before }, { unheard_of: after });
        expect(differences.every(({ effect }) => effect === 'widens')).toBe(true);
      }),
    );
  });

  const constraint = fc.record({
    maximum: cap,
    minimum: cap,
    enum: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1 }), { nil: undefined }),
  });
  const takes = (one: { maximum: number | undefined; minimum: number | undefined; enum: number[] | undefined }, value: number): boolean =>
    value <= orMore(one.maximum) && value >= (one.minimum ?? 0) && (one.enum?.includes(value) ?? true);
  const grant = fc.record({ constraint: fc.option(constraint, { nil: undefined }), maxCalls: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }) });
  it('never say narrows of a grant that takes a value or a call more', () => {
    fc.assert(
      fc.property(grant, grant, (a, b) => {
        const made = ({ constraint: one, maxCalls }: typeof a) => ({
          tool: 'a__b',
          digest: 'd',
          arguments: one === undefined ? {} : { n: Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) },
          origins: {},
          maxCalls,
        });
        const accepts = (one: typeof a, value: number): boolean => one.constraint === undefined || takes(one.constraint, value);
        const more =
          Array.from({ length: 70 }, (_, value) => value).some((value) => accepts(b, value) && !accepts(a, value)) ||
          orMore(b.maxCalls ?? undefined) > orMore(a.maxCalls ?? undefined);
        if (more) expect(sumOf(compareGrants([made(a)], [made(b)]))).toBe('widens');
        expect(compareGrants([made(a)], [made(a)])).toEqual([]);
      }),
    );
  });
});

describe('reading anything', () => {
  it('never throws, and every problem says where and what to do', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('kind: Tenant\n', '---\n', '&a ', '*a', '? ', '- ', '{', '}', '[', ']', '"', ': ', '\n  ', '|\n', '!!x ', '%YAML 1.1\n', '__proto__: '),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { problems } = loadTexts([{ source: 'x.yaml', text: pieces.join('') }]);
        for (const { file, line, cause, remedy } of problems) {
          expect([file, (line ?? 0) >= 1, cause !== '', remedy !== '']).toEqual(['x.yaml', true, true, true]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('suggests only what is known, and a word that lost or swapped a letter is found again', () => {
    const known = ['owner', 'purpose', 'workflow', 'clearance', 'lifetime'];
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.nat(), (word, at) => {
        const place = at % word.length;
        expect(nearest(word.slice(0, place) + word.slice(place + 1), known)).toBe(word);
      }),
    );
    expect(nearest('zzzzzz', known)).toBeNull();
  });
});
