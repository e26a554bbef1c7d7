import type { Expr, PolicyJson } from '../engine/cedar.ts';
import { childrenOf, entityOf } from '../engine/expression.ts';
import type { LintRule } from './rule.ts';

type Entity = { readonly type: string; readonly id: string };

/** A tenant's law names only its own agents, tools and upstreams; the platform's names none. */
export const entities: LintRule = ({ json }, { prefix }) =>
  entitiesOf(json)
    .filter(({ id }) => !id.startsWith(`${prefix}/`))
    .map(({ type, id }) => ({
      cause: `\`${type}::${JSON.stringify(id)}\` is not of ${prefix}`,
      remedy: `Ids of agents, tools and upstreams are "${prefix}/<name>"`,
    }));

/** Every agent, tool and upstream a policy names. */
export const entitiesOf = (json: PolicyJson): readonly Entity[] =>
  [...scopeEntities(json), ...json.conditions.flatMap(({ body }) => literals(body))].filter(({ type }) => type !== 'Taskgate::Action');

function scopeEntities({ principal, resource }: PolicyJson): Entity[] {
  return [principal, resource].flatMap((scope) => {
    const found = 'entity' in scope ? scope.entity : 'in' in scope && scope.in && 'entity' in scope.in ? scope.in.entity : undefined;
    if (!found) return [];
    return ['__entity' in found ? found.__entity : found];
  });
}

function literals(expr: Expr): Entity[] {
  const entity = entityOf(expr);
  return entity ? [entity] : childrenOf(expr).flatMap(literals);
}
