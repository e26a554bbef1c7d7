import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { glanceAt } from '../../tools/glance.ts';
import { BadJson, Canonical, canonicalForm, compileSchema, NotCanonical, parseJsonStrict } from '../../tools/index.ts';

const json = fc.jsonValue({ maxDepth: 5, noUnicodeString: false });

describe('strict JSON', () => {
  it('reads every text as the native parser does, or refuses it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          json.map((value) => JSON.stringify(value)),
          fc.json(),
          fc.string(),
          fc.stringMatching(/^[[\]{}",:\\u0-9e.a -]{0,40}$/),
        ),
        (text) => {
          let read: unknown;
          try {
            read = parseJsonStrict(text);
          } catch (error) {
            expect(error).toBeInstanceOf(BadJson);
            return;
          }
          expect(read).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('finds no repeated key where there is none', () => {
    const text = json.map((value) => JSON.stringify(value)).filter((written) => !written.includes('\\ud') && !written.includes('__proto__'));
    fc.assert(
      fc.property(text, (written) => {
        try {
          expect(parseJsonStrict(written)).toEqual(JSON.parse(written));
        } catch (error) {
          expect((error as Error).message).toMatch(/^an integer beyond|^a number/);
        }
      }),
    );
  });

  it('refuses any object in which a key is repeated, wherever it stands', () => {
    const key = fc.string({ unit: 'grapheme-ascii', maxLength: 5 }).filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(key, json, json, fc.nat(3), (name, first, second, wrap) => {
        const escaped = `"${[...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
        const object = `{${JSON.stringify(name)}:${JSON.stringify(first)},"~other~":0,${escaped}:${JSON.stringify(second)}}`;
        expect(() => parseJsonStrict(`${'['.repeat(wrap)}${object}${']'.repeat(wrap)}`)).toThrow(BadJson);
      }),
    );
  });
});

describe('the canonical form', () => {
  it('is one for all orders of keys, and reads back as the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        let form: string;
        try {
          form = canonicalForm(value);
        } catch (error) {
          expect(error).toBeInstanceOf(NotCanonical);
          return;
        }
        expect(canonicalForm(reversed(value))).toBe(form);
        expect(canonicalForm(JSON.parse(form))).toBe(form);
      }),
    );
  });

  it('is the same whether a part of the value was put into it before or not', () => {
    const part = json.filter(hasForm);
    fc.assert(
      fc.property(part, part, (inner, beside) => {
        const whole = (made: unknown): unknown => ({ z: [made, beside], arguments: made });
        expect(canonicalForm(whole(new Canonical(inner)))).toBe(canonicalForm(whole(inner)));
        expect(canonicalForm(new Canonical(inner))).toBe(canonicalForm(inner));
      }),
    );
  });
});

function hasForm(value: unknown): boolean {
  try {
    return canonicalForm(value) !== '';
  } catch {
    return false;
  }
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('schemas of unknown origin', () => {
  const keyword = fc.constantFrom(
    'type',
    'required',
    'properties',
    'items',
    'anyOf',
    'allOf',
    'not',
    '$ref',
    '$defs',
    'pattern',
    'format',
    'enum',
    'minimum',
    'uniqueItems',
    'if',
    '$id',
    'dependencies',
    'additionalProperties',
  );
  const schema = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('string', 'object', '#', '#/$defs/a', '^a+$', '(', 1, true, null),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('schema'),
    ),
    schema: fc.dictionary(fc.oneof(keyword, fc.constantFrom('a', 'b')), tie('value'), { maxKeys: 4 }),
  })).schema;

  it('are refused with a reason or check any value without throwing', () => {
    fc.assert(
      fc.property(schema, json, (made, value) => {
        const compiled = compileSchema(made as Record<string, unknown>);
        if ('unsupported' in compiled) expect(compiled.unsupported).not.toBe('');
        else expect(Array.isArray(compiled.check(value))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  const wellFormed = fc.letrec((tie) => {
    const some = <T>(of: fc.Arbitrary<T>) => fc.oneof({ arbitrary: fc.constant(undefined), weight: 7 }, of);
    const list = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
    const map = (key: fc.Arbitrary<string>) => fc.dictionary(key, tie('schema'), { maxKeys: 3 });
    const name = fc.constantFrom('a', 'b', '__proto__', 'constructor');
    const count = fc.nat(4);
    return {
      schema: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.boolean(),
        fc.record({ $ref: fc.constantFrom('#/$defs/a', '#/$defs/b', '#here') }),
        fc
          .record({
            type: some(fc.constantFrom('array', 'object', 'string', 'number', ['null', 'object'])),
            enum: some(fc.array(json, { minLength: 1, maxLength: 3 })),
            pattern: some(fc.constantFrom('^a+$', '(a|b)*c', '\\d{2,}', '^(a+)+$')),
            format: some(fc.constantFrom('uri', 'email', 'date', 'unknown')),
            maxLength: some(count),
            multipleOf: some(fc.constantFrom(1e-300, 0.1, 3)),
            minimum: some(fc.double({ noNaN: true, noDefaultInfinity: true })),
            uniqueItems: some(fc.boolean()),
            minContains: some(count),
            properties: some(map(name)),
            patternProperties: some(map(fc.constantFrom('^a', '(a|b)+', '.'))),
            additionalProperties: some(tie('schema')),
            unevaluatedProperties: some(tie('schema')),
            propertyNames: some(tie('schema')),
            required: some(fc.uniqueArray(name)),
            dependentSchemas: some(map(name)),
            prefixItems: some(list),
            items: some(tie('schema')),
            contains: some(tie('schema')),
            unevaluatedItems: some(tie('schema')),
            allOf: some(list),
            anyOf: some(list),
            oneOf: some(list),
            not: some(tie('schema')),
            if: some(tie('schema')),
            else: some(tie('schema')),
          })
          .map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined))),
      ),
    };
  }).schema;

  it('are run to an end when they are well formed, unless they go in circles or the value is too much', () => {
    let run = 0;
    fc.assert(
      fc.property(wellFormed, wellFormed, wellFormed, json, (top, a, b, value) => {
        const here = typeof b === 'boolean' ? { $anchor: 'here' } : { ...(b as object), $anchor: 'here' };
        const compiled = compileSchema({ allOf: [top], $defs: { a, b: here } });
        if ('unsupported' in compiled) {
          expect(compiled.unsupported).toMatch(/itself|nested deeper/);
          return;
        }
        run += 1;
        for (const given of [value, { a: value, b: [value, value], __proto: value }, [value, value]]) {
          for (const { problem } of compiled.check(given)) expect(problem).not.toBe('cannot be checked against the schema');
        }
      }),
      { numRuns: 500 },
    );
    expect(run).toBeGreaterThan(100);
  });

  it('are met at a glance only where the validator accepts the value too', () => {
    const some = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
    const count = fc.nat(3);
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\u{1f600}'), maxLength: 4 });
    const number = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(0.5, -0.5));
    const listed = some(fc.array(fc.oneof(text, number, fc.boolean()), { minLength: 1, maxLength: 6 }));
    const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
    const plain = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.record({ type: fc.constant('string'), enum: listed, minLength: some(count), maxLength: some(count) }),
        fc.record({ type: fc.constantFrom('number', 'integer'), enum: listed, minimum: some(number), maximum: some(number) }),
        fc.record({ type: fc.constant('boolean'), title: some(text) }),
        fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: some(count), maxItems: some(count) }),
        fc.record({
          type: fc.constant('object'),
          properties: some(fc.dictionary(name, tie('schema'), { maxKeys: 3 })),
          required: some(fc.uniqueArray(name, { maxLength: 2 })),
          additionalProperties: some(fc.boolean()),
        }),
      ),
    })).schema;
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        number,
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value')),
      ),
    })).value;
    const written = (made: unknown) => JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
    let [seen, met] = [0, 0];
    fc.assert(
      fc.property(plain, fc.array(value, { minLength: 1, maxLength: 20 }), (made, values) => {
        const schema = written(made);
        const glance = glanceAt(schema);
        // Wrapped like this it is more than a glance can tell.
        const long = compileSchema({ allOf: [schema] });
        if (glance === null || !('check' in long)) throw new Error('not plain');
        for (const one of values) {
          seen++;
          if (!glance(one)) continue;
          met++;
          expect(long.check(one)).toEqual([]);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(met).toBeGreaterThan(seen / 50);
  });

  it('accept a pattern exactly where ECMAScript does', () => {
    const atom = fc.constantFrom('a', 'b', '\\d', '\\w', '\\s', '\\S', '.', '[ab]', '[^a]', '[\\s-]', '(?:ab|b)', '\\.', '-', 'é', '\\u00e9');
    const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{1,3}', '{2}', '*?')).map(([one, times]) => one + times);
    const pattern = fc
      .tuple(fc.constantFrom('', '^'), fc.array(piece, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '$'))
      .map(([start, pieces, end]) => start + pieces.join('') + end);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '-', ' ', '\n', '\r', '\u00a0', '\u2028', 'é', '_'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        const compiled = compileSchema({ pattern: source });
        if ('unsupported' in compiled) throw new Error(compiled.unsupported);
        expect(compiled.check(value).length === 0).toBe(new RegExp(source, 'u').test(value));
      }),
      { numRuns: 3_000 },
    );
  });
});
