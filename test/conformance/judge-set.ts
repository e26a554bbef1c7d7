import { z } from 'zod';
import type { Check } from './suite.ts';

/** A set of scenarios held against what was found and against what Taskgate deliberately does not offer. */

/** By set: a scenario, or `scenario:check`, and one line that says why it is not offered. */
export const baselineShape = z.record(z.string(), z.record(z.string(), z.string().min(10)));
export type Baseline = Readonly<Record<string, string>>;

export interface Failure {
  readonly scenario: string;
  readonly check: string;
  readonly message: string;
}
export interface SetResult {
  readonly set: string;
  readonly scenarios: number;
  /** As the suite has it: none of their checks failed. */
  readonly passed: readonly string[];
  /** Failures that the baseline names. */
  readonly notOffered: readonly Failure[];
  /** Failures it does not. */
  readonly unexpected: readonly Failure[];
  /** Entries of the baseline under which nothing fails, or that name nothing of this set. */
  readonly stale: readonly string[];
}

export function judgeSet(set: string, scenarios: readonly string[], found: ReadonlyMap<string, readonly Check[]>, baseline: Baseline): SetResult {
  const failures = scenarios.flatMap((scenario) => failuresOf(scenario, found.get(scenario) ?? []));
  const entriesOf = ({ scenario, check }: Failure): readonly string[] => [scenario, `${scenario}:${check}`].filter((entry) => Object.hasOwn(baseline, entry));
  const used = new Set(failures.flatMap(entriesOf));
  return {
    set,
    scenarios: scenarios.length,
    passed: scenarios.filter((scenario) => !failures.some((failure) => failure.scenario === scenario)),
    notOffered: failures.filter((failure) => entriesOf(failure).length > 0),
    unexpected: failures.filter((failure) => entriesOf(failure).length === 0),
    stale: Object.keys(baseline).filter((entry) => !used.has(entry)),
  };
}

function failuresOf(scenario: string, checks: readonly Check[]): Failure[] {
  // A scenario that broke off, or that the suite no longer has.
  if (checks.length === 0) return [{ scenario, check: scenario, message: 'nothing was checked' }];
  return checks
    .filter(({ status }) => status === 'FAILURE')
    .map(({ id, errorMessage }) => ({ scenario, check: id, message: errorMessage ?? 'failed without a reason' }));
}

export const isGreen = ({ unexpected, stale }: SetResult): boolean => unexpected.length === 0 && stale.length === 0;

export function describeSet(result: SetResult): string {
  const { set, scenarios, passed, unexpected, stale } = result;
  const left = scenarios - passed.length - new Set(unexpected.map(({ scenario }) => scenario)).size;
  const lines = [`${isGreen(result) ? 'ok  ' : 'FAIL'} ${set}: ${passed.length}/${scenarios} passed${left > 0 ? `, ${left} not offered` : ''}`];
  for (const { scenario, check, message } of unexpected) lines.push(`       ${scenario}:${check} failed: ${message.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
  for (const entry of stale) lines.push(`       ${entry} is in the baseline, and nothing fails under it`);
  return lines.join('\n');
}
