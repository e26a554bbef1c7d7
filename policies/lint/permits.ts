import type { Expr, PolicyJson } from '../engine/cedar.ts';
import { entityOf, operatorOf, pathOf, stringOf } from '../engine/expression.ts';
import type { Finding, LintRule } from './rule.ts';

/** A permit says who may do what: never any action, never anybody. */
export const permits: LintRule = ({ json }) => {
  if (json.effect !== 'permit') return [];
  const findings: Finding[] = [];
  if (json.action.op === 'All') {
    findings.push({ cause: 'A permit for any action', remedy: 'Name it: `action in Taskgate::Action::"call"`, `…"upstream:<name>"` or one tool' });
  }
  if (!namesPrincipal(json) && !json.conditions.some(({ kind, body }) => kind === 'when' && namesWho(body))) {
    findings.push({
      cause: 'A permit that names no agent or workflow',
      remedy: 'Add `when { principal.workflow == "…" }` or `principal == Taskgate::Agent::"…"`',
    });
  }
  return findings;
};

const namesPrincipal = ({ principal }: PolicyJson): boolean => principal.op === '==' || principal.op === 'in';

type Two = { left: Expr; right: Expr };

/** True when an expression can only hold for agents or workflows that it names. */
function namesWho(expr: Expr): boolean {
  const { name, body } = operatorOf(expr);
  const { left, right } = body as Two;
  switch (name) {
    case '&&':
      return namesWho(left) || namesWho(right);
    case '||':
      return namesWho(left) && namesWho(right);
    case '==':
      return (isWho(left) && isName(right)) || (isName(left) && isWho(right));
    case 'contains':
      return isNames(left) && isWho(right);
    case 'in':
      return isWho(left) && (isName(right) || isNames(right));
    default:
      return false;
  }
}

function isWho(expr: Expr): boolean {
  const path = pathOf(expr)?.join('.');
  return path === 'principal' || path === 'principal.workflow' || path === 'principal.name';
}

const isName = (expr: Expr): boolean => stringOf(expr) !== null || entityOf(expr) !== null;
const isNames = (expr: Expr): boolean => 'Set' in expr && (expr['Set'] as Expr[]).every(isName);
