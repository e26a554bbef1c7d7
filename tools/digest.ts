import { hash } from 'node:crypto';
import type { Definition } from './definition.ts';

/** Pinning: one form for a value, one digest for a form. */

/** The value has no single canonical form (RFC 8785), so nothing may be bound to it. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

const deepest = 256;

/**
 * The JSON Canonicalization Scheme form of a JSON value (RFC 8785). Stricter than the RFC where two readers could
 * disagree: throws `NotCanonical` on lone surrogates, non-finite numbers, integers beyond 2^53, `undefined`, functions,
 * objects that are not plain, and nesting beyond 256.
 */
export const canonicalForm = (value: unknown): string => formOf(value, 0);

/** A value in its canonical form, made once for all that is said of it: it stands in a larger value as what it was made of. */
export class Canonical {
  readonly form: string;

  /** Throws `NotCanonical`. */
  constructor(value: unknown) {
    this.form = canonicalForm(value);
  }
}

/** One walk that checks and writes: a call has several forms, and each of its records one. */
function formOf(value: unknown, depth: number): string {
  if (depth > deepest) throw new NotCanonical(`nested deeper than ${deepest}`);
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'string':
      return quoted(value, 'a string');
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical('a number is not finite');
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new NotCanonical('an integer is beyond 2^53');
      // As ECMAScript writes it (RFC 8785, section 3.2.2.3); of zero there is one.
      return String(value);
    case 'object':
      break;
    default:
      throw new NotCanonical(`not a JSON value: ${typeof value}`);
  }
  if (value === null) return 'null';
  let form = '';
  if (Array.isArray(value)) {
    // By index, so that a hole is seen as the `undefined` it is.
    for (let index = 0; index < value.length; index++) form += `${index === 0 ? '' : ','}${formOf(value[index], depth + 1)}`;
    return `[${form}]`;
  }
  if (value instanceof Canonical) return value.form;
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    throw new NotCanonical('an object is not plain');
  }
  const { order, names } = shapeOf(Object.keys(value));
  for (let index = 0; index < order.length; index++) {
    form += `${names[index]}${formOf((value as Readonly<Record<string, unknown>>)[order[index] as string], depth + 1)}`;
  }
  return `{${form}}`;
}

/** How objects with these keys are written. */
interface Shape {
  readonly keys: readonly string[];
  readonly order: readonly string[];
  /** In that order, with what stands around them. */
  readonly names: readonly string[];
}

/** The latest of each look: nearly all there is to write are records, arguments and results, and those are of few shapes. */
const shapes: (Shape | undefined)[] = new Array(256).fill(undefined);
/** Longer keys are few, and of somebody who would have us keep them. */
const longestKept = 1_024;

function shapeOf(keys: readonly string[]): Shape {
  const slot = ((keys.length << 3) + (keys[0]?.length ?? 0)) & 0xff;
  const known = shapes[slot];
  if (known !== undefined && known.keys.length === keys.length && known.keys.every((key, index) => key === keys[index])) return known;
  // By UTF-16 code units (section 3.2.3), which is how ECMAScript sorts.
  const order = keys.toSorted();
  const names = order.map((key, index) => `${index === 0 ? '' : ','}${quoted(key, 'a key')}:`);
  const shape = { keys, order, names };
  if (names.reduce((length, name) => length + name.length, 0) <= longestKept) shapes[slot] = shape;
  return shape;
}

/** All but what JSON writes as it is; what may be half of a pair is looked at too. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

function quoted(text: string, what: string): string {
  if (!special.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NotCanonical(`${what} holds a lone surrogate`);
  return JSON.stringify(text);
}

/** SHA-256, lower-case hex; text is taken as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** The pin of a definition: hex SHA-256 of the canonical form of all that tells a model or a client how to use it. */
export function definitionDigest(definition: Definition): string {
  return sha256Hex(canonicalForm(Object.fromEntries(Object.entries(told(definition)).filter(([, value]) => value !== undefined))));
}

function told(definition: Definition): object {
  const { kind, name, title, description } = definition;
  const common = { kind, name, title, description };
  switch (definition.kind) {
    case undefined:
      return { ...common, inputSchema: definition.inputSchema, outputSchema: definition.outputSchema, annotations: definition.annotations };
    case 'resource':
      return { ...common, uri: definition.uri, mimeType: definition.mimeType, annotations: definition.annotations };
    case 'template':
      return { ...common, uriTemplate: definition.uriTemplate, mimeType: definition.mimeType, annotations: definition.annotations };
    case 'prompt':
      return { ...common, arguments: definition.arguments };
  }
}
