import { describeCases, describePolicies } from '../../policies/index.ts';
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

/** Differences between two versions of the cases beside a policy file. One that is gone or says something else no longer guards what it guarded. */
export function compareCases(before: string | null, after: string | null): Difference[] {
  if (before === after) return [];
  const [a, b] = [describeCases(before ?? ''), describeCases(after ?? '')];
  if (!a || !b) return [{ text: 'cases cannot be compared', effect: 'widens' }];
  const differences = [...new Set([...a.keys(), ...b.keys()])].flatMap((name): Difference[] => {
    const [was, is] = [a.get(name), b.get(name)];
    if (was === undefined) return [{ text: `case added: ${name}`, effect: 'neutral' }];
    if (is === undefined) return [{ text: `case removed: ${name}`, effect: 'widens' }];
    return was === is ? [] : [{ text: `case says something else: ${name}`, effect: 'widens' }];
  });
  return differences.length > 0 ? differences : [{ text: 'cases written differently', effect: 'neutral' }];
}
