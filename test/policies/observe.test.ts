import { describe, expect, it } from 'vitest';
import { compileLaw, lawOf } from '../../policies/engine/compile.ts';
import { makeLaw } from '../../policies/engine/law.ts';
import { observe } from '../../policies/engine/observe.ts';
import { parsePolicies } from '../../policies/engine/parse-policies.ts';
import { inputsOf } from '../../policies/engine/schema.ts';
import { decideObserved, listableObserved } from '../../policies/index.ts';
import { acme, call, compiled, payment, permit, search, source } from './tenants.ts';

const never = `@id("acme/never") @reason("Not to France")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { context.args.iban like "FR*" };
`;
const asks = `@id("acme/asks") @reason("Finance looks at more than 500")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { context.args.amount.greaterThan(decimal("500.0")) }
unless { context.satisfied.contains("approval:finance:2") };
`;
const errs = `@id("acme/errs") @reason("r")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) when { context.now * 9000000000 > 0 };
`;
const paid = (iban: string, amount: number) => ({ invoice: 'INV-7', iban, amount });

describe('a call of an observed use case', () => {
  it.each([
    ['a missing permit', never, call()],
    ['a denial', permit + never, call({ args: paid('FR76', 20) })],
    ['a requirement', permit + asks, call({ args: paid('DE02', 600) })],
    ['a denial and a requirement', permit + never + asks, call({ args: paid('FR76', 600) })],
  ])('runs past %s of the tenant, which is told as it would have been', async (_what, text, facts) => {
    const policy = await compiled(source(text));
    const enforced = policy.decide(facts);
    expect(enforced.decision).not.toBe('allow');
    expect(decideObserved(policy, facts)).toEqual({
      decision: { decision: 'allow', policies: [expect.objectContaining({ id: 'platform/observed' })] },
      wouldBe: enforced,
    });
  });

  it('that would run anyway runs by the policies that permit it', async () => {
    const policy = await compiled(source(permit + never));
    expect(decideObserved(policy, call())).toEqual({ decision: policy.decide(call()), wouldBe: null });
  });

  it.each([
    ['over', { session: { live: false } }, 'platform/session-live'],
    ['not granted', { session: { granted: false } }, 'platform/granted'],
    ['not pinned', { tool: { pinned: false } }, 'platform/pinned'],
    ['suspended', { agent: { status: 'suspended' } }, 'platform/agent-active'],
    ['without a sponsor', { sponsor: { standing: 'none' } }, 'platform/sponsor-standing'],
    ['above the clearance', { agent: { clearance: 'public' } }, 'platform/clearance'],
    ['above the ceiling', { session: { ceiling: 'public' } }, 'platform/ceiling'],
    ['above the sink', { session: { label: { sensitivity: 'restricted', categories: [], integrity: 'trusted' } } }, 'platform/sink'],
    ["another tenant's", { agent: { tenant: 'globex' } }, 'platform/tenant-isolation'],
  ] as const)('is denied when it is %s, though the tenant would deny or ask as well', async (_what, over, id) => {
    for (const text of [never, permit + never, permit + asks, permit + never + asks]) {
      const policy = await compiled(source(text));
      for (const args of [paid('FR76', 600), paid('DE02', 600), paid('DE02', 20)]) {
        const { decision, wouldBe } = decideObserved(policy, call({ ...over, args }));
        expect(decision).toMatchObject({ decision: 'deny', cause: 'forbidden' });
        expect(decision.policies.map((one) => one.id)).toContain(id);
        expect(wouldBe).toBeNull();
      }
    }
  });

  it('is denied when policy cannot be evaluated or cannot read an argument', async () => {
    const broken = await compiled(source(permit + errs));
    expect(decideObserved(broken, call({ now: 1_800_000_000_000 }))).toMatchObject({ decision: { decision: 'deny', cause: 'error' }, wouldBe: null });
    const reads = await compiled(source(permit + asks));
    expect(decideObserved(reads, call({ args: paid('DE02', 500.00001) }))).toMatchObject({ decision: { decision: 'deny', cause: 'unrepresentable' } });
  });

  it('still waits for what a platform rule requires, whatever the tenant would say', () => {
    const rule = `@id("platform/asks") @reason("A person looks at each payment")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) unless { context.satisfied.contains("confirm:sponsor") };`;
    const compiledLaw = compileLaw(source(permit + never + asks));
    if ('problems' in compiledLaw) throw new Error('it does not compile');
    const policies = [...compiledLaw.law.policies.values(), ...parsePolicies('platform/asks.cedar', rule).policies];
    const law = makeLaw('acme', policies, acme.tools, inputsOf(acme.useCases));
    for (const args of [paid('FR76', 600), paid('DE02', 600), paid('FR76', 20)]) {
      const { decision, wouldBe } = observe(law, call({ args }));
      expect(decision).toMatchObject({ decision: 'require', requirements: [{ literal: 'confirm:sponsor' }], policies: [{ id: 'platform/asks' }] });
      expect(wouldBe).not.toBeNull();
      expect(observe(law, call({ args, satisfied: ['confirm:sponsor'] })).decision.decision).toBe('allow');
    }
    expect(observe(law, call())).toMatchObject({ decision: { decision: 'require', policies: [{ id: 'platform/asks' }] }, wouldBe: null });
  });

  it('leaves nothing behind for one that is not observed', async () => {
    const policy = await compiled(source(permit + never));
    const facts = call({ args: paid('FR76', 20) });
    const before = policy.decide(facts);
    decideObserved(policy, facts);
    expect(policy.decide(facts)).toEqual(before);
    expect([...lawOf(policy).policies.keys()]).not.toContain('platform/observed');
  });
});

describe('the list of an observed session', () => {
  it('has what no permit covers and what the tenant always forbids, and not what the platform denies', async () => {
    const policy = await compiled(source(never, { tools: [payment, search] }));
    const { args: _, satisfied: __, ...before } = call();
    expect(policy.listable(before)).toBe(false);
    expect(listableObserved(policy, before)).toBe(true);
    const { args: ___, satisfied: ____, ...denied } = call({ session: { granted: false } });
    expect(listableObserved(policy, denied)).toBe(false);
  });
});
