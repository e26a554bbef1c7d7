import { nameValue, spend, Unchecked } from './budget.ts';

/** A view of a value in which everything large reports what reading it costs: the validator reads, and tells nobody how often. */

/** Values up to this weight cost too little to count. */
const light = 64;
const longestName = 512;

/** Reads as `value` does. Throws `Unchecked` when a property name is too long; `withNames` also collects the names for `namesInValue`. */
export function metered(value: unknown, withNames: boolean): unknown {
  const names = withNames ? new Set<string>() : null;
  const [view, weight] = weigh(value, names);
  spend(weight >> 4);
  if (names !== null) nameValue([...names]);
  return view;
}

type Weighed = readonly [view: unknown, weight: number];


function weigh(value: unknown, names: Set<string> | null): Weighed {
  if (typeof value !== 'object' || value === null) return [value, 1];
  return Array.isArray(value) ? weighList(value, names) : weighObject(value as Record<string, unknown>, names);
}

function weighList(list: readonly unknown[], names: Set<string> | null): Weighed {
  const parts = list.map((item) => weigh(item, names));
  const weight = parts.reduce((sum, [, part]) => sum + part, 1);
  if (weight <= light) return [list, weight];
  // Pairwise comparison is as dear as the items are large.
  const costs = parts.map(([, part]) => 0.1 + part / 32);
  const view = new Proxy(
    parts.map(([part]) => part),
    {
      get(target, key) {
        if (key !== 'length') spend(costs[key as unknown as number] ?? 0);
        return Reflect.get(target, key);
      },
    },
  );
  return [view, weight];
}

function weighObject(object: Readonly<Record<string, unknown>>, names: Set<string> | null): Weighed {
  const keys = Object.keys(object);
  const copy: Record<string, unknown> = Object.create(null);
  let weight = 1;
  for (const key of keys) {
    if (key.length > longestName) throw new Unchecked(`has a name longer than ${longestName} characters`);
    names?.add(key);
    const [view, part] = weigh(object[key], names);
    copy[key] = view;
    weight += part + (key.length >> 4);
  }
  if (weight <= light) return [object, weight];
  const view = new Proxy(copy, {
    ownKeys(target) {
      spend(keys.length / 8);
      return Reflect.ownKeys(target);
    },
  });
  return [view, weight];
}
