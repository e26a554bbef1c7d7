import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../tools/index.ts';

type Schema = Record<string, unknown>;
const problems = (schema: Schema, value: unknown) => {
  const compiled = compileSchema(schema);
  if ('unsupported' in compiled) throw new Error(compiled.unsupported);
  return compiled.check(value);
};
const unsupported = (schema: Schema): string | null => {
  const compiled = compileSchema(schema);
  return 'unsupported' in compiled ? compiled.unsupported : null;
};

describe('what is wrong with arguments', () => {
  const schema = {
    type: 'object',
    properties: {
      amount: { type: 'number', exclusiveMinimum: 0, maximum: 5_000 },
      invoice: { type: 'string', pattern: '^INV-[0-9]{1,8}$' },
      kind: { enum: ['credit', 'debit'] },
      mail: { type: 'string', format: 'email' },
      lines: { type: 'array', maxItems: 2, items: { type: 'object', properties: { 'a/b': { type: 'integer' } } } },
      memo: { anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] },
    },
    required: ['amount', 'invoice'],
    additionalProperties: false,
  };
  const good = { amount: 1, invoice: 'INV-7' };

  it('is nothing when they fit', () => {
    expect(problems(schema, { ...good, kind: 'debit', mail: 'a@b.example', lines: [{ 'a/b': 1 }], memo: null })).toEqual([]);
  });

  it.each([
    [{ invoice: 'INV-7' }, '/amount', 'is required'],
    [{ ...good, amount: '600' }, '/amount', 'must be a number'],
    [{ ...good, amount: 0 }, '/amount', 'must be more than 0'],
    [{ ...good, amount: 5_000.5 }, '/amount', 'must be at most 5000'],
    [{ ...good, invoice: 'INV-seven' }, '/invoice', 'must match the pattern ^INV-[0-9]{1,8}$'],
    [{ ...good, kind: 'both' }, '/kind', 'must be one of ["credit","debit"]'],
    [{ ...good, mail: 'nowhere' }, '/mail', 'must be in the format email'],
    [{ ...good, lines: [{}, {}, {}] }, '/lines', 'must have at most 2 items'],
    [{ ...good, lines: [{ 'a/b': 1.5 }] }, '/lines/0/a~1b', 'must be a whole number'],
    [{ ...good, memo: 7 }, '/memo', 'must be a string or null'],
    [{ ...good, cc: 'x' }, '/cc', 'is not an argument this tool takes'],
    ['text', '', 'must be an object'],
  ])('is told for a model, at the innermost place: %j', (value, path, problem) => {
    expect(problems(schema, value)).toEqual([{ path, problem }]);
  });

  it('is told all at once', () => {
    expect(problems(schema, { amount: 'x', kind: 1 })).toHaveLength(3);
  });

  it('never quotes a value', () => {
    const secret = 'hunter2';
    const every = {
      type: 'object',
      properties: {
        a: { type: 'number', enum: [1], const: 1, not: {} },
        b: { minLength: 99, pattern: '^x$', format: 'uuid' },
        c: { maximum: 1, multipleOf: 2 },
      },
    };
    const told = JSON.stringify(problems(every, { a: secret, b: secret, c: 774_411 }));
    expect(told).not.toContain(secret);
    expect(told).not.toContain('774411');
  });
});

