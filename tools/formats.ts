import { isIPv6 } from 'node:net';
import { format as formats } from '@cfworker/json-schema';
import type { PatternTest } from './patterns.ts';

/** The formats that are checked; every other one annotates (JSON Schema 2020-12, validation, §7.2.1). */

const taken = ['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uuid', 'json-pointer'];

/** Parts of a reference (RFC 3986 appendix B); always matches. */
const parts = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?[^#]*)?(?:#.*)?$/s;
const scheme = /^[a-z][a-z0-9+.-]*$/i;
const hostAndPort = /^(?:\[([^[\]]*)\]|[^[\]:]*)(?::\d*)?$/;

/** What the validator's pattern lets through although the grammar of RFC 3986 does not. */
function isReference(text: string): boolean {
  const [, named, authority, path] = parts.exec(text) ?? [];
  if (named !== undefined && !scheme.test(named)) return false;
  if (text.includes('"') || /[[\]]/.test(path ?? '')) return false;
  if (authority === undefined) return true;
  const host = hostAndPort.exec(authority.slice(authority.indexOf('@') + 1));
  if (host === null || authority.split('@', 3).length > 2) return false;
  const literal = host[1];
  return literal === undefined || /^v/i.test(literal) || (isIPv6(literal) && !literal.includes('%'));
}

export const checkedFormats: ReadonlyMap<string, PatternTest> = new Map(
  taken.map((name) => {
    const validator = formats[name];
    if (validator === undefined) throw new Error(`the validator has no format ${name}`);
    const test: PatternTest = name.startsWith('uri') ? (text) => validator(text) && isReference(text) : validator;
    return [name, test];
  }),
);
