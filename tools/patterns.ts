import { RE2JS } from 're2js';
import { spend } from './budget.ts';

/** Patterns of other people's schemas, run in time linear in the text and charged for what they cost. */

export type PatternTest = (text: string) => boolean;

/** `\s` of ECMAScript; RE2's is ASCII only. */
const space = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const longest = 1_024;
/** Instructions, with every repeat written out. */
const largest = 2_048;

/** A test that answers as `new RegExp(source, 'u').test(text)` would, and `size`, what it takes to hold; or why there is none. */
export function linearPattern(source: string): { readonly test: PatternTest; readonly size: number } | { readonly unfit: string } {
  if (source.length > longest) return { unfit: `the pattern is longer than ${longest} characters` };
  let native: RegExp;
  try {
    native = new RegExp(source, 'u');
  } catch {
    return { unfit: 'the pattern is not valid in ECMAScript with the `u` flag' };
  }
  if (isPlain(source)) return { size: source.length, test: charged((text) => native.test(text), /[*+?}]\$?$/.test(source) ? 0.002 : 0.002 * source.length) };
  const size = writtenOut(source);
  if (size > largest) return { unfit: `the pattern has more than ${largest} parts once its repeats are written out` };
  try {
    const translated = translate(RE2JS.translateRegExp(source));
    if (translated === null) throw new Error('read differently');
    const compiled = RE2JS.compile(translated);
    return { size, test: charged((text) => compiled.test(text), compiled.programSize() / 5) };
  } catch {
    return { unfit: 'the pattern cannot be matched in linear time: it looks around, refers back or repeats over 1000 times' };
  }
}

/** `each` is what one character costs at worst: an automaton that explodes is built anew at every one. */
function charged(test: PatternTest, each: number): PatternTest {
  return (text) => {
    spend(0.1 + text.length * each);
    return test(text);
  };
}

/** How many characters and classes the pattern has once `{n,m}` are written out, which is what compiling it costs. */
function writtenOut(source: string): number {
  const open: number[] = [];
  let sum = 0;
  let last = 0;
  const token = /\\(?:[pPux]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:(,)(\d*))?\}|[\s\S]/gu;
  for (const [text, least, , most] of source.matchAll(token)) {
    if (text === '(') {
      open.push(sum);
      sum = 0;
    } else if (text === ')') {
      last = sum;
      sum += open.pop() ?? 0;
    } else if (least === undefined) {
      last = text === '|' ? 0 : 1;
      sum += last;
    } else {
      const more = last * Math.max(0, Math.max(Number(least), Number(most ?? 0)) - 1);
      sum += more;
      last += more;
    }
  }
  return sum;
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
 * Patterns that the backtracking engine itself runs in linear time, and fastest: anchored, single characters or classes,
 * at most one of them repeated without a fixed number.
 */
function isPlain(source: string): boolean {
  return source.length <= 256 && plain.test(source);
}
const atom = String.raw`(?:\\[dDwWsS.\-/$^*+?()[\]{}|\\]|\[\^?(?:[^\]\\[]|\\[dDwWsS.\-/\]\\^])+\]|[^\\[\](){}*+?|^$.]|\.)`;
const plain = new RegExp(`^\\^(?:${atom}(?:\\{\\d{1,2}\\})?)*(?:${atom}(?:[*+?]|\\{\\d{1,3}(?:,\\d{0,3})?\\}))?(?:${atom})*\\$?$`, 'u');
