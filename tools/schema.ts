import type { Schema, SchemaDraft } from '@cfworker/json-schema';
import { spend } from './budget.ts';
import type { PatternedSchema } from './pattern-properties.ts';
import { linearPattern, type PatternTest } from './patterns.ts';
import { stringChecks } from './strings.ts';
import { UnsupportedSchema } from './unsupported.ts';

/** Turns a JSON Schema of unknown origin into one that is safe to run: known keywords only, bounded in every direction. */

type Json = Readonly<Record<string, unknown>>;

const largest = 262_144;
const deepest = 64;
const longestEnum = 1_000;
const longestPlace = 1_024;
/** Of all patterns together, with every repeat written out: some hundredths of a second to compile. */
const mostPatternParts = 4_096;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isNames = (value: unknown): boolean => Array.isArray(value) && value.length <= longestEnum && value.every((name) => typeof name === 'string');
const isText = (value: unknown): boolean => typeof value === 'string';
const typeNames = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keywords that assert without holding a schema, with what their value must be. */
const assertions: Readonly<Record<string, (value: unknown, draft: SchemaDraft) => boolean>> = {
  type: (value) => (Array.isArray(value) ? value.length > 0 && value.every((name) => typeNames.includes(name)) : typeNames.includes(value as string)),
  const: () => true,
  enum: (value) => Array.isArray(value) && value.length <= longestEnum,
  required: isNames,
  dependentRequired: (value) => isObject(value) && Object.values(value).every(isNames),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: (value, draft) => (draft === '4' ? typeof value === 'boolean' : isNumber(value)),
  exclusiveMaximum: (value, draft) => (draft === '4' ? typeof value === 'boolean' : isNumber(value)),
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  minContains: isCount,
  maxContains: isCount,
  uniqueItems: (value) => typeof value === 'boolean',
};
/** Asserted by one test of ours. */
const stringAssertions: Readonly<Record<string, (value: unknown) => boolean>> = { pattern: isText, format: isText, minLength: isCount, maxLength: isCount };
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

const drafts: readonly (readonly [RegExp, SchemaDraft])[] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, '2020-12'],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, '2019-09'],
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, '7'],
  [/^https?:\/\/json-schema\.org\/draft-04\/schema#?$/, '4'],
];

function draftOf(schema: Json, at: string): SchemaDraft {
  const named = schema['$schema'];
  // MCP: a schema that names no dialect is 2020-12.
  if (named === undefined) return '2020-12';
  const found = typeof named === 'string' ? drafts.find(([uri]) => uri.test(named)) : undefined;
  if (found === undefined)
    throw new UnsupportedSchema(
      `${at}/$schema`,
      'it names a dialect other than draft-04, 06, 07, 2019-09 or 2020-12',
      'name one of these, or none for 2020-12',
    );
  return found[1];
}

export interface PreparedSchema {
  readonly root: Schema;
  readonly draft: SchemaDraft;
  /** Every schema within, with the JSON Pointer of where it stood. */
  readonly places: ReadonlyMap<object, string>;
  readonly patterned: readonly PatternedSchema[];
}

interface Preparation {
  readonly draft: SchemaDraft;
  readonly places: Map<object, string>;
  readonly patterned: PatternedSchema[];
  readonly anchors: Set<string>;
  patternParts: number;
  /** Places of what can be supported in the absence of the other. */
  inner: string | null;
  dynamic: string | null;
}

const misused = (at: string): UnsupportedSchema => new UnsupportedSchema(at, 'its value is not what this keyword takes', 'correct it');

/** A copy that holds nothing but checked keywords and charges for each evaluation. Throws `UnsupportedSchema`. */
export function prepareSchema(schema: Json): PreparedSchema {
  refuseDepth(schema);
  const text = JSON.stringify(schema);
  if (text.length > largest) throw new UnsupportedSchema('', `the schema is larger than ${largest} characters`, 'make it smaller');
  const doing: Preparation = { draft: draftOf(schema, ''), places: new Map(), patterned: [], anchors: new Set(), patternParts: 0, inner: null, dynamic: null };
  const root = prepare(schema, '', doing);
  if (doing.dynamic !== null && doing.inner !== null) {
    throw new UnsupportedSchema(doing.dynamic, `where it leads depends on the way here, as ${doing.inner} is a schema of its own`, 'use `$ref`');
  }
  return { root, draft: doing.draft, places: doing.places, patterned: doing.patterned };
}

