import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rank, sensitivities } from '../../policies/index.ts';
import { checkConstraint } from '../../server/call/check-constraint.ts';
import type { ArgumentConstraint } from '../../server/documents/kinds.ts';
import { boundSession } from '../../server/sessions/bound-session.ts';
import { narrowGrants } from '../../server/sessions/narrow-grants.ts';
import type { SessionGrant, SessionRow } from '../../server/store/index.ts';
import { snapshotOf } from '../identity/support.ts';

const names = ['a', 'b'] as const;
const constraint: fc.Arbitrary<ArgumentConstraint> = fc.oneof(
  fc.record({ maximum: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ minimum: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ enum: fc.subarray([0, 1, 2, 'x'], { minLength: 1 }) }),
  fc.record({ maxLength: fc.integer({ min: 0, max: 2 }) }),
  fc.constantFrom({ from: 'inputs.a' }, { from: 'inputs.b' }),
);
const origins = fc.subarray(['objective', 'trusted', 'external', 'unknown'], { minLength: 1 });
const grant = (tool: string): fc.Arbitrary<SessionGrant> =>
  fc.record({
    tool: fc.constant(tool),
    digest: fc.constantFrom('one', 'two'),
    arguments: fc.dictionary(fc.constantFrom(...names), constraint, { maxKeys: 2, noNullPrototype: true }),
    origins: fc.dictionary(fc.constantFrom(...names), origins, { maxKeys: 2, noNullPrototype: true }),
    maxCalls: fc.option(fc.integer({ min: 1, max: 4 })),
  });
const grants = fc.tuple(fc.option(grant('t__one')), fc.option(grant('t__two'))).map((both) => both.filter((one) => one !== null));
const value = fc.constantFrom<unknown>(0, 1, 2, 3, 5, 6, 1.5, 'x', 'xyz', null, true, [], undefined);
const inputs = { a: 1, b: 'x' };

const passes = ({ arguments: constraints }: SessionGrant, args: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(constraints).every(([name, one]) => checkConstraint(one, args[name], inputs) === null);

describe('everything a child session may do, its parent may do', () => {
  it('in its grants: tool, digest, arguments, origins, calls', () => {
    fc.assert(
      fc.property(
        grants,
        grants,
        fc.option(fc.subarray(['t__one', 't__two'], { minLength: 1 })),
        fc.record({ a: value, b: value }),
        (useCase, above, asked, args) => {
          const child = narrowGrants(useCase, asked, above);
          if ('refused' in child) return;
          for (const one of child) {
            const parent = above.find((other) => other.tool === one.tool);
            const own = useCase.find((other) => other.tool === one.tool);
            expect(parent?.digest).toBe(one.digest);
            expect(own?.digest).toBe(one.digest);
            if (!parent || !own) continue;
            if (asked) expect(asked).toContain(one.tool);
            if (passes(one, args)) expect([passes(parent, args), passes(own, args)]).toEqual([true, true]);
            for (const limit of [parent.maxCalls, own.maxCalls])
              expect(one.maxCalls ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(limit ?? Number.POSITIVE_INFINITY);
            for (const [name, accepted] of Object.entries(one.origins))
              for (const origin of accepted) for (const other of [parent, own]) expect(other.origins[name]).toContain(origin);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('in its ceiling, budget and end, through any number of generations', () => {
    const amount = fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined });
    const generation = fc.record({
      clearance: fc.constantFrom(...sensitivities),
      ceiling: fc.constantFrom(...sensitivities),
      calls: fc.integer({ min: 1, max: 50 }),
      amount,
      lifetime: fc.option(fc.integer({ min: 1, max: 20_000 })),
    });
    const base = snapshotOf('acme', 1);
    const agent = base.agents.get('invoice-matcher');
    const useCase = base.useCases.get('match-invoices')?.document;
    if (!agent || !useCase) throw new Error('no documents');
    const at = Date.now();
    fc.assert(
      fc.property(fc.array(generation, { minLength: 1, maxLength: 5 }), (generations) => {
        let parent: SessionRow | null = null;
        for (const { clearance, ceiling, calls, amount: most, lifetime } of generations) {
          const budget = most === undefined ? { calls } : { calls, amount: most };
          const bounds = boundSession({ agent: { ...agent, clearance }, useCase: { ...useCase, ceiling, budget } }, { lifetime, at }, parent);
          if ('refused' in bounds) return;
          const above: SessionRow | null = parent;
          if (above) {
            expect(rank(bounds.ceiling)).toBeLessThanOrEqual(rank(above.ceiling));
            expect(bounds.budget.calls).toBeLessThanOrEqual(above.budget.calls);
            expect(bounds.budget.amount ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(above.budget.amount ?? Number.POSITIVE_INFINITY);
            expect(bounds.expiresAt).toBeLessThanOrEqual(above.expiresAt);
          }
          expect(rank(bounds.ceiling)).toBeLessThanOrEqual(Math.min(rank(clearance), rank(ceiling)));
          parent = bounds as SessionRow;
        }
      }),
    );
  });
});
