import type { Expr } from './cedar.ts';
import { childrenOf, entityOf, operatorOf, type Read } from './expression.ts';
import type { ParsedPolicy } from './parse-policies.ts';
import { type ReadTree, treeOf } from './project.ts';

/**
 * What the policies that concern one tool read of a request. The engine's cost is in what it is handed, so it is handed that and no
 * more, under a schema that says the same.
 */
export interface Slice {
  readonly context: ReadTree;
  readonly principal: ReadTree;
  readonly resource: ReadTree;
  /** A condition speaks of entities beside the two; then all of them are told, the action's ancestors among them. */
  readonly entities: boolean;
}

export function sliceOf(policies: readonly ParsedPolicy[]): Slice {
  const reads: readonly Read[] = policies.flatMap((policy) => policy.reads);
  return {
    context: treeOf(reads, 'context'),
    principal: treeOf(reads, 'principal'),
    resource: treeOf(reads, 'resource'),
    entities: policies.some(({ json }) => json.conditions.some(({ body }) => speaksOfEntities(body))),
  };
}

const whole: ReadTree = { whole: true, below: new Map() };

/** Nothing left out. */
export const everything: Slice = { context: whole, principal: whole, resource: whole, entities: true };

function speaksOfEntities(expr: Expr): boolean {
  const { name, body } = operatorOf(expr);
  if (name === 'in' || name === 'is' || entityOf(expr) !== null || (name === 'Var' && body === 'action')) return true;
  return childrenOf(expr).some(speaksOfEntities);
}

/** The value's read parts. A part only looked for, or read as it is, comes whole; so does whatever is no record. */
export function prune(value: unknown, tree: ReadTree): unknown {
  if (tree.whole || tree.below.size === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return pruneRecord(value as Readonly<Record<string, unknown>>, tree);
}

/** `prune` for what stays a record even when nothing of it is read. */
export function pruneRecord<T extends Readonly<Record<string, unknown>>>(value: T, tree: ReadTree): T {
  if (tree.whole) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, below] of tree.below) if (Object.hasOwn(value, name)) kept[name] = prune(value[name], below);
  return kept as T;
}
