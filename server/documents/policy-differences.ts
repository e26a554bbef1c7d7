import { describePolicies } from '../../policies/index.ts';
import type { Difference } from './effects.ts';

/** Differences between two versions of a policy file, policy by policy; one that cannot be read widens. */
export function comparePolicies(before: string, after: string): Difference[] {
  const [a, b] = [describePolicies(before), describePolicies(after)];
  if (!a || !b) return [{ text: 'cannot be compared', effect: 'widens' }];
  const differences = [...new Set([...a.keys(), ...b.keys()])].sort().flatMap((id): Difference[] => {
    const [was, is] = [a.get(id), b.get(id)];
    if (was && is) return was.meaning === is.meaning ? [] : [{ text: `${is.effect} ${id} changed`, effect: 'widens' }];
    if (is) return [{ text: `${is.effect} ${id} added`, effect: is.effect === 'permit' ? 'widens' : 'narrows' }];
    return was ? [{ text: `${was.effect} ${id} removed`, effect: was.effect === 'permit' ? 'narrows' : 'widens' }] : [];
  });
  return differences.length > 0 ? differences : [{ text: 'only words changed', effect: 'neutral' }];
}
