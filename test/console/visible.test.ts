import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceOf } from '../../server/console/approval/difference.ts';
import { measureDecisions, rubberStamps } from '../../server/console/history/measure.ts';
import { hasOdd, type Piece, piecesOf } from '../../server/console/parts/visible.ts';

/** What the pieces say the text is. */
const told = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => ('text' in piece ? piece.text : String.fromCodePoint(Number.parseInt(piece.code.slice(2), 16)).repeat(piece.count))).join('');
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ maxLength: 60 }));

describe('text of others, made visible', () => {
  it('loses nothing and adds nothing', () => {
    fc.assert(fc.property(anyText, (text) => told(piecesOf(text)) === text));
  });
  it('never lets through what is invisible, turns the order round or controls a terminal', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const piece of piecesOf(text))
          if ('text' in piece) expect(piece.text.replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/u);
      }),
    );
  });
  it.each(['plain', 'Grüße aus Köln', 'naïve café', 'Москва', 'Ελλάδα', '日本語', 'עברית', 'العربية', '½ × 3 – “quoted” … €5', 'line\none\ttab'])(
    'leaves %j as it is',
    (text) => {
      expect(hasOdd(text)).toBe(false);
    },
  );
  it.each([
    ['p\u0430ypal', 'looks like a Latin letter'],
    ['\u0430\u0440\u0440\u04cf\u0435', 'looks like a Latin letter'],
    ['\u03bf\u03bd\u03bf', 'looks like a Latin letter'],
    ['\uff21', 'looks like A'],
    ['\u0661', 'a digit'],
    ['a\u2215b', 'looks like /'],
    ['\u00a0', 'no-break space'],
    ['\r', 'carriage return'],
    ['\ud800', 'no character'],
    ['\u{e0061}', 'invisible tag'],
    ['\ue000', 'no character'],
  ])('marks %j', (text, name) => {
    expect(piecesOf(text).flatMap((piece) => ('code' in piece ? [piece.name] : []))).toContainEqual(expect.stringContaining(name));
  });
  it('stays small, whatever it is: past two thousand marks they are written out', () => {
    const pieces = piecesOf('\u200b\u200c'.repeat(5_000));
    expect(pieces).toHaveLength(2_001);
    expect(pieces.at(-1)).toMatchObject({ text: expect.stringMatching(/^(⟨U\+200B⟩⟨U\+200C⟩){4000}$/) });
    expect(piecesOf('\u200b'.repeat(5_000))).toEqual([{ code: 'U+200B', name: 'zero-width space', count: 5_000 }]);
  });
});

describe('a difference', () => {
  it('puts both texts together again, and cuts no character in half', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.string({ unit: 'grapheme', maxLength: 20 }), (before, now, shared) => {
        const [a, b] = [shared + before + shared, shared + now + shared];
        const { head, was, is, tail } = differenceOf(a, b);
        expect(head + was + tail).toBe(a);
        expect(head + is + tail).toBe(b);
        if (a.isWellFormed() && b.isWellFormed()) for (const part of [head, was, is, tail]) expect(part.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('a rubber stamp', () => {
  const decisions = (count: number, took: number, denied: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ approval: `a${at}`, person: 'local#bob', name: 'bob', reason: null, tool: 't', agent: 'a', session: 's', rung: null, askedAt: 0, shownAt: 1_000 },
      at: 1_000 + took * 1000,
      decision: at < denied ? ('deny' as const) : ('approve' as const),
    }));
  it.each([
    [100, 2, 0, 1],
    [100, 2, 4, 1],
    [100, 2, 5, 0],
    [100, 3, 0, 0],
    [10, 1, 0, 1],
    [9, 1, 0, 0],
  ])('%i decisions in %i s each, %i of them denials: %i warnings', (count, took, denied, warnings) => {
    expect(rubberStamps(measureDecisions(decisions(count, took, denied), ({ name }) => name))).toHaveLength(warnings);
  });
});
