import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lawOf } from '../../policies/engine/compile.ts';
import { decide, listable } from '../../policies/engine/decide.ts';
import { type Law, toolLaw } from '../../policies/engine/law.ts';
import { createMemo } from '../../policies/engine/memo.ts';
import type { PolicyTool } from '../../policies/index.ts';
import { call, compiled, payment, source } from './tenants.ts';

const tools: readonly PolicyTool[] = [
  payment,
  { ...payment, name: 'ledger__refund' },
  { ...payment, name: 'bank__wire', upstream: 'bank' },
  { ...payment, name: 'bank__note', upstream: 'bank', effect: 'read', inputSchema: { type: 'object', properties: { memo: { type: 'string' } } } },
];

const permit = `@id("acme/may") @reason("r") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "invoice-matching" };`;
const forbid = (n: number, scope: string, when: string): string =>
  `@id("acme/f${n}") @reason("r") forbid (principal, action ${scope}, resource) when { ${when} };`;
const scopes = [
  'in Taskgate::Action::"call"',
  'in Taskgate::Action::"upstream:ledger"',
  '== Taskgate::Action::"ledger__refund"',
  '== Taskgate::Action::"bank__wire"',
];
const conditions = [
  'context.session.calls > 3',
  'resource.name == "ledger__refund"',
  'resource.upstream == "bank"',
  'resource == Taskgate::Tool::"acme/bank__wire"',
  'resource in Taskgate::Upstream::"acme/bank"',
  'action in Taskgate::Action::"upstream:ledger"',
  'action == Taskgate::Action::"bank__wire"',
  'context.token.bound',
];

/** The same law with everything prepared for each tool alone, and nothing remembered. */
function apart(law: Law): Law {
  const own = [...law.tools.values()].map(({ tool }) => [tool.name, toolLaw(law, [...law.policies.values()], tool, `apart/${tool.name}`)] as const);
  return { ...law, memo: createMemo(), tools: new Map(own) };
}
const slots = (law: Law): string[] => [...law.tools.values()].map(({ prepared }) => prepared.slot);

describe('tools of which policy reads the same', () => {
  it('share what the engine holds; one a policy picks out has its own, and so has each where a condition speaks of actions', async () => {
    const of = async (text: string) => slots(lawOf(await compiled(source(`${permit}\n${text}`, { tools }))));
    expect(await of(forbid(1, scopes[0] ?? '', 'context.session.calls > 3'))).toEqual(Array(4).fill('acme/ledger__post_payment'));
    expect(await of(forbid(1, '== Taskgate::Action::"ledger__refund"', 'context.session.calls > 3'))).toEqual([
      'acme/ledger__post_payment',
      'acme/ledger__refund',
      'acme/ledger__post_payment',
      'acme/ledger__post_payment',
    ]);
    expect(new Set(await of(forbid(1, scopes[0] ?? '', 'action in Taskgate::Action::"upstream:ledger"'))).size).toBe(4);
  });

  it('are judged, whatever the law, as by a preparation of their own', async () => {
    const picks = fc.array(fc.tuple(fc.constantFrom(...scopes), fc.constantFrom(...conditions)), { maxLength: 3 });
    const asked = fc.array(fc.record({ tool: fc.constantFrom(...tools), calls: fc.constantFrom(0, 9), bound: fc.boolean() }), { minLength: 4, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(picks, asked, async (picked, calls) => {
        const text = [permit, ...picked.map(([scope, when], n) => forbid(n, scope, when))].join('\n');
        const compiledPolicy = await compiled(source(text, { tools })).catch(() => null);
        // What strict validation finds impossible is no law.
        fc.pre(compiledPolicy !== null);
        const law = lawOf(compiledPolicy);
        const alone = apart(law);
        for (const { tool, calls: made, bound } of calls) {
          const args = tool.name === 'bank__note' ? {} : { invoice: 'INV-7', iban: 'DE02', amount: 1 };
          const { name, upstream, effect } = tool;
          const facts = call({ args, token: { bound }, session: { calls: made }, tool: { name, upstream, effect } });
          expect(decide(law, facts)).toEqual(decide(alone, facts));
          const { args: _, satisfied: __, ...before } = facts;
          expect(listable(law, before)).toBe(listable(alone, before));
        }
      }),
      { numRuns: 40 },
    );
  });
});
