import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentOf, extend } from '../../server/extensions/within.ts';
import type { SessionGrant, SessionRow } from '../../server/store/index.ts';
import { newSession, start } from '../contract/samples.ts';

const hour = 3_600_000;
const grantOf = (tool: string): SessionGrant => ({ tool, digest: tool, arguments: {}, origins: {}, maxCalls: null });
const names = ['u__a', 'u__b', 'u__c', 'u__d'] as const;
const some = fc.subarray([...names]).map((list) => list.map(grantOf));
const unlimited = { calls: null, amount: null };
const rowOf = (over: Partial<SessionRow>): SessionRow => ({
  ...newSession(),
  root: 'r',
  lineage: 'l',
  status: 'active',
  endReason: null,
  endedAt: null,
  ...over,
});

const bound = fc.record({
  longest: fc.integer({ min: 1, max: 48 }),
  agentDays: fc.integer({ min: 1, max: 3 }),
  calls: fc.integer({ min: 1, max: 100 }),
  amount: fc.option(fc.integer({ min: 1, max: 1_000 })),
  grants: some,
  parent: fc.option(
    fc.record({
      hours: fc.integer({ min: 1, max: 48 }),
      calls: fc.integer({ min: 1, max: 100 }),
      amount: fc.option(fc.integer({ min: 1, max: 1_000 })),
      grants: some,
    }),
  ),
});
const ask = fc.record(
  {
    minutes: fc.integer({ min: 1, max: 3_000 }),
    calls: fc.integer({ min: 1, max: 120 }),
    amount: fc.integer({ min: 1, max: 1_200 }),
    tools: fc.array(fc.constantFrom(...names, 'u__other'), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const dayOf = (days: number): string => new Date(start + days * 24 * hour).toISOString().slice(0, 10);

describe('no sequence of extensions', () => {
  it('goes beyond agent, use case and parent, loses anything the task had, or changes anything else', () => {
    fc.assert(
      fc.property(bound, fc.array(fc.tuple(ask, fc.option(bound)), { minLength: 1, maxLength: 6 }), (first, steps) => {
        const boundsOf = (one: typeof first) => ({
          agent: { expires: dayOf(one.agentDays) },
          useCase: {
            lifetime: { default: '1h', longest: `${one.longest}h` },
            budget: { calls: one.calls, ...(one.amount === null ? {} : { amount: one.amount }) },
            expires: dayOf(5),
          },
          grants: one.grants,
          parent:
            one.parent &&
            rowOf({
              expiresAt: start + one.parent.hours * hour,
              budget: { calls: one.parent.calls, amount: one.parent.amount && one.parent.amount * 10_000, perDay: unlimited },
              grants: one.parent.grants,
            }),
        });
        const opened = rowOf({
          openedAt: start,
          expiresAt: start + hour / 2,
          budget: { calls: 1, amount: 10_000, perDay: unlimited },
          grants: [grantOf('u__z')],
        });
        let row = opened;
        for (const [asked, moved] of steps) {
          const bounds = boundsOf(first);
          const content = contentOf(row, bounds, { ...asked, reason: 'because' });
          if ('refused' in content) continue;
          // What bounds it may have narrowed between the asking and the last vote.
          const now = boundsOf(moved ?? first);
          const next = extend(row, now, content);
          if ('refused' in next) continue;
          const ends = Math.min(
            start + (moved ?? first).longest * hour,
            Date.parse(`${dayOf((moved ?? first).agentDays)}T00:00:00Z`) + 24 * hour,
            now.parent?.expiresAt ?? Number.POSITIVE_INFINITY,
          );
          expect(next.expiresAt).toBeLessThanOrEqual(Math.max(row.expiresAt, ends));
          expect(next.budget.calls).toBeLessThanOrEqual(
            Math.max(row.budget.calls, Math.min(now.useCase.budget.calls, now.parent?.budget.calls ?? Number.POSITIVE_INFINITY)),
          );
          const amounts = [(moved ?? first).amount, now.parent ? (now.parent.budget.amount ?? null) && (now.parent.budget.amount ?? 0) / 10_000 : null].filter(
            (one) => one !== null,
          );
          if (amounts.length > 0) expect(next.budget.amount ?? 0).toBeLessThanOrEqual(Math.max(row.budget.amount ?? 0, Math.min(...amounts) * 10_000));
          expect(next.budget.amount).not.toBeNull();
          for (const { tool } of next.grants.slice(row.grants.length)) {
            expect(now.grants.map((one) => one.tool)).toContain(tool);
            if (now.parent) expect(now.parent.grants.map((one) => one.tool)).toContain(tool);
            expect(asked.tools).toContain(tool);
          }
          expect(next.grants.slice(0, row.grants.length)).toEqual(row.grants);
          for (const [least, got] of [
            [row.expiresAt, next.expiresAt],
            [row.budget.calls, next.budget.calls],
            [row.budget.amount ?? 0, next.budget.amount ?? 0],
          ] as const)
            expect(got).toBeGreaterThanOrEqual(least);
          expect(next.budget.perDay).toEqual(opened.budget.perDay);
          row = { ...row, ...next };
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
