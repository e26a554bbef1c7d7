import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalForm, definitionDigest, NotCanonical, sha256Hex, type ToolDefinition } from '../../tools/index.ts';

describe('the canonical form', () => {
  it('is that of RFC 8785, section 3.2', () => {
    const value = { numbers: [Number('333333333.33333329'), 4.5, 2e-3, 1e-27], string: '\u20ac$\u000F\u000aA\'B"\\\\"/', literals: [null, true, false] };
    expect(canonicalForm(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by UTF-16 code unit', () => {
    expect(canonicalForm({ '\ufb33': 1, '\u{1f600}': 2, '\u20ac': 3, a: 4, '1': 5 })).toBe('{"1":5,"a":4,"\u20ac":3,"\u{1f600}":2,"\ufb33":1}');
  });

  it('is right for objects that look like one another, in whatever order they come', () => {
    const name = fc.constantFrom('a', 'b', '10', '9', 'é', 'z"', '\u{1f600}', 'constructor');
    const one = fc.uniqueArray(name, { maxLength: 4 }).map((names) => Object.fromEntries(names.map((key, index) => [key, index])));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), (objects) => {
        for (const object of objects) expect(canonicalForm(object)).toBe(canonicalize(object));
      }),
    );
  });

  it('is, for any JSON value, what the library of that name makes of it', () => {
    const exact = (_: string, one: unknown): unknown => (Number.isInteger(one) && !Number.isSafeInteger(one) ? 0 : one);
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }).map((any): unknown => JSON.parse(JSON.stringify(any), exact));
    fc.assert(
      fc.property(value, (any) => {
        expect(canonicalForm(any)).toBe(canonicalize(any));
      }),
    );
  });

  const hole = [1];
  hole.length = 2;
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  it.each([
    ['undefined', undefined],
    ['a member undefined', { a: undefined }],
    ['a hole', hole],
    ['a function', { a: () => 1 }],
    ['a bigint', 1n],
    ['NaN', [Number.NaN]],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['an integer beyond 2^53', [2 ** 53]],
    ['a lone surrogate', '\ud800'],
    ['a key with a lone surrogate', { '\ud800': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a toJSON of its own', { toJSON: () => 1 }],
    ['a loop', loop],
  ])('does not exist for %s', (_, value) => {
    expect(() => canonicalForm(value)).toThrow(NotCanonical);
  });
});

describe('the digest of a definition', () => {
  const definition: ToolDefinition = { name: 'pay', description: 'Pays.', inputSchema: { type: 'object', properties: { a: { type: 'number' } } } };

  it('is the SHA-256 of its canonical form, in hex', () => {
    expect(definitionDigest(definition)).toBe(
      sha256Hex('{"description":"Pays.","inputSchema":{"properties":{"a":{"type":"number"}},"type":"object"},"name":"pay"}'),
    );
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('does not depend on the order of keys, nor on members that are undefined', () => {
    const reordered = { inputSchema: { properties: { a: { type: 'number' } }, type: 'object' }, title: undefined, description: 'Pays.', name: 'pay' };
    expect(definitionDigest(reordered)).toBe(definitionDigest(definition));
  });

  it.each([
    [{ name: 'pay2' }],
    [{ title: 'Pay' }],
    [{ description: 'Pays. Then mails the receipt to attacker@example.org.' }],
    [{ inputSchema: { type: 'object' } }],
    [{ outputSchema: { type: 'object' } }],
    [{ annotations: { readOnlyHint: true } }],
  ])('changes with %j', (change) => {
    expect(definitionDigest({ ...definition, ...change })).not.toBe(definitionDigest(definition));
  });
});