/** Level by level, before anything walks it by recursion. */
function refuseDepth(schema: Json): void {
  let level: readonly unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw new UnsupportedSchema('', `it is nested deeper than ${deepest} levels`, 'make it flatter, with `$defs`');
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
}

/** What no value fits: `false`, in a form whose evaluation is charged for. */
const nothing = { enum: [] };

function prepare(given: unknown, at: string, doing: Preparation): Schema {
  if (typeof given !== 'boolean' && !isObject(given)) throw new UnsupportedSchema(at, 'it is not a schema', 'write an object, `true` or `false`');
  if (at.length > longestPlace)
    throw new UnsupportedSchema(`${at.slice(0, 100)}…`, `its place takes more than ${longestPlace} characters`, 'use shorter names');
  const schema: Json = typeof given === 'boolean' ? (given ? {} : nothing) : alone(given, doing.draft);
  const out: Record<string, unknown> = {};
  doing.places.set(out, at);
  for (const [keyword, value] of Object.entries(schema)) {
    const here = `${at}/${escaped(keyword)}`;
    const takes = Object.hasOwn(assertions, keyword) ? assertions[keyword] : Object.hasOwn(stringAssertions, keyword) ? stringAssertions[keyword] : undefined;
    if (takes !== undefined && !takes(value, doing.draft)) throw misused(here);
    if (Object.hasOwn(assertions, keyword)) out[keyword] = value;
    else if (schemaListKeywords.includes(keyword) && Array.isArray(value)) out[keyword] = value.map((part, index) => prepare(part, `${here}/${index}`, doing));
    else if (schemaKeywords.includes(keyword)) out[keyword] = prepare(value, here, doing);
    else if (schemaMapKeywords.includes(keyword)) out[keyword] = prepareMap(keyword, value, here, doing);
  }
  if (typeof given !== 'boolean') identify(given, schema, out, at, doing);
  applyPatterns(out, at, doing);
  const strings = stringChecks(schema);
  if (strings !== null) {
    if ('unfit' in strings) throw new UnsupportedSchema(`${at}/pattern`, strings.unfit, 'write a simpler pattern');
    countParts(strings.size, `${at}/pattern`, doing);
    out['format'] = strings.format;
  }
  charge(out);
  return out as Schema;
}

/** Up to draft-07 a reference stands for the whole schema it is in; what it may refer to still stands beside it. */
function alone(schema: Json, draft: SchemaDraft): Json {
  if ((draft !== '4' && draft !== '7') || schema['$ref'] === undefined) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => ['$ref', '$defs', 'definitions'].includes(keyword)));
}

/** Identifiers and references. */
function identify(given: Json, schema: Json, out: Record<string, unknown>, at: string, doing: Preparation): void {
  const { draft } = doing;
  if (at !== '' && given['$schema'] !== undefined && draftOf(given, at) !== draft) {
    throw new UnsupportedSchema(`${at}/$schema`, 'it names another dialect than the whole', 'write the schema in one dialect');
  }
  const idWord = draft === '4' ? 'id' : '$id';
  const id = schema[idWord];
  if (typeof id === 'string') {
    out['$id'] = id;
    if (at !== '' && !id.startsWith('#')) doing.inner ??= at;
  } else if (id !== undefined) throw misused(`${at}/${idWord}`);
  reference(schema['$ref'], `${at}/$ref`, out);
  if (draft === '2019-09' || draft === '2020-12') name(schema['$anchor'], `${at}/$anchor`, out, doing);
  if (draft === '2019-09' && schema['$recursiveRef'] !== undefined) {
    doing.dynamic ??= `${at}/$recursiveRef`;
    reference(schema['$recursiveRef'], `${at}/$recursiveRef`, out);
  }
  if (draft === '2020-12') {
    if (schema['$dynamicRef'] !== undefined) doing.dynamic ??= `${at}/$dynamicRef`;
    if (schema['$dynamicAnchor'] !== undefined) doing.dynamic ??= `${at}/$dynamicAnchor`;
    // Within one schema resource there is but one place a dynamic reference can lead.
    reference(schema['$dynamicRef'], `${at}/$dynamicRef`, out);
    name(schema['$dynamicAnchor'], `${at}/$dynamicAnchor`, out, doing);
  }
}

