/**
 * The part of RFC 6570 that can be read backwards in one way only: `{name}`, and `{+name}` as the very end. What a client asks for as
 * one address becomes arguments that policy reads, and these become the very same address again.
 */

type Part = { readonly literal: string } | { readonly variable: string; readonly rest: boolean };

export interface UriTemplate {
  readonly parts: readonly Part[];
  readonly variables: readonly string[];
}

export interface Unreadable {
  readonly cause: string;
  readonly remedy: string;
}

/** Longest address that is read or made, in characters. */
export const longestUri = 8_192;
/** Longest value of a variable, in characters. */
export const longestValue = 1_024;
const mostVariables = 16;

/** RFC 3986, section 2.3, with the escapes that stand for everything else; whatever is not of these ends a variable. */
const run = /[A-Za-z0-9._~%-]*/y;
const literal = /^(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;
const delimiter = /[:/?#[\]@!$&'()*+,;=]/;
/** What readers of addresses take out, and the segment before it as well; it may be written with escapes (WHATWG URL, 4.4). */
const dots = /^(?:\.|%2e){1,2}$/i;
const hasDots = (uri: string): boolean => uri.split(/[/?#:;]/).some((segment) => dots.test(segment));

export function parseTemplate(template: string): UriTemplate | Unreadable {
  const parts = template.split(/(\{[^{}]*\})/).flatMap((piece): Part[] => {
    if (piece === '') return [];
    const [, plus, variable] = /^\{(\+?)([A-Za-z_][A-Za-z0-9_]{0,63})\}$/.exec(piece) ?? [];
    return [variable === undefined ? { literal: piece } : { variable, rest: plus === '+' }];
  });
  const variables = parts.flatMap((part) => ('variable' in part ? [part.variable] : []));
  const cause = whyUnreadable(parts, variables);
  if (cause === null) return { parts, variables };
  return { cause: `its template cannot be read back: ${cause}`, remedy: 'register the addresses it stands for one by one, or a tool that reads them' };
}

function whyUnreadable(parts: readonly Part[], variables: readonly string[]): string | null {
  const literals = parts.flatMap((part) => ('literal' in part ? [part.literal] : []));
  const strange = literals.find((text) => !literal.test(text));
  if (strange !== undefined) return /[{}]/.test(strange) ? 'only `{name}`, and `{+name}` at its end, are understood' : 'it holds what no address may';
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(literals[0] ?? '') || !('literal' in (parts[0] ?? {}))) return 'it does not start with a scheme';
  if (variables.length === 0) return 'it has no variable';
  if (variables.length > mostVariables) return `it has more than ${mostVariables} variables`;
  if (new Set(variables).size < variables.length) return 'a variable stands twice';
  if (variables.some((name) => name.startsWith('__'))) return 'a name starts with `__`';
  if (hasDots(parts.map((part) => ('literal' in part ? part.literal : 'v')).join(''))) return 'it holds a `.` or `..` between slashes';
  for (const [at, part] of parts.entries()) {
    const next = parts[at + 1];
    if ('literal' in part || next === undefined) continue;
    if (part.rest) return '`{+name}` does not stand at its end';
    if ('variable' in next || (at + 2 < parts.length && !delimiter.test(next.literal))) return 'nothing that ends a variable stands between two of them';
  }
  return null;
}

/** The variables' values, unescaped; null for an address that these do not make again, to the letter. In time linear in its length. */
export function matchTemplate(template: UriTemplate, uri: string): Readonly<Record<string, string>> | null {
  if (uri.length > longestUri || hasDots(uri)) return null;
  const { parts } = template;
  const values: [string, string][] = [];
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if ('literal' in part) {
      if (!uri.startsWith(part.literal, at)) return null;
      at += part.literal.length;
      continue;
    }
    const end = part.rest ? uri.length : endOfRun(uri, at) - tailOf(parts[index + 1]);
    const value = valueIn(uri.slice(at, Math.max(at, end)), part.rest);
    if (value === null) return null;
    values.push([part.variable, value]);
    at = end;
  }
  return at === uri.length ? Object.fromEntries(values) : null;
}

function endOfRun(uri: string, from: number): number {
  run.lastIndex = from;
  return from + (run.exec(uri)?.[0].length ?? 0);
}

/** How much of what follows a variable could be taken for the end of its value. */
function tailOf(next: Part | undefined): number {
  if (next === undefined || !('literal' in next)) return 0;
  const end = next.literal.search(delimiter);
  return end < 0 ? next.literal.length : end;
}

/** What would divide a path, or end a text, for an upstream that unescapes what it is sent. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const [dividing, dividingRest] = [/[/\\\0-\x1f\x7f]/, /[\\\0-\x1f\x7f]/];

function valueIn(written: string, rest: boolean): string | null {
  try {
    const value = decodeURIComponent(written);
    if (value === '' || [...value].length > longestValue || (rest ? dividingRest : dividing).test(value)) return null;
    return escaped(value, rest) === written ? value : null;
  } catch {
    // Not UTF-8, or half an escape.
    return null;
  }
}

/** `values` has one for every variable. Throws `URIError` on a lone surrogate. */
export function expandTemplate({ parts }: UriTemplate, values: Readonly<Record<string, unknown>>): string {
  return parts.map((part) => ('literal' in part ? part.literal : escaped(String(values[part.variable]), part.rest))).join('');
}

/** As RFC 6570, 3.2.2 and 3.2.3 say, but that an escape in a value is a value too: `%` is always escaped, so that no two values look alike. */
function escaped(value: string, rest: boolean): string {
  if (rest) return encodeURI(value).replaceAll('%5B', '[').replaceAll('%5D', ']');
  return encodeURIComponent(value).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
