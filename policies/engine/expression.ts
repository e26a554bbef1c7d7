import type { Expr } from './cedar.ts';

/** The one operator of a node and what it works on, whatever its shape in Cedar's JSON. */
export function operatorOf(expr: Expr): { readonly name: string; readonly body: unknown } {
  const [entry] = Object.entries(expr);
  if (!entry) throw new Error('An expression without operator');
  return { name: entry[0], body: entry[1] };
}

const leaves = new Set(['Value', 'Var', 'Slot']);

export function childrenOf(expr: Expr): readonly Expr[] {
  const { name, body } = operatorOf(expr);
  if (leaves.has(name)) return [];
  if (Array.isArray(body)) return body as Expr[];
  const fields = body as Record<string, unknown>;
  if (name === 'Record') return Object.values(fields) as Expr[];
  return ['left', 'right', 'arg', 'if', 'then', 'else', 'in'].flatMap((field) => (fields[field] === undefined ? [] : [fields[field] as Expr]));
}

export function depthOf(expr: Expr): number {
  return 1 + Math.max(0, ...childrenOf(expr).map(depthOf));
}

/** The names from a variable down, `context.args.amount` as ["context", "args", "amount"]; null for anything else. */
export function pathOf(expr: Expr): readonly string[] | null {
  if ('Var' in expr) return [expr.Var as string];
  if (!('.' in expr)) return null;
  const { left, attr } = expr['.'] as { left: Expr; attr: string };
  const path = pathOf(left);
  return path && [...path, attr];
}

/** One place where an expression reads below a variable; `has` asks only whether it is there. */
export interface Read {
  readonly path: readonly string[];
  readonly how: 'value' | 'has';
}

/** Every read, each by its longest path. */
export function readsOf(expr: Expr): readonly Read[] {
  if ('has' in expr) {
    const { left, attr } = expr['has'] as { left: Expr; attr: string | readonly string[] };
    const path = pathOf(left);
    return path ? [{ path: [...path, ...(typeof attr === 'string' ? [attr] : attr)], how: 'has' }] : readsOf(left);
  }
  const path = pathOf(expr);
  if (path) return [{ path, how: 'value' }];
  return childrenOf(expr).flatMap(readsOf);
}

/** True when an expression reads anything below `context.<name>`. */
export function readsContext(expr: Expr, name: string): boolean {
  return readsOf(expr).some(({ path }) => path[0] === 'context' && (path.length === 1 || path[1] === name));
}

export function stringOf(expr: Expr): string | null {
  return 'Value' in expr && typeof expr.Value === 'string' ? expr.Value : null;
}

export function entityOf(expr: Expr): { readonly type: string; readonly id: string } | null {
  if (!('Value' in expr)) return null;
  const value = expr.Value;
  if (value === null || typeof value !== 'object' || !('__entity' in value)) return null;
  return value.__entity as { type: string; id: string };
}