describe('schemas of unknown origin', () => {
  it.each([
    ['a remote reference', { $ref: 'https://evil.example/schema' }, /at \/\$ref: .*nothing is fetched/],
    ['a reference to nothing', { properties: { a: { $ref: '#/$defs/none' } } }, /at \/properties\/a\/\$ref: it refers to nothing/],
    ['a dynamic reference that may lead elsewhere', { $dynamicRef: '#a', $dynamicAnchor: 'a', $defs: { b: { $id: 'b' } } }, /depends on the way/],
    ['a dialect nobody knows', { $schema: 'https://evil.example/dialect' }, /dialect/],
    ['one identifier twice', { $defs: { a: { $id: 'https://a.example/' }, b: { $id: 'https://a.example/' } } }, /one identifier/],
    ['one anchor twice', { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }, /at \/\$defs\/b\/\$anchor/],
    ['a part in another dialect', { $defs: { a: { $schema: 'http://json-schema.org/draft-07/schema#' } } }, /another dialect/],
    ['a circle', { $ref: '#' }, /refers to itself/],
    ['a circle by way of others', { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } }, /refers to itself/],
    ['a look-ahead', { pattern: '^(?=a)' }, /linear time/],
    ['a back-reference', { pattern: '(a)\\1' }, /linear time/],
    ['a pattern that is none', { pattern: '[' }, /at \/pattern: .*not valid/],
    ['a huge repeat', { pattern: '(?:a{1000}){1000}' }, /written out/],
    ['a look-behind for names', { patternProperties: { '(?<=a)/b': {} } }, /at \/patternProperties\/\(\?<=a\)~1b: .*linear time/],
    ['a keyword misused', { required: 'amount' }, /not what this keyword takes/],
    ['a bound that is no number', { minimum: '0' }, /not what this keyword takes/],
    ['a size without end', { enum: Array.from({ length: 900 }, () => 'x'.repeat(400)) }, /larger than/],
    ['a list that is too long', { enum: Array.from({ length: 1_001 }, (_, i) => i) }, /not what this keyword takes/],
    ['something else than a schema', { properties: { a: 'string' } }, /not a schema/],
  ])('are refused with a reason when they hold %s', (_, schema, reason) => {
    expect(unsupported(schema as Schema)).toMatch(reason);
  });

  it('are refused when they are nested too deeply', () => {
    let schema: Schema = {};
    for (let i = 0; i < 70; i++) schema = { items: schema };
    expect(unsupported(schema)).toMatch(/nested deeper/);
    for (let i = 0; i < 50_000; i++) schema = { items: schema };
    expect(unsupported(schema)).not.toBeNull();
  });

  it.each(['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-04/schema#'])(
    'may name the dialect %s',
    ($schema) => {
      expect(problems({ $schema, type: 'string', maxLength: 1 }, 'ab')).toEqual([{ path: '', problem: 'must have at most 1 characters' }]);
    },
  );

  it('may refer within themselves, also in a circle', () => {
    const tree = { $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, n: { type: 'number' } } } }, $ref: '#/$defs/node' };
    expect(problems(tree, { next: { next: { n: 1 } } })).toEqual([]);
    expect(problems(tree, { next: { next: { n: 'x' } } })).toEqual([{ path: '/next/next/n', problem: 'must be a number' }]);
  });

  it('have formats that only describe ignored, and unknown keywords too', () => {
    expect(problems({ type: 'string', format: 'constructor', example: 'x', default: 1 }, 'x')).toEqual([]);
  });

  it('match a pattern as ECMAScript does', () => {
    for (const [pattern, text] of [
      ['^\\s$', '\u00a0'],
      ['^\\S$', '\u00a0'],
      ['^.$', '\u2028'],
      ['^[\\s\\S]$', '\n'],
      ['^[^\\s]$', '\u3000'],
      ['^a$', 'a\n'],
      ['^\\u00e9$', 'é'],
      ['^[\\w.-]+@x\\.y$', 'a.b-c@x.y'],
      ['b', 'abc'],
      ['^\\p{L}+$', 'Ärger'],
      ['^a/b$', 'a/b'],
    ] as const) {
      const native = new RegExp(pattern, 'u').test(text);
      expect([pattern, problems({ pattern }, text).length === 0]).toEqual([pattern, native]);
    }
  });
});

describe('the work of one check', () => {
  const timed = (schema: Schema, value: unknown): { readonly ms: number; readonly refused: boolean } => {
    const started = performance.now();
    const refused = problems(schema, value).length > 0;
    return { ms: performance.now() - started, refused };
  };
  const text = `${'a'.repeat(200_000)}!`;

  it.each(['^(a+)+$', '^(a|a)*$', '(x+x+)+y', '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}$', 'a*a*a*a*b'])(
    'is linear in the text for the pattern %s',
    (pattern) => {
      expect(timed({ pattern }, text)).toMatchObject({ refused: true });
      expect(timed({ pattern }, text).ms).toBeLessThan(1_000);
    },
  );

  it.each(['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uuid', 'json-pointer'])(
    'is bounded for the format %s',
    (format) => {
      for (const hostile of [
        text,
        `http://${text}`,
        `a@${'a.'.repeat(50_000)}`,
        '/~'.repeat(50_000),
        ':'.repeat(100_000),
        `P${'1'.repeat(100_000)}`,
        `http://${'a:'.repeat(50_000)}@[`,
        '%41'.repeat(50_000),
      ]) {
        expect(timed({ format }, hostile).ms).toBeLessThan(500);
      }
    },
  );

  it('is bounded for branches that multiply with depth', () => {
    const node: Schema = { anyOf: Array.from({ length: 4 }, () => ({ properties: { n: { $ref: '#/$defs/node' } } })) };
    let value: unknown = { bad: true };
    for (let i = 0; i < 40; i++) value = { n: value };
    const result = timed({ $defs: { node }, $ref: '#/$defs/node' }, value);
    expect(result.refused).toBe(true);
    expect(result.ms).toBeLessThan(2_000);
  });

  it('is bounded for branches that multiply in place', () => {
    const $defs: Record<string, Schema> = { d30: { type: 'string' } };
    for (let i = 0; i < 30; i++) $defs[`d${i}`] = { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] };
    expect(timed({ $defs, $ref: '#/$defs/d0' }, 'x').ms).toBeLessThan(2_000);
  });

  it('is bounded for items that must be unique', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({ i }));
    expect(timed({ uniqueItems: true }, many)).toMatchObject({ refused: true });
    expect(timed({ uniqueItems: true }, many).ms).toBeLessThan(500);
    expect(problems({ uniqueItems: true }, [1, 2, 1])).toEqual([{ path: '', problem: 'must not hold an item twice' }]);
  });
});
