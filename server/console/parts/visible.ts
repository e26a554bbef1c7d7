import { html } from 'hono/html';
import type { Html } from '../page.ts';

/**
 * Text of others as it is: what a reader would not see, or would take for something else, is shown as what it is. Everything
 * else stands as it came; nothing is interpreted.
 */
export type Piece = { readonly text: string } | { readonly code: string; readonly name: string; readonly count: number };

/** Past so many marks the rest is written out as text: a megabyte of hidden characters must not become fifty of page. */
const mostMarks = 2_000;

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let marks = 0;
  const add = (plain: string): void => {
    const last = pieces.at(-1);
    if (last && 'text' in last) pieces[pieces.length - 1] = { text: last.text + plain };
    else pieces.push({ text: plain });
  };
  const mark = (char: string, name: string): void => {
    const code = codeOf(char);
    const last = pieces.at(-1);
    if (last && 'code' in last && last.code === code) pieces[pieces.length - 1] = { ...last, count: last.count + 1 };
    else if (marks++ < mostMarks) pieces.push({ code, name, count: 1 });
    else add(`⟨${code}⟩`);
  };
  for (const [part] of text.matchAll(parts)) {
    if (plain.test(part)) {
      add(part);
      continue;
    }
    const twins = looksLatin(part);
    let stacked = 0;
    for (const char of part) {
      stacked = /\p{M}/u.test(char) ? stacked + 1 : 0;
      const name = nameOf(char, twins) ?? (stacked > 2 ? 'stacked mark' : null);
      if (name === null) add(char);
      else mark(char, name);
    }
  }
  return pieces;
}

export const hasOdd = (text: string): boolean => piecesOf(text).some((piece) => 'code' in piece);

export const visibly = (text: string): Html =>
  html`${piecesOf(text).map((piece) =>
    'text' in piece
      ? piece.text
      : html`<mark class="odd" title="${piece.name}">${piece.code}${piece.count > 1 ? ` ×${piece.count}` : ''}<span class="sr"> (${piece.name})</span></mark>`,
  )}`;

/** Words and what is between them; a word's letters are looked at together. */
const parts = /[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+/gu;
const plain = /^[\x20-\x7e\n\t]*$/;

const codeOf = (char: string): string => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

const latin = /\p{Script=Latin}/u;
const alike = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
/** Letters of other scripts that look like Latin ones in most fonts (Unicode TR 39). */
const latinTwins = new Set('аАВеЕЅѕіІїјЈкКМНоОрРсСТхХуУԁԛԝһҺӏӀүαΑΒΕΖΗΙΚΜΝνοΟρΡΤτυΥΧχγοՏսոօհցⲟᎪᏴᎬ');

/** A word of Latin and look-alike letters, or of look-alikes alone. */
function looksLatin(word: string): boolean {
  if (!alike.test(word)) return false;
  const letters = [...word].filter((char) => /\p{L}/u.test(char));
  return letters.some((char) => latin.test(char)) || letters.every((char) => latinTwins.has(char));
}

const named: Readonly<Record<string, string>> = {
  '\u0000': 'null',
  '\u0008': 'backspace',
  '\u000d': 'carriage return',
  '\u001b': 'escape: begins a terminal command',
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'end of embedding',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2028': 'line separator',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'end of isolate',
  '\ufeff': 'zero-width no-break space',
};
/** Punctuation taken for ASCII's, beyond what compatibility forms tell. */
const punctuation: Readonly<Record<string, string>> = {
  '∕': '/',
  '⁄': '/',
  '⧸': '/',
  '꞉': ':',
  '։': ':',
  '∶': ':',
  ː: ':',
  ǃ: '!',
  ǀ: '|',
  '‐': '-',
  '‑': '-',
  '−': '-',
  '․': '.',
};

/** What a character is that would mislead; null for one that is what it looks like. */
function nameOf(char: string, twins: boolean): string | null {
  if (char === '\n' || char === '\t' || (char >= ' ' && char <= '~')) return null;
  const known = named[char];
  if (known !== undefined) return known;
  if (/\p{Cc}/u.test(char)) return 'control character';
  if (/[\u{e0000}-\u{e007f}]/u.test(char)) return 'invisible tag';
  if (/[\p{DI}\p{Cf}]/u.test(char)) return 'invisible';
  if (/[\p{Co}\p{Cn}\p{Cs}]/u.test(char)) return 'no character';
  if (/[\p{Z}]/u.test(char) || char === '\u3164' || char === '\u2800') return 'space that is not a space';
  if (twins && alike.test(char)) return 'looks like a Latin letter';
  const like = punctuation[char] ?? asciiForm(char);
  return like === null ? null : `looks like ${like}`;
}

/** Full-width letters, mathematical alphabets, digits of other scripts: what they are read as. Signs of everyday text stay. */
function asciiForm(char: string): string | null {
  if (char <= '\u00ff' || char === '…' || char === '™') return null;
  const form = char.normalize('NFKC');
  if (form !== char && /^[!-~]+$/.test(form)) return form;
  return /\p{Nd}/u.test(char) ? 'a digit' : null;
}
