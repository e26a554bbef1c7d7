import type { Expr, PolicyJson } from './cedar.ts';
import { operatorOf, readsContext } from './expression.ts';

/**
 * A policy as it stands before the arguments are known: every atom that reads `context.args` is replaced by the truth
 * value that favours allowing. A relaxed permit holds whenever the permit can hold, a relaxed forbid only when the
 * forbid must. (Partial evaluation would leave every condition on `context` open.)
 */
export function relax(policy: PolicyJson): PolicyJson {
  const favours = policy.effect === 'permit';
  return {
    ...policy,
    conditions: policy.conditions.map(({ kind, body }) => ({ kind, body: lean(body, kind === 'when' ? favours : !favours) })),
  };
}

type Two = { left: Expr; right: Expr };
type Three = { if: Expr; then: Expr; else: Expr };

/** An expression without arguments that is true at least (`toward`) or at most (not `toward`) as often. */
function lean(expr: Expr, toward: boolean): Expr {
  if (!readsContext(expr, 'args')) return expr;
  const { name, body } = operatorOf(expr);
  switch (name) {
    case '&&':
    case '||': {
      const { left, right } = body as Two;
      const sides = { left: lean(left, toward), right: lean(right, toward) };
      return name === '&&' ? { '&&': sides } : { '||': sides };
    }
    case '!':
      return { '!': { arg: lean((body as { arg: Expr }).arg, !toward) } };
    case 'if-then-else': {
      const { if: test, then: yes, else: no } = body as Three;
      const ways = { left: lean(yes, toward), right: lean(no, toward) };
      if (readsContext(test, 'args')) return toward ? { '||': ways } : { '&&': ways };
      // biome-ignore lint/suspicious/noThenProperty: the field's name is Cedar's
      return { 'if-then-else': { if: test, then: ways.left, else: ways.right } };
    }
    default:
      return { Value: toward };
  }
}
