import type { Schema } from '@cfworker/json-schema';
import { dereference } from '@cfworker/json-schema';
import { UnsupportedSchema } from './unsupported.ts';

/** References, resolved once and only within the schema: nothing is fetched, whatever an address says. */

type Lookup = Record<string, Schema | boolean>;
type Node = Readonly<Record<string, unknown>>;

const longestChain = 500;

/** Where each reference leads, by absolute address. Throws `UnsupportedSchema`. */
export function resolveReferences(root: Schema, places: ReadonlyMap<object, string>): Lookup {
  let all: Lookup;
  try {
    all = dereference(root);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new UnsupportedSchema('', 'two of its parts have one identifier, or an identifier is no address', 'give each part an `$id` or `$anchor` of its own');
  }
  const used: Lookup = Object.create(null);
  for (const [node, at] of places) {
    const target = targetOf(node as Node);
    if (target === null) continue;
    const found = all[target];
    if (found === undefined) {
      throw new UnsupportedSchema(`${at}/$ref`, 'it refers to nothing within the schema, and nothing is fetched', 'copy what it refers to into `$defs`');
    }
    used[target] = found;
  }
  refuseCircles(used, places);
  return used;
}

function targetOf(node: Node): string | null {
  const target = node['__absolute_ref__'];
  return typeof target === 'string' ? target : null;
}

/** A circle that never steps into the value would be walked for ever by every value. */
function refuseCircles(lookup: Lookup, places: ReadonlyMap<object, string>): void {
  const done = new Set<object>();
  const path = new Set<object>();
  const visit = (node: object): void => {
    if (done.has(node)) return;
    const at = places.get(node) ?? '';
    if (path.has(node)) throw new UnsupportedSchema(at, 'it refers to itself without stepping into the value', 'take the circle out');
    if (path.size > longestChain) throw new UnsupportedSchema(at, `it is reached by a chain of more than ${longestChain} references`, 'shorten the chain');
    path.add(node);
    for (const next of inPlace(node as Node, lookup)) visit(next);
    path.delete(node);
    done.add(node);
  };
  for (const node of places.keys()) visit(node);
}

/** What is asked of the same value. */
function inPlace(node: Node, lookup: Lookup): readonly object[] {
  const { allOf, anyOf, oneOf, not, if: condition, then, else: otherwise, dependentSchemas, dependencies } = node;
  const target = targetOf(node);
  const lists = [allOf, anyOf, oneOf, Object.values(dependentSchemas ?? {}), Object.values(dependencies ?? {})];
  const all: unknown[] = [not, condition, then, otherwise, target === null ? undefined : lookup[target], ...lists.flatMap((list) => list ?? [])];
  return all.filter((part) => typeof part === 'object' && part !== null && !Array.isArray(part)) as object[];
}
