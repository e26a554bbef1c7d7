import type { Expr } from '../engine/cedar.ts';
import { childrenOf, operatorOf, pathOf, stringOf } from '../engine/expression.ts';
import type { ParsedPolicy } from '../engine/parse-policies.ts';

/** What a policy compares one fact with: literals it names, and other facts. */
export interface Compared {
  readonly literals: readonly (string | number)[];
  readonly paths: readonly (readonly string[])[];
}

/** By path of the fact, everything that policies compare it with, in the order of their text. */
export function comparedIn(policies: readonly ParsedPolicy[]): ReadonlyMap<string, Compared> {
  const found = new Map<string, { literals: (string | number)[]; paths: (readonly string[])[] }>();
  const look = (expr: Expr): void => {
    const children = childrenOf(expr);
    const sides = children.map(pathOf);
    for (const [index, path] of sides.entries()) {
      if (!path) continue;
      const key = path.join('.');
      const compared = found.get(key) ?? { literals: [], paths: [] };
      found.set(key, compared);
      const others = children.filter((_, other) => other !== index);
      compared.literals.push(...patternOf(expr), ...others.flatMap(literalsOf));
      compared.paths.push(...sides.flatMap((other, at) => (other && at !== index ? [other] : [])));
    }
    for (const child of children) if (!pathOf(child)) look(child);
  };
  for (const { json } of policies) for (const { body } of json.conditions) look(body);
  return found;
}

function literalsOf(expr: Expr): (string | number)[] {
  const { name, body } = operatorOf(expr);
  if (name === 'decimal') return (body as Expr[]).map((arg) => Number(stringOf(arg))).filter(Number.isFinite);
  if (name === 'Value') return typeof body === 'string' || typeof body === 'number' ? [body] : [];
  return childrenOf(expr).flatMap(literalsOf);
}

/** A string that a `like` pattern matches: each `*` as nothing. */
function patternOf(expr: Expr): string[] {
  const { name, body } = operatorOf(expr);
  if (name !== 'like') return [];
  const { pattern } = body as { pattern: readonly ('Wildcard' | { Literal: string })[] };
  return [pattern.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('')];
}
