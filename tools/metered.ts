import { nameValue, spend, Unchecked } from './budget.ts';

/** A view of a value in which everything large reports what reading it costs: the validator reads, and tells nobody how often. */

/** Values up to this weight cost too little to count. */
const light = 64;
const longestName = 512;

/** Reads as `value` does. Throws `Unchecked` when a property name is too long; `withNames` also collects the names for `namesInValue`. */
export function metered(value: unknown, withNames: boolean): unknown {
  const names = withNames ? new Set<string>() : null;
  const view = viewOf(value, names);
  if (names !== null) nameValue([...names]);
  return view;
}

/** Weight of what was viewed last. */
let weight = 0;

function viewOf(value: unknown, names: Set<string> | null): unknown {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? viewOfList(value, names) : viewOfObject(value as Record<string, unknown>, names);
  weight = 1;
  return value;
}

function viewOfList(list: readonly unknown[], names: Set<string> | null): unknown {
  const views = new Array<unknown>(list.length);
  const costs = new Float64Array(list.length);
  let sum = 1;
  spend(list.length / 16);
  for (let at = 0; at < list.length; at++) {
    views[at] = viewOf(list[at], names);
    // Pairwise comparison is as dear as the items are large.
    costs[at] = 0.1 + weight / 32;
    sum += weight;
  }
  weight = sum;
  if (sum <= light) return list;
  return new Proxy(views, {
    get(target, key) {
      if (key !== 'length') spend(costs[key as unknown as number] ?? 0);
      return target[key as unknown as number];
    },
  });
}

function viewOfObject(object: Readonly<Record<string, unknown>>, names: Set<string> | null): unknown {
  const keys = Object.keys(object);
  const views: unknown[] = [];
  let sum = 1;
  spend(keys.length / 2);
  for (const key of keys) {
    if (key.length > longestName) throw new Unchecked(`has a name longer than ${longestName} characters`);
    names?.add(key);
    views.push(viewOf(object[key], names));
    sum += weight + (key.length >> 4);
  }
  weight = sum;
  if (sum <= light) return object;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [at, key] of keys.entries()) copy[key] = views[at];
  return new Proxy(copy, {
    ownKeys() {
      spend(keys.length / 2);
      return keys;
    },
  });
}
