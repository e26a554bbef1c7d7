import { describe, expect, test } from 'vitest';
import { findUntested, runCases } from '../../policies/index.ts';
import { acme, compiled, globex, policyFiles } from './tenants.ts';

describe.each([acme, globex])('the sample policies of $tenant', (tenant) => {
  const shipped = { ...tenant, files: policyFiles(tenant.tenant) };

  test('compile and meet every one of their cases', async () => {
    const results = runCases(shipped, await compiled(shipped));
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results.length).toBeGreaterThan(2);
  });

  test('are all tested: dropping any one breaks a case', () => {
    expect(findUntested(shipped)).toEqual([]);
  });
});
