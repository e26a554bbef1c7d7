import { canonicalForm } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { ArgumentConstraint } from '../documents/kinds.ts';
import { typedConstraint } from '../documents/typed-constraint.ts';
import type { SessionGrant } from '../store/store.ts';

type Arguments = SessionGrant['arguments'];
type Origins = SessionGrant['origins'];

/**
 * The grants of a session: the use case's, less what was not asked for, and for a child nothing its parent does not
 * have, each under both constraints. Asking for a tool outside them is refused; getting nothing at all is too.
 */
export function narrowGrants(
  expanded: readonly SessionGrant[],
  asked: readonly string[] | null,
  parent: readonly SessionGrant[] | null,
): SessionGrant[] | Refusal {
  const offered = onePerTool(expanded);
  const within = parent === null ? offered : offered.flatMap((grant) => intersect(grant, parent) ?? []);
  const missing = asked?.find((name) => !within.some((grant) => grant.tool === name));
  if (missing !== undefined) return refuse('session.refused', `The tool '${missing}' is not granted to this task.`);
  const grants = asked === null ? within : within.filter((grant) => asked.includes(grant.tool));
  return grants.length > 0 ? grants : refuse('session.refused', 'This task would be granted no tool.');
}

/** A call looks at the first grant of its tool, so only that one may count. */
const onePerTool = (grants: readonly SessionGrant[]): SessionGrant[] =>
  grants.filter((grant, index) => grants.findIndex((one) => one.tool === grant.tool) === index);

function intersect(grant: SessionGrant, parent: readonly SessionGrant[]): SessionGrant | null {
  const above = parent.find((one) => one.tool === grant.tool);
  if (!above || above.digest !== grant.digest) return null;
  const args = bothArguments(grant.arguments, above.arguments);
  if (!args) return null;
  return {
    tool: grant.tool,
    digest: grant.digest,
    arguments: args,
    origins: commonOrigins(grant.origins, above.origins),
    maxCalls: least(grant.maxCalls, above.maxCalls),
  };
}

/** Null when two constraints on one argument cannot stand in one; the tool is then left out, never widened. */
function bothArguments(a: Arguments, b: Arguments): Arguments | null {
  const merged: Record<string, ArgumentConstraint> = { ...a };
  for (const [name, constraint] of Object.entries(b)) {
    const other = Object.hasOwn(a, name) ? a[name] : undefined;
    const both = other === undefined ? constraint : bothConstraints(other, constraint);
    if (!both) return null;
    merged[name] = both;
  }
  return merged;
}

function bothConstraints(a: ArgumentConstraint, b: ArgumentConstraint): ArgumentConstraint | null {
  if (canonicalForm(a) === canonicalForm(b)) return a;
  // `{ from }` is no JSON Schema and cannot stand inside one.
  if ('from' in a || 'from' in b) return null;
  return { allOf: [typedConstraint(a), typedConstraint(b)] };
}

/** Only what both accept: an argument that one of them does not name keeps the strict default. */
function commonOrigins(a: Origins, b: Origins): Origins {
  const shared = Object.entries(a).map(([name, origins]) => [name, origins.filter((origin) => Object.hasOwn(b, name) && b[name]?.includes(origin))] as const);
  return Object.fromEntries(shared.filter(([, origins]) => origins.length > 0));
}

/** `null` is no limit. */
export const least = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));
