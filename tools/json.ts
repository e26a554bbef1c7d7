/** JSON from outside, read so that no two readers can see two things in it (I-JSON, RFC 7493), in time linear in its length. */

/** The text is refused; the message is a short reason that never quotes it. */
export class BadJson extends Error {
  override readonly name = 'BadJson';
}

export interface JsonCaps {
  readonly bytes: number;
  readonly depth: number;
  /** Members and elements in all, an empty object or list counting as one more: reading them costs far more than their bytes. No cap when left out. */
  readonly values?: number;
}

export const defaultJsonCaps: JsonCaps = { bytes: 1_048_576, depth: 64 };

/**
 * Parses one JSON text. Throws `BadJson` when it is over the caps, not UTF-8, malformed, or holds a duplicate key, a key
 * `__proto__`, a lone surrogate, a number that is not finite, an integer beyond 2^53 or more digits than a double keeps.
 */
export function parseJsonStrict(input: string | Uint8Array, caps: JsonCaps = defaultJsonCaps): unknown {
  const text = typeof input === 'string' ? checkedText(input, caps.bytes) : decode(input, caps.bytes);
  // What bounds the native parser bounds what walks its answer as well, so it is counted before either starts.
  const { members, escapes, numbers } = look(text, caps);
  const value = parsed(text);
  for (const number of numbers) checkNumber(number);
  // The native parser keeps the last of equal keys, however they are written: there are fewer than the text has colons.
  if (membersOf(value, escapes) !== members) throw new BadJson('a duplicate key');
  return value;
}

function checkedText(text: string, bytes: number): string {
  if (text.length > bytes || Buffer.byteLength(text) > bytes) throw new BadJson('too large');
  if (!text.isWellFormed()) throw new BadJson('a lone surrogate');
  return text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(input: Uint8Array, bytes: number): string {
  if (input.byteLength > bytes) throw new BadJson('too large');
  try {
    return utf8.decode(input);
  } catch {
    throw new BadJson('not UTF-8');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadJson('not valid JSON');
  }
}

/** What a text shows outside its strings. That it is JSON is only known once it has been parsed. */
interface Looked {
  /** How many members its objects have. */
  readonly members: number;
  readonly escapes: boolean;
  /** Those that may not be what they say. */
  readonly numbers: readonly string[];
}

function look(text: string, { depth: deepest, values: most = Number.POSITIVE_INFINITY }: JsonCaps): Looked {
  const endOfString = stringsOf(text);
  const numbers: string[] = [];
  let [members, depth, values] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = endOfString(at);
    else if (unit === 0x3a) members++;
    else if (unit === 0x2c) values = counted(values, most);
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > deepest) throw new BadJson('nested too deeply');
      values = counted(values, most);
    } else if (unit === 0x7d || unit === 0x5d) depth--;
    else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      const end = endOfNumber(text, at);
      // Fifteen digits always survive; an exponent may take them out of range.
      if (end - at > 15 || /[eE]/.test(text.slice(at, end))) numbers.push(text.slice(at, end));
      at = end - 1;
    }
  }
  return { members, escapes: text.includes('\\'), numbers };
}

/** What opens has one value, and each comma brings another. */
function counted(values: number, most: number): number {
  if (values === most) throw new BadJson(`more than ${most} values; send fewer at once, or as one text`);
  return values + 1;
}

/** How many members the objects in a value have; with `escapes`, the only way to a lone surrogate in well-formed text, its strings are looked at. */
function membersOf(value: unknown, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes && !value.isWellFormed()) throw new BadJson('a lone surrogate');
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const one of value) members += membersOf(one, escapes);
    return members;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new BadJson('a key `__proto__`');
    members += 1 + membersOf(key, escapes) + membersOf((value as Readonly<Record<string, unknown>>)[key], escapes);
  }
  return members;
}

/**
 * Finds the closing quote of the string that opens at an index, asked from left to right. What was found and not yet passed is kept, so
 * that all of them together take one pass.
 */
function stringsOf(text: string): (start: number) => number {
  let [nextQuote, nextBackslash] = [-1, -1];
  const find = (sign: string, from: number): number => {
    const found = text.indexOf(sign, from);
    return found < 0 ? text.length : found;
  };
  return (start) => {
    for (let at = start + 1; ; at = nextBackslash + 2) {
      if (nextQuote < at) nextQuote = find('"', at);
      if (nextBackslash < at) nextBackslash = find('\\', at);
      if (nextQuote >= text.length) throw new BadJson('not valid JSON');
      if (nextQuote < nextBackslash) return nextQuote;
    }
  };
}

function endOfNumber(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    const partOfNumber = (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x2b || unit === 0x2e || unit === 0x65 || unit === 0x45;
    if (!partOfNumber) break;
    at++;
  }
  return at;
}

function checkNumber(written: string): void {
  const number = Number(written);
  if (!Number.isFinite(number)) throw new BadJson('a number out of range');
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new BadJson('an integer beyond 2^53');
  checkDigits(written, number);
}

/** A double keeps 15 to 17 digits: what it would not give back as it was written, other readers may see as another number. */
function checkDigits(written: string, number: number): void {
  const digits = significant(written);
  const kept = digits.length <= 17 ? significant(number.toPrecision(Math.max(1, digits.length))) : significant(String(number));
  if (kept !== digits) throw new BadJson('a number with more digits than are kept');
}

/** The digits of a number from the first to the last that is not zero, without point and exponent. */
function significant(written: string): string {
  const exponent = written.search(/[eE]/);
  const digits = (exponent < 0 ? written : written.slice(0, exponent)).replaceAll(/[-.]/g, '');
  let [start, end] = [0, digits.length];
  while (start < end && digits[start] === '0') start++;
  while (end > start && digits[end - 1] === '0') end--;
  return digits.slice(start, end);
}
