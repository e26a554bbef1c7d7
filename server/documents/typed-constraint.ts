const numeric = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];
const textual = ['pattern', 'minLength', 'maxLength', 'format'];

type Schema = Readonly<Record<string, unknown>>;

/** A constraint implies the type it speaks of: a maximum alone would pass every string. */
export function typedConstraint(schema: Schema): Schema {
  if ('type' in schema) return schema;
  if (numeric.some((keyword) => keyword in schema)) return { ...schema, type: 'number' };
  return textual.some((keyword) => keyword in schema) ? { ...schema, type: 'string' } : schema;
}
