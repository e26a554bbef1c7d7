import { describe, expect, test } from 'vitest';
import type { CallFacts } from '../../policies/index.ts';
import { bottom, compilePolicy, describePolicies, findUntested, platformRules, rank, referenceTenant, runCases, sensitivities } from '../../policies/index.ts';
import { call, compiled, invoice, permit, source } from './tenants.ts';

test('the platform’s rules meet their own cases', async () => {
  const reference = referenceTenant();
  const results = runCases(reference, await compiled(reference));
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(new Set(results.map(({ file }) => file))).toEqual(new Set(platformRules().map(({ file }) => file)));
});

test('every platform rule is tested: dropping any one breaks a case', () => {
  expect(findUntested(referenceTenant(), 'platform')).toEqual([]);
});

test('the platform only forbids, and names no requirement that could lift it', () => {
  const rules = platformRules().flatMap(({ text }) => [...(describePolicies(text)?.values() ?? [])]);
  expect(rules.length).toBeGreaterThan(5);
  for (const { effect, meaning } of rules) {
    expect(effect).toBe('forbid');
    expect(meaning).not.toContain('satisfied');
  }
});

const denials: readonly [string, Parameters<typeof call>[0]][] = [
  ['platform/tenant-isolation', { agent: { tenant: 'globex' } }],
  ['platform/tenant-isolation', { tool: { tenant: 'globex' } }],
  ['platform/tenant-isolation', { session: { tenant: 'globex' } }],
  ['platform/session-live', { session: { live: false } }],
  ['platform/granted', { session: { granted: false } }],
  ['platform/pinned', { tool: { pinned: false } }],
  ['platform/agent-active', { agent: { status: 'suspended' } }],
  ['platform/sponsor-standing', { sponsor: { standing: 'none' } }],
];

describe('each platform rule denies alone, whatever has been satisfied', () => {
  test.each(denials)('%s with %j', async (id, over) => {
    const policy = await compiled(source(permit));
    const satisfied = ['approval:finance', 'approval:finance:2', 'confirm:sponsor', 'redact:pii'];
    expect(policy.decide(call({ ...over, satisfied }))).toMatchObject({ decision: 'deny', cause: 'forbidden', policies: [{ id, reason: expect.any(String) }] });
    expect(policy.listable(call(over))).toBe(false);
  });
});

describe('sensitivity: every pair of levels', () => {
  const pairs = sensitivities.flatMap((a) => sensitivities.map((b) => [a, b] as const));

  test.each(pairs)('a tool returning %s, an agent cleared for %s', async (returned, clearance) => {
    const policy = await compiled(source(permit));
    const facts = call({ agent: { clearance }, session: { ceiling: 'restricted' }, tool: { returns: { ...bottom, sensitivity: returned } } }, invoice);
    expect(idsOf(policy.decide(facts))).toEqual(rank(returned) > rank(clearance) ? ['platform/clearance'] : ['acme/matcher']);
  });

  test.each(pairs)('a tool returning %s, a ceiling of %s', async (returned, ceiling) => {
    const policy = await compiled(source(permit));
    const facts = call({ agent: { clearance: 'restricted' }, session: { ceiling }, tool: { returns: { ...bottom, sensitivity: returned } } }, invoice);
    expect(idsOf(policy.decide(facts))).toEqual(rank(returned) > rank(ceiling) ? ['platform/ceiling'] : ['acme/matcher']);
  });

  test.each(pairs)('a lineage that has read %s, a tool that accepts %s', async (read, accepts) => {
    const policy = await compiled(source(permit));
    const facts = call({ session: { label: { ...bottom, sensitivity: read } }, tool: { accepts } });
    expect(idsOf(policy.decide(facts))).toEqual(rank(read) > rank(accepts) ? ['platform/sink'] : ['acme/matcher']);
  });
});

test('facts of another tenant are denied even when they agree with each other', async () => {
  const policy = await compiled(source(permit));
  const theirs: CallFacts = call({ tenant: 'globex', agent: { tenant: 'globex' }, tool: { tenant: 'globex' }, session: { tenant: 'globex' } });
  expect(policy.decide(theirs)).toMatchObject({ decision: 'deny', cause: 'error' });
  expect(policy.decide({ ...theirs, tenant: 'acme' })).toMatchObject({ decision: 'deny', policies: [{ id: 'platform/tenant-isolation' }] });
  expect(policy.listable(theirs)).toBe(false);
});

test('a tenant cannot take the platform’s name', async () => {
  const answer = await compilePolicy({ ...source(permit.replace('acme/', 'platform/')), tenant: 'platform' });
  expect(answer).toMatchObject({ problems: [{ cause: expect.stringContaining('platform') }] });
});

const idsOf = (decision: { policies: readonly { id: string }[] }) => decision.policies.map(({ id }) => id);
