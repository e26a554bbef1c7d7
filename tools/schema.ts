import { format as formats, type Schema, type SchemaDraft } from '@cfworker/json-schema';
import { isPlainPattern, linearPattern } from './patterns.ts';

/** Turns a JSON Schema of unknown origin into one that is safe to run: known keywords only, bounded in every direction. */

/** Why a schema cannot be used; the message is for whoever registers the tool. */
export class UnsupportedSchema extends Error {
  override readonly name = 'UnsupportedSchema';
}

type Json = Readonly<Record<string, unknown>>;

const largest = 262_144;
const deepest = 32;
const longestEnum = 1_000;
/** Comparing items pairwise is quadratic. */
const mostUniqueItems = 500;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isNames = (value: unknown): boolean => Array.isArray(value) && value.length <= longestEnum && value.every((name) => typeof name === 'string');
const typeNames = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keywords that assert without holding a schema, with what their value must be. */
const assertions: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => (Array.isArray(value) ? value.length > 0 && value.every((name) => typeNames.includes(name)) : typeNames.includes(value as string)),
  const: () => true,
  enum: (value) => Array.isArray(value) && value.length <= longestEnum,
  required: isNames,
  dependentRequired: (value) => isObject(value) && Object.values(value).every(isNames),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: (value) => isNumber(value) || typeof value === 'boolean',
  exclusiveMaximum: (value) => isNumber(value) || typeof value === 'boolean',
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  minContains: isCount,
  maxContains: isCount,
  uniqueItems: (value) => typeof value === 'boolean',
  $anchor: (value) => typeof value === 'string',
};
export const schemaKeywords: readonly string[] = [
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'items',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
];
export const schemaListKeywords: readonly string[] = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
export const schemaMapKeywords: readonly string[] = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'];
/** Their meaning depends on the path taken to reach them; leaving one out would check less than was written. */
const refused: readonly string[] = ['$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'];

const drafts: readonly (readonly [RegExp, SchemaDraft])[] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, '2020-12'],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, '2019-09'],
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, '7'],
  [/^https?:\/\/json-schema\.org\/draft-04\/schema#?$/, '4'],
];

export function draftOf(schema: Json): SchemaDraft {
  const named = schema['$schema'];
  // MCP: a schema that names no dialect is 2020-12.
  if (named === undefined) return '2020-12';
  const found = typeof named === 'string' ? drafts.find(([uri]) => uri.test(named)) : undefined;
  if (found === undefined) throw new UnsupportedSchema('`$schema` names a dialect other than draft-04, 06, 07, 2019-09 or 2020-12');
  return found[1];
}

/** Counts evaluations; throws when there have been too many. */
export type Meter = (cost: number) => void;

/** A copy that holds nothing but checked keywords and reports each evaluation to `meter`. Throws `UnsupportedSchema`. */
export function prepareSchema(schema: Json, meter: Meter): Schema {
  const text = JSON.stringify(schema);
  if (text.length > largest) throw new UnsupportedSchema(`the schema is larger than ${largest} characters`);
  return prepare(schema, '', 0, meter) as Schema;
}

function prepare(schema: unknown, at: string, depth: number, meter: Meter): Schema | boolean {
  if (typeof schema === 'boolean') return schema;
  if (!isObject(schema)) throw new UnsupportedSchema(`${at || '/'}: not a schema`);
  if (depth > deepest) throw new UnsupportedSchema(`${at}: nested deeper than ${deepest}`);
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const here = `${at}/${keyword}`;
    if (refused.includes(keyword)) throw new UnsupportedSchema(`${here}: not supported`);
    if (keyword === '$id' && at !== '') throw new UnsupportedSchema(`${here}: a schema within a schema may not have its own identifier`);
    const assertion = Object.hasOwn(assertions, keyword) ? assertions[keyword] : undefined;
    if (assertion !== undefined) {
      if (!assertion(value)) throw new UnsupportedSchema(`${here}: its value is not what this keyword takes`);
      out[keyword] = value;
    } else if (keyword === '$ref') out[keyword] = localReference(value, here);
    else if (schemaListKeywords.includes(keyword) && Array.isArray(value)) {
      out[keyword] = value.map((part, index) => prepare(part, `${here}/${index}`, depth + 1, meter));
    } else if (schemaKeywords.includes(keyword)) out[keyword] = prepare(value, here, depth + 1, meter);
    else if (schemaMapKeywords.includes(keyword)) out[keyword] = prepareMap(keyword, value, here, depth, meter);
  }
  applyStrings(schema, out, at);
  boundUniqueness(out, meter);
  measure(out, meter);
  return out as Schema;
}

