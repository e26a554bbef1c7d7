import { compileSchema } from '../../../tools/index.ts';
import { typedConstraint } from '../../documents/typed-constraint.ts';

type Constraint = Readonly<Record<string, unknown>>;

/** What takes no value away. */
const idle = new Set(['type', 'title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly']);

/**
 * Why these constraints are no pre-authorisation, in words; null when they are. What takes nothing away is no constraint: a type
 * alone passes every text there is. `properties` are the tool's, `inputs` the use case's.
 */
export function whyUnconstrained(constraints: Readonly<Record<string, Constraint>>, properties: readonly string[], inputs: readonly string[]): string | null {
  if (Object.keys(constraints).length === 0) return 'it constrains no argument, which never means any arguments';
  for (const [name, constraint] of Object.entries(constraints)) {
    if (!properties.includes(name)) return `the tool has no argument ${name}`;
    if (typeof constraint['from'] === 'string') {
      if (Object.keys(constraint).length > 1) return `${name}: \`from\` stands alone`;
      if (!inputs.some((input) => constraint['from'] === `inputs.${input}`)) return `${name}: the use case has no such input`;
      continue;
    }
    const compiled = compileSchema(typedConstraint(constraint));
    if ('unsupported' in compiled) return `${name}: ${compiled.unsupported}`;
    if (!takesAway(constraint)) return `${name}: its constraint takes no value away`;
  }
  return null;
}

function takesAway(constraint: Constraint): boolean {
  const says = Object.keys(constraint).filter((keyword) => !idle.has(keyword));
  return says.length > 0 || constraint['type'] === 'boolean' || constraint['type'] === 'null';
}

/** Each argument must be exactly what it was. */
export const exactly = (args: Readonly<Record<string, unknown>>): Record<string, Constraint> =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, { const: value }]));
