/** The schemas most tools have, objects of strings and numbers, can be seen to be met without the validator's accounts. */

/** INVARIANT: what fits at a glance is accepted by the validator, within its budget. What does not may be all the same. */
export type Glance = (value: unknown) => boolean;

type Json = Readonly<Record<string, unknown>>;

/** Of one value; more than these is for the budget to bound. */
const mostParts = 64;
let left = 0;

/** Null for a schema that says anything else. It has been prepared for the validator, so every keyword's value is of the right type. */
export function glanceAt(schema: Json): Glance | null {
  const fits = partOf(schema);
  if (fits === null) return null;
  return (value) => {
    left = mostParts;
    return fits(value);
  };
}

const annotations = ['$schema', 'title', 'description', 'default', 'examples', 'type', 'enum'];
const bounds: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'unevaluatedProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  boolean: [],
};
/** An enum as JSON, what an object declares or requires, the name of a property. */
const [longestEnum, mostProperties, longestName] = [2_000, 100, 500];

function partOf(schema: unknown): Glance | null {
  if (typeof schema !== 'object' || schema === null) return null;
  const { type, enum: listed } = schema as Json;
  const known = typeof type === 'string' && Object.hasOwn(bounds, type) ? bounds[type] : undefined;
  if (known === undefined || !Object.keys(schema).every((keyword) => annotations.includes(keyword) || known.includes(keyword))) return null;
  if (JSON.stringify(listed ?? null).length > longestEnum) return null;
  const fits = ofType(type as string, schema as Json);
  if (fits === null) return null;
  // Of what is listed, only what `===` finds.
  if (Array.isArray(listed)) return (value) => --left >= 0 && fits(value) && typeof value !== 'object' && listed.includes(value);
  return (value) => --left >= 0 && fits(value);
}

function ofType(type: string, schema: Json): Glance | null {
  switch (type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return listOf(schema);
    case 'string': {
      // In code points, of which there are at least half as many as units.
      const [min, max] = [2 * Number(schema['minLength'] ?? 0), Number(schema['maxLength'] ?? Number.POSITIVE_INFINITY)];
      return (value) => typeof value === 'string' && value.length >= min && value.length <= max;
    }
    case 'boolean':
      return (value) => typeof value === 'boolean';
    default: {
      const [min, max] = [Number(schema['minimum'] ?? Number.NEGATIVE_INFINITY), Number(schema['maximum'] ?? Number.POSITIVE_INFINITY)];
      const whole = type === 'integer';
      return (value) => typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
    }
  }
}

/** Every property is declared, so it does not matter what the schema says about others. */
function objectOf({ properties, required = [] }: Json): Glance | null {
  const parts = new Map<string, Glance>();
  for (const [name, part] of Object.entries(properties ?? {})) {
    const fits = partOf(part);
    if (fits === null || name.length > longestName) return null;
    parts.set(name, fits);
  }
  if (parts.size > mostProperties || (required as readonly string[]).length > mostProperties) return null;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    for (const name of required as readonly string[]) if (!Object.hasOwn(value, name)) return false;
    for (const name of Object.keys(value)) if (parts.get(name)?.((value as Json)[name]) !== true) return false;
    return true;
  };
}

function listOf({ items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Json): Glance | null {
  const fits = partOf(items);
  if (fits === null) return null;
  return (value) => Array.isArray(value) && value.length >= Number(minItems) && value.length <= Number(maxItems) && value.every(fits);
}
