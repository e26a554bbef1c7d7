import type { Schema } from '@cfworker/json-schema';
import { namesInValue, spend } from './budget.ts';
import type { PatternTest } from './patterns.ts';

/** `patternProperties` without the validator's own engine. */

export interface PatternedSchema {
  readonly prepared: Record<string, unknown>;
  /** In the order of `patternProperties`. */
  readonly tests: readonly PatternTest[];
}

/**
 * For the names that the value under check holds, a pattern that matches a name is the same as a property declared by
 * that name: so it becomes one, anew for each value. To be called when references are resolved, which may point at what goes.
 */
export function declareMatches({ prepared, tests }: PatternedSchema): void {
  const parts = Object.values(prepared['patternProperties'] as Readonly<Record<string, Schema>>);
  const declared = Object.entries((prepared['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  delete prepared['patternProperties'];
  let known: readonly string[] | null = null;
  let merged: Record<string, Schema> = {};
  Object.defineProperty(prepared, 'properties', {
    get() {
      const names = namesInValue();
      if (known !== names) {
        merged = merge(declared, names, tests, parts);
        known = names;
      }
      spend(Object.keys(merged).length / 8);
      return merged;
    },
  });
}

function merge(
  declared: readonly (readonly [string, Schema])[],
  names: readonly string[],
  tests: readonly PatternTest[],
  parts: readonly Schema[],
): Record<string, Schema> {
  const merged: Record<string, Schema> = Object.assign(Object.create(null), Object.fromEntries(declared));
  for (const name of names) {
    const matching = parts.filter((_, index) => tests[index]?.(name));
    const [first, ...more] = merged[name] === undefined ? matching : [merged[name], ...matching];
    if (first !== undefined) merged[name] = more.length === 0 ? first : ({ allOf: [first, ...more] } as Schema);
  }
  return merged;
}