function reference(value: unknown, at: string, out: Record<string, unknown>): void {
  if (value === undefined) return;
  if (typeof value !== 'string') throw misused(at);
  if (out['$ref'] !== undefined) throw new UnsupportedSchema(at, 'there is another reference beside it', 'put each into an `allOf`');
  out['$ref'] = value;
}

function name(value: unknown, at: string, out: Record<string, unknown>, doing: Preparation): void {
  if (value === undefined) return;
  if (typeof value !== 'string' || out['$anchor'] !== undefined) throw misused(at);
  if (doing.anchors.has(value)) throw new UnsupportedSchema(at, 'another part of the schema has the same anchor', 'give each an anchor of its own');
  doing.anchors.add(value);
  out['$anchor'] = value;
}

function prepareMap(keyword: string, value: unknown, at: string, doing: Preparation): Record<string, unknown> {
  if (!isObject(value)) throw new UnsupportedSchema(at, 'it is not a map of schemas', 'write an object');
  // Without a prototype, a property may be called `__proto__`.
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, part] of Object.entries(value)) {
    out[name] = keyword === 'dependencies' && isNames(part) ? part : prepare(part, `${at}/${escaped(name)}`, doing);
  }
  return out;
}

function applyPatterns(prepared: Record<string, unknown>, at: string, doing: Preparation): void {
  const tests: PatternTest[] = [];
  for (const source of Object.keys(prepared['patternProperties'] ?? {})) {
    const here = `${at}/patternProperties/${escaped(source)}`;
    const made = linearPattern(source);
    if ('unfit' in made) throw new UnsupportedSchema(here, made.unfit, 'write a simpler pattern');
    countParts(made.size, here, doing);
    tests.push(made.test);
  }
  if (tests.length > 0) doing.patterned.push({ prepared, tests });
}

function countParts(size: number, at: string, doing: Preparation): void {
  doing.patternParts += size;
  if (doing.patternParts > mostPatternParts)
    throw new UnsupportedSchema(at, `all patterns together have more than ${mostPatternParts} parts`, 'use fewer patterns');
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * Branches multiply along references: a small schema and a small value can take 2^64 steps. The validator reads every
 * keyword of a schema once per evaluation, so a getter on one that no prepared schema has counts them all.
 */
function charge(out: Record<string, unknown>): void {
  const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
  const lengthsOf = (value: unknown): number => (isObject(value) ? Object.values(value).reduce<number>((sum, part) => sum + lengthOf(part), 0) : 0);
  // What is told of a failed enum or const holds all of it.
  const said = [out['enum'], out['const']].reduce<number>((sum, value) => sum + (value === undefined ? 0 : JSON.stringify(value).length), 0);
  const names = lengthOf(out['required']) + lengthsOf(out['dependentRequired']) + lengthsOf(out['dependencies']);
  const properties = isObject(out['properties']) ? Object.keys(out['properties']).length : 0;
  const cost = 1 + said / 100 + names / 2 + properties / 8 + (out['uniqueItems'] === true ? 40 : 0) + (out['multipleOf'] === undefined ? 0 : 4);
  // The validator would keep each schema's address, and a name long enough makes all those below it long.
  Object.defineProperty(out, '__absolute_uri__', { enumerable: false, value: '' });
  Object.defineProperty(out, '$recursiveAnchor', {
    enumerable: false,
    get: () => {
      spend(cost);
      return undefined;
    },
  });
}
