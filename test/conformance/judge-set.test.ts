import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { baselineShape, describeSet, isGreen, judgeSet } from './judge-set.ts';
import { type Check, revisions, scenariosOf } from './suite.ts';

const why = 'it is deliberately not offered';
const held: Check = { id: 'one', status: 'SUCCESS' };
const failed: Check = { id: 'two', status: 'FAILURE', errorMessage: 'did not\n  answer' };
const warned: Check = { id: 'three', status: 'WARNING' };
const judge = (found: Record<string, readonly Check[]>, baseline: Record<string, string> = {}) =>
  judgeSet('set', ['a', 'b'], new Map(Object.entries(found)), baseline);

describe('a set of the official suite', () => {
  it('is green when no check failed', () => {
    const result = judge({ a: [held], b: [held, warned] });
    expect(isGreen(result)).toBe(true);
    expect(describeSet(result)).toBe('ok   set: 2/2 passed');
  });

  it('falls short by a failure that the baseline does not name, and says which', () => {
    const result = judge({ a: [held, failed], b: [held] });
    expect(isGreen(result)).toBe(false);
    expect(describeSet(result)).toBe('FAIL set: 1/2 passed\n       a:two failed: did not answer');
  });

  it('falls short by a scenario that was not run', () => {
    expect(isGreen(judge({ a: [held] }))).toBe(false);
    expect(isGreen(judge({ a: [held], b: [] }))).toBe(false);
  });

  it.each([{ a: why }, { 'a:two': why }])('takes a failure that the baseline names, and does not call it passed: %o', (baseline) => {
    const result = judge({ a: [held, failed], b: [held] }, baseline);
    expect(isGreen(result)).toBe(true);
    expect(describeSet(result)).toBe('ok   set: 1/2 passed, 1 not offered');
  });

  it('does not let the name of one check stand for another of its scenario', () => {
    expect(isGreen(judge({ a: [failed, { ...failed, id: 'four' }], b: [held] }, { 'a:two': why }))).toBe(false);
  });

  it.each([{ a: why }, { 'a:one': why }, { c: why }])('falls short by an entry of the baseline under which nothing fails: %o', (baseline) => {
    const result = judge({ a: [held], b: [held] }, baseline);
    expect(isGreen(result)).toBe(false);
    expect(describeSet(result)).toContain(`${Object.keys(baseline)[0]} is in the baseline`);
  });
});

it('the baseline names only scenarios of the pinned suite, each with a reason', async () => {
  const baseline = baselineShape.parse(parse(readFileSync(join(import.meta.dirname, 'baseline.yaml'), 'utf8')));
  for (const [set, entries] of Object.entries(baseline)) {
    const revision = revisions.find((one) => set.startsWith(one));
    expect(revision, set).toBeDefined();
    const { required, further } = await scenariosOf(revision ?? '2026-07-28');
    for (const entry of Object.keys(entries)) expect([...required, ...further], entry).toContain(entry.split(':')[0]);
  }
});
