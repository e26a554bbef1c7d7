import type { Expr } from '../engine/cedar.ts';
import { childrenOf, operatorOf, pathOf, stringOf } from '../engine/expression.ts';
import { didYouMean } from '../suggest.ts';
import { entitiesOf } from './entities.ts';
import type { Finding, LintRule, LintScope } from './rule.ts';

/** What is named and not there makes a forbid that never bites and a permit that never holds; both look right. */
export const names: LintRule = ({ json }, scope) => [
  ...entitiesOf(json).flatMap((entity) => missingEntity(entity, scope)),
  ...json.conditions.flatMap(({ body }) => comparisons(body)).flatMap((compared) => missingName(compared, scope)),
];

function missingEntity({ type, id }: { readonly type: string; readonly id: string }, { prefix, tools, agents }: LintScope): Finding[] {
  const known = new Map([
    ['Taskgate::Agent', agents],
    ['Taskgate::Tool', tools.map(({ name }) => name)],
    ['Taskgate::Upstream', [...new Set(tools.map(({ upstream }) => upstream))]],
  ]).get(type);
  const name = id.slice(prefix.length + 1);
  if (!known || known.includes(name)) return [];
  return [{ cause: `\`${type}::${JSON.stringify(id)}\` is not there`, remedy: `Name one that is, or take it out.${didYouMean(name, known)}` }];
}

const kinds = {
  'principal.workflow': { what: 'workflow', known: ({ workflows }: LintScope) => workflows, remedy: 'Use the workflow of an agent or a use case' },
  'principal.name': { what: 'agent', known: ({ agents }: LintScope) => agents, remedy: 'Use the name of an agent' },
} as const;

interface Compared {
  readonly path: keyof typeof kinds;
  readonly name: string;
}

function missingName({ path, name }: Compared, scope: LintScope): Finding[] {
  const { what, known, remedy } = kinds[path];
  const all = known(scope);
  return all.includes(name) ? [] : [{ cause: `There is no ${what} \`${name}\``, remedy: `${remedy}.${didYouMean(name, all)}` }];
}

function comparisons(expr: Expr): Compared[] {
  const { name: operator } = operatorOf(expr);
  const children = childrenOf(expr);
  const path = children.map((child) => pathOf(child)?.join('.')).find((one): one is keyof typeof kinds => one !== undefined && Object.hasOwn(kinds, one));
  const here = path !== undefined && ['==', '!=', 'contains'].includes(operator) ? children.flatMap(strings).map((name) => ({ path, name })) : [];
  return [...here, ...children.flatMap(comparisons)];
}

function strings(expr: Expr): string[] {
  const one = stringOf(expr);
  if (one !== null) return [one];
  return 'Set' in expr ? (expr['Set'] as Expr[]).flatMap((item) => stringOf(item) ?? []) : [];
}
