import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ToolDefinition } from './manifest.ts';

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
export function canonicalForm(value: unknown): string {
  assertCanonical(value, 0);
  const form = canonicalize(value);
  if (form === undefined) throw new NotCanonical('not a JSON value');
  return form;
}

function assertCanonical(value: unknown, depth: number): void {
  if (depth > deepest) throw new NotCanonical(`nested deeper than ${deepest}`);
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw new NotCanonical('a string holds a lone surrogate');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical('a number is not finite');
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new NotCanonical('an integer is beyond 2^53');
      return;
    case 'object':
      break;
    default:
      throw new NotCanonical(`not a JSON value: ${typeof value}`);
  }
  if (value === null) return;
  if (Array.isArray(value)) {
    // By index, so that a hole is seen as the `undefined` it is.
    for (let index = 0; index < value.length; index++) assertCanonical(value[index], depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    throw new NotCanonical('an object is not plain');
  }
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) throw new NotCanonical('a key holds a lone surrogate');
    assertCanonical(member, depth + 1);
  }
}

/** SHA-256, lower-case hex; text is taken as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** The pin of a definition: hex SHA-256 of the canonical form of all that tells a model or a client how to call it. */
export function definitionDigest(definition: ToolDefinition): string {
  const { name, title, description, inputSchema, outputSchema, annotations } = definition;
  const present = Object.entries({ name, title, description, inputSchema, outputSchema, annotations }).filter(([, value]) => value !== undefined);
  return sha256Hex(canonicalForm(Object.fromEntries(present)));
}