function prepareMap(keyword: string, value: unknown, at: string, depth: number, meter: Meter): Record<string, unknown> {
  if (!isObject(value)) throw new UnsupportedSchema(`${at}: not a map of schemas`);
  const out: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    if (name === '__proto__') throw new UnsupportedSchema(`${at}: a member \`__proto__\``);
    if (keyword === 'patternProperties' && !isPlainPattern(name)) {
      throw new UnsupportedSchema(`${at}: a pattern here must be anchored with ^ and repeat at most one character or class`);
    }
    out[name] = keyword === 'dependencies' && isNames(part) ? part : prepare(part, `${at}/${name}`, depth + 1, meter);
  }
  return out;
}

function localReference(value: unknown, at: string): string {
  if (typeof value !== 'string' || !value.startsWith('#')) throw new UnsupportedSchema(`${at}: only references within the schema (#…) are followed`);
  return value;
}

/** Formats that check; every other one annotates (JSON Schema 2020-12 §7.2.1). */
const patternFormat = 'pattern:';
const known = new Set(['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uuid', 'json-pointer']);

/**
 * The validator runs `pattern` on the backtracking engine, on which `^(a+)+$` and 30 characters block the process, but
 * lets formats be added: a pattern becomes the format that tests it.
 */
function applyStrings(schema: Json, out: Record<string, unknown>, at: string): void {
  const { pattern, format } = schema;
  const names: string[] = [];
  if (pattern !== undefined) {
    const test = typeof pattern === 'string' ? linearPattern(pattern) : null;
    if (test === null) throw new UnsupportedSchema(`${at}/pattern: cannot be matched in linear time; leave out look-around, back-references and large repeats`);
    const name = `${patternFormat}${String(pattern)}`;
    formats[name] = test;
    names.push(name);
  }
  if (typeof format === 'string' && known.has(format)) names.push(format);
  if (names[0] !== undefined) out['format'] = names[0];
  if (names[1] !== undefined) also(out, { format: names[1] });
}

/** The pattern a format stands for; null when it is a plain format. */
export function patternOf(format: string): string | null {
  return format.startsWith(patternFormat) ? format.slice(patternFormat.length) : null;
}

/** The validator compares all pairs of items even where there are too many, so it is asked only where there are not. */
function boundUniqueness(out: Record<string, unknown>, meter: Meter): void {
  if (out['uniqueItems'] !== true) return;
  delete out['uniqueItems'];
  const pairwise = { uniqueItems: true };
  measure(pairwise, meter);
  out['maxItems'] = Math.min((out['maxItems'] as number | undefined) ?? mostUniqueItems, mostUniqueItems);
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  also(out, { if: { maxItems: mostUniqueItems }, then: pairwise });
}

function also(out: Record<string, unknown>, schema: object): void {
  out['allOf'] = [...((out['allOf'] as unknown[] | undefined) ?? []), schema];
}

/**
 * Branches multiply along references: a small schema and a small value can take 2^64 steps. The validator reads every
 * keyword of a schema once per evaluation, so a getter on one that no prepared schema has counts them all.
 */
function measure(out: Record<string, unknown>, meter: Meter): void {
  const sizes = [out['enum'], out['required'], isObject(out['properties']) ? Object.keys(out['properties']) : undefined];
  const cost = 1 + sizes.reduce<number>((sum, part) => sum + (Array.isArray(part) ? part.length >> 3 : 0), 0) + (out['uniqueItems'] === true ? 1_000 : 0);
  Object.defineProperty(out, '$recursiveAnchor', {
    enumerable: false,
    get: () => {
      meter(cost);
      return undefined;
    },
  });
}
