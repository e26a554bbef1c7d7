import type { Page } from '../store.ts';
import type { Value } from '../verb.ts';

const longest = 500;

/** Conditions with their values, joined by AND; a null value leaves its condition out. */
export function where(conditions: readonly (readonly [string, Value | undefined])[]): { readonly text: string; readonly values: Value[] } {
  const present = conditions.filter((condition): condition is [string, Value] => condition[1] !== undefined);
  return { text: present.map(([text]) => text).join(' AND '), values: present.map(([, value]) => value) };
}

export const limitOf = (page: Page): number => Math.max(1, Math.min(page.limit, longest));
