import { RE2JS } from 're2js';

/** Patterns of other people's schemas, run by an engine whose time is linear in the text. */

export type PatternTest = (text: string) => boolean;

/** `\s` of ECMAScript; RE2's is ASCII only. */
const space = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const longest = 1_024;

/**
 * A test that answers as `new RegExp(source, 'u').test(text)` would, in linear time. Null when the pattern is not valid
 * there, or is one that cannot be run so (look-around, back-references, repeats above 1000, over 1,024 characters).
 */
export function linearPattern(source: string): PatternTest | null {
  if (source.length > longest) return null;
  try {
    new RegExp(source, 'u');
    const translated = translate(RE2JS.translateRegExp(source));
    if (translated === null) return null;
    const compiled = RE2JS.compile(translated);
    return (text) => compiled.test(text);
  } catch {
    return null;
  }
}

/** Spells out what the two dialects read differently: white space, the dot, and negated space within a class. */
function translate(source: string): string | null {
  let out = '';
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const unit = source.charAt(at);
    if (unit === '\\') {
      const escaped = source.charAt(++at);
      if (escaped === 's') out += inClass ? space : `[${space}]`;
      else if (escaped === 'S') {
        if (inClass) return null;
        out += `[^${space}]`;
      } else out += unit + escaped;
    } else if (!inClass && unit === '[') {
      const everything = ['[\\s\\S]', '[\\S\\s]', '[\\d\\D]', '[\\w\\W]', '[^]'].find((spelling) => source.startsWith(spelling, at));
      if (everything !== undefined) {
        out += '(?s:.)';
        at += everything.length - 1;
      } else {
        // RE2 reads `[[:name:]]` as a POSIX class, ECMAScript as characters.
        if (source.startsWith('[[:', at)) return null;
        inClass = true;
        out += unit;
      }
    } else if (inClass && unit === ']') {
      inClass = false;
      out += unit;
    } else if (!inClass && unit === '.') out += '[^\\n\\r\\x{2028}\\x{2029}]';
    else if (inClass && source.startsWith('[:', at)) return null;
    else out += unit;
  }
  return out;
}

/**
 * Patterns that the backtracking engine itself runs in linear time: anchored, single characters or classes, at most one
 * of them repeated without a bound. For the one keyword (`patternProperties`) whose patterns must stay native.
 */
export function isPlainPattern(source: string): boolean {
  if (source.length > longest) return false;
  const atom = String.raw`(?:\\[dDwWsS.\-/$^*+?()[\]{}|\\]|\[\^?(?:[^\]\\[]|\\[dDwWsS.\-/\]\\^])+\]|[^\\[\](){}*+?|^$.]|\.)`;
  const shape = new RegExp(`^\\^(?:${atom}(?:\\{\\d{1,2}\\})?)*(?:${atom}(?:[*+?]|\\{\\d{1,3}(?:,\\d{0,3})?\\}))?(?:${atom})*\\$?$`, 'u');
  try {
    new RegExp(source, 'u');
    return shape.test(source);
  } catch {
    return false;
  }
}
