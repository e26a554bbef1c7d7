import { isObject, schemaKeywords, schemaListKeywords, schemaMapKeywords } from './schema.ts';

/** The schema that agents see: what the upstream lists, minus what it could smuggle. */

type Json = Readonly<Record<string, unknown>>;

/**
 * Removes `x-mcp-header` wherever a schema may stand: it would copy arguments into HTTP headers, and so into logs
 * (MCP 2026-07-28, server/tools).
 */
export function withoutHeaderMirrors(schema: Json): Json {
  const out: [string, unknown][] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'x-mcp-header') continue;
    out.push([keyword, within(keyword, value, withoutHeaderMirrors)]);
  }
  return Object.fromEntries(out);
}

function within(keyword: string, value: unknown, change: (schema: Json) => Json): unknown {
  if (schemaMapKeywords.includes(keyword) && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, isObject(part) ? change(part) : part]));
  }
  if (schemaListKeywords.includes(keyword) && Array.isArray(value)) return value.map((part) => (isObject(part) ? change(part) : part));
  if (schemaKeywords.includes(keyword) && isObject(value)) return change(value);
  return value;
}

const inPlace = ['allOf', 'anyOf', 'oneOf', '$ref', 'if', 'then', 'else', 'dependentSchemas', 'dependencies'];

/**
 * Refuses argument properties the schema does not declare, at the top whatever it says, and in declared objects below
 * unless it opens them: an argument nobody declared is one that no label, target or policy covers.
 */
export function closed(schema: Json): Json {
  return close(withRoomBesideReference(schema), true);
}

const standsAlone = /^https?:\/\/json-schema\.org\/draft-0[467]\//;
const besideReference = ['$schema', '$defs', 'definitions', 'type', 'title', 'description'];

/** Up to draft-07 whatever stands beside a reference is ignored, and so what closes the schema would be. */
function withRoomBesideReference(schema: Json): Json {
  const { $schema, $ref } = schema;
  if ($ref === undefined || typeof $schema !== 'string' || !standsAlone.test($schema)) return schema;
  return { ...Object.fromEntries(Object.entries(schema).filter(([keyword]) => besideReference.includes(keyword))), allOf: [{ $ref }] };
}

function close(schema: Json, top: boolean): Json {
  const out: Record<string, unknown> = { ...schema };
  const { properties, items, prefixItems } = schema;
  if (isObject(properties)) {
    out['properties'] = Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, isObject(part) ? close(part, false) : part]));
  }
  if (isObject(items)) out['items'] = close(items, false);
  for (const [keyword, list] of Object.entries({ items, prefixItems })) {
    if (Array.isArray(list)) out[keyword] = list.map((part) => (isObject(part) ? close(part, false) : part));
  }
  const open = schema['additionalProperties'] === undefined && schema['unevaluatedProperties'] === undefined;
  if (!top && !(open && isObject(properties))) return out;
  // Stricter than what would take its place.
  if (schema['additionalProperties'] === false) return out;
  delete out['unevaluatedProperties'];
  // What another keyword of the same schema declares counts as declared, which only `unevaluatedProperties` can see.
  if (inPlace.some((keyword) => schema[keyword] !== undefined)) {
    delete out['additionalProperties'];
    out['unevaluatedProperties'] = false;
  } else out['additionalProperties'] = false;
  return out;
}
