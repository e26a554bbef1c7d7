import { describe, expect, it } from 'vitest';
import { BadJson, parseJsonStrict } from '../../tools/index.ts';

describe('JSON from outside', () => {
  it.each([
    ['a duplicate key', '{"a":1,"a":2}', 'a duplicate key'],
    ['a duplicate key in disguise', '{"a":1,"\\u0061":2}', 'a duplicate key'],
    ['a duplicate key further down', '[{"x":{"a":[],"b":{},"a":0}}]', 'a duplicate key'],
    ['a key __proto__', '{"__proto__":{"admin":true}}', 'a key `__proto__`'],
    ['a key __proto__ in disguise', '{"\\u005f_proto__":1}', 'a key `__proto__`'],
    ['an integer beyond 2^53', '{"a":9007199254740993}', 'an integer beyond 2^53'],
    ['an integer beyond 2^53 written otherwise', '[1e17]', 'an integer beyond 2^53'],
    ['a negative one', '[-9007199254740992]', 'an integer beyond 2^53'],
    ['a number that is not finite', '[1e400]', 'a number out of range'],
    ['a number too small to be told from 0', '[123e-10000000]', 'a number with more digits than are kept'],
    ['more digits than a double keeps', '[3.14159265358979323846]', 'a number with more digits than are kept'],
    ['a fraction that would be lost', '[600.00000000000000001]', 'a number with more digits than are kept'],
    ['sixteen digits that are another number', '[8.000000000000001e-324]', 'a number with more digits than are kept'],
    ['a lone surrogate', '"\\ud800"', 'a lone surrogate'],
    ['a lone surrogate as key', '{"\\udc00":1}', 'a lone surrogate'],
    ['nothing', '', 'not valid JSON'],
    ['two values', '1 2', 'not valid JSON'],
    ['an unfinished string', '"abc', 'not valid JSON'],
    ['a trailing comma', '[1,]', 'not valid JSON'],
    ['NaN', 'NaN', 'not valid JSON'],
    ['a byte order mark', '\ufeff{}', 'not valid JSON'],
  ])('is refused when it holds %s', (_, text, reason) => {
    expect(() => parseJsonStrict(text)).toThrow(new BadJson(reason));
  });

  it.each([
    ['over the cap in bytes', '"ééé"', { bytes: 7, depth: 8 }, 'too large'],
    ['nested beyond the cap', '[[[]]]', { bytes: 100, depth: 2 }, 'nested too deeply'],
    ['of more elements than the cap', '[1,[2,3],",,"]', { bytes: 100, depth: 8, values: 4 }, 'more than 4 values; send fewer at once, or as one text'],
    ['of more members than the cap', '{"a":{"b":1,"c":2}}', { bytes: 100, depth: 8, values: 2 }, 'more than 2 values; send fewer at once, or as one text'],
    ['of more empty parts than the cap', '[[],{}]', { bytes: 100, depth: 8, values: 3 }, 'more than 3 values; send fewer at once, or as one text'],
  ])('is refused when it is %s', (_, text, caps, reason) => {
    expect(() => parseJsonStrict(text, caps)).toThrow(new BadJson(reason));
    expect(() => parseJsonStrict(Buffer.from(text), caps)).toThrow(new BadJson(reason));
  });

  it.each([
    ['[1,[2,3],",,"]', 5],
    ['{"a":{"b":1,"c":2}}', 3],
    ['[[],{}]', 4],
    ['7', 0],
  ])('is taken when it holds as many values as the cap: %s', (text, values) => {
    expect(parseJsonStrict(text, { bytes: 100, depth: 8, values })).toEqual(JSON.parse(text));
  });

  it('is refused when its bytes are not UTF-8', () => {
    expect(() => parseJsonStrict(new Uint8Array([0x22, 0xff, 0x22]))).toThrow(new BadJson('not UTF-8'));
  });

  it.each([
    ['{"a":[1,{"b":"a"}],"b":{"a":1}}'],
    ['{"1.5":1.5,"-1":-1e-7}'],
    ['"{\\"a\\":1,\\"a\\":2}"'],
    ['[9007199254740991,0.1,-0]'],
    ['[0.30000000000000004,0.10000000000000001,5e-324,0.000e-999,1.500000000000000000000,100000000000000.0000]'],
    ['{"constructor":1,"toString":2}'],
    [' [ true , null ] '],
  ])('is read as the native parser reads it: %s', (text) => {
    expect(parseJsonStrict(text)).toEqual(JSON.parse(text));
    expect(parseJsonStrict(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  it('counts no bracket within a string as depth', () => {
    expect(parseJsonStrict('"[[[[\\"[[["', { bytes: 100, depth: 1 })).toBe('[[[["[[[');
  });

  it('takes time linear in its length, whatever it holds', () => {
    const big = 1_000_000;
    const caps = { bytes: 8 * big, depth: 64 };
    const hostile = [
      `"${'\\"'.repeat(big)}"`,
      `[${'1,'.repeat(big)}1]`,
      `[1.${'0'.repeat(big)}1]`,
      `[${'0.1234567890123456789,'.repeat(big / 10)}1]`,
      `{${Array.from({ length: big / 10 }, (_, i) => `"${i}":0`).join()}}`,
      '['.repeat(big),
      '"'.repeat(big),
      '\\'.repeat(big),
    ];
    const started = performance.now();
    for (const text of hostile) {
      try {
        parseJsonStrict(text, caps);
      } catch (error) {
        expect(error).toBeInstanceOf(BadJson);
      }
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
