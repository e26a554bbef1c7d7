import dns from 'node:dns';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compileSchema, definitionDigest, makeCatalogue, parseJsonStrict, type ToolDefinition, toolManifest } from '../../tools/index.ts';

/** What an upstream that wants the broker to stop would list, and what an agent would send to help it. */

type Schema = Record<string, unknown>;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const keyed = (count: number, make: (index: number) => readonly [string, unknown]): Schema => Object.fromEntries(times(count, make));

/** Processor time, as the tests share their machine; on an idle one the worst case of all takes some 60 ms. */
const most = 400;
function spent<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1_000, result };
}
const refusal = (schema: Schema): string | null => {
  const { ms, result } = spent(() => compileSchema(schema));
  expect(ms).toBeLessThan(2 * most);
  return 'unsupported' in result ? result.unsupported : null;
};
/** The answer, found within bounds. */
function checked(schema: Schema, value: unknown): readonly { readonly path: string; readonly problem: string }[] {
  const compiled = compileSchema(schema);
  if ('unsupported' in compiled) throw new Error(compiled.unsupported);
  const { ms, result } = spent(() => compiled.check(value));
  expect(ms).toBeLessThan(most);
  return result;
}
const tooMuch = [{ path: '', problem: 'takes too much work to check; send less' }];
const nested = (depth: number, wrap: (inner: unknown) => unknown, innermost: unknown = {}): unknown => {
  let made = innermost;
  for (let at = 0; at < depth; at++) made = wrap(made);
  return made;
};

describe('a hostile schema is refused with place and reason', () => {
  it.each<[string, Schema, RegExp]>([
    ['a back-reference', { properties: { a: { pattern: '^(a+)\\1$' } } }, /^at \/properties\/a\/pattern: .*refers back/],
    ['a look-ahead', { pattern: '^(?=a)' }, /^at \/pattern: .*looks around/],
    ['a look-behind for names', { patternProperties: { '(?<=a)': {} } }, /^at \/patternProperties\/\(\?<=a\): .*looks around/],
    ['a giant repeat', { pattern: 'a{1,100000}' }, /^at \/pattern: .*written out/],
    ['giant repeats of repeats', { pattern: '(?:(?:(?:ab{9}){9}){9}){9}' }, /^at \/pattern: .*written out/],
    ['many large patterns', { allOf: times(9, (i) => ({ pattern: `(?:a|${i}){400}` })) }, /together/],
    ['a pattern of 100 KB', { pattern: 'a'.repeat(100_000) }, /^at \/pattern: .*longer than/],
    ['10,000 levels', nested(10_000, (items) => ({ items })) as Schema, /nested deeper/],
    ['10,000 levels of constants', { const: nested(10_000, (inner) => [inner]) }, /nested deeper/],
    ['5 MB', { description: 'x'.repeat(5_000_000) }, /larger than/],
    ['100,000 properties', { properties: keyed(100_000, (i) => [`p${i}`, {}]) }, /larger than/],
    ['100,000 values to choose from', { enum: times(100_000, (i) => i) }, /larger than|\/enum/],
    ['names that make every place long', nested(30, (inner) => ({ properties: { ['n'.repeat(400)]: inner } })) as Schema, /place takes more/],
    ['a circle', { $ref: '#' }, /refers to itself/],
    [
      'a circle through branches',
      { $defs: { a: { oneOf: [{}, { $ref: '#/$defs/b' }] }, b: { if: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' },
      /refers to itself/,
    ],
    ['a dynamic circle', { $dynamicAnchor: 'a', $dynamicRef: '#a' }, /refers to itself/],
    ['a chain without end', { $ref: '#/$defs/0', $defs: keyed(900, (i) => [`${i}`, { $ref: `#/$defs/${(i + 1) % 900}` }]) }, /chain|itself/],
    ['a reference elsewhere', { $ref: 'http://169.254.169.254/latest' }, /^at \/\$ref: .*nothing is fetched/],
    ['a file', { $ref: 'file:///etc/passwd' }, /nothing is fetched/],
    ['a divisor of zero', { multipleOf: 0 }, /^at \/multipleOf/],
    ['a number out of range', { maximum: Number.POSITIVE_INFINITY }, /^at \/maximum/],
  ])('%s', (_, schema, reason) => {
    expect(refusal(schema)).toMatch(reason);
  });

  it('also by apply, which names tool, place, reason and remedy', () => {
    const definition: ToolDefinition = { name: 'pay', inputSchema: { type: 'object', properties: { 'a/b': { type: 'string', pattern: '(?=x)' } } } };
    const manifest = toolManifest.parse({ name: 'pay', effect: 'write', reaches: 'tenant', returns: { sensitivity: 'public' } });
    const upstream = { name: 'ledger', tools: [manifest] } as unknown as Parameters<typeof makeCatalogue>[0];
    const { problems } = makeCatalogue(upstream, [{ tool: 'pay', definition, digest: definitionDigest(definition) }]);
    expect(problems).toEqual([
      {
        manifest: expect.objectContaining({ name: 'pay' }),
        cause: expect.stringContaining('at /properties/a~1b/pattern: the pattern cannot be matched'),
        remedy: 'write a simpler pattern, at the upstream',
      },
    ]);
  });
});

describe('a check ends within its budget', () => {
  const megabyte = 'a'.repeat(1_000_000);

  it.each(['^(a+)+$', '^(a|a)*$', '(x+x+)+y', '[ab]*a[ab]{500}[xy]', '^(?:a|b|ab|ba){1,200}$', '^a*aaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '.*.*.*b'])(
    'for the pattern %s, on the largest body',
    (pattern) => {
      const mixed = times(100_000, (i) => ((i * 7_919) % 13 < 6 ? 'a' : 'b')).join('');
      for (const text of [`${megabyte}!`, mixed]) {
        expect(checked({ pattern }, text)).not.toEqual([]);
        expect(checked({ allOf: times(2, () => ({ pattern })) }, text)).not.toEqual([]);
        checked({ patternProperties: { [pattern]: true } }, { [text.slice(0, 500)]: 1 });
      }
    },
  );

  it.each<[string, Schema, unknown]>([
    ['many patterns for many names', { patternProperties: keyed(200, (i) => [`^a${i}$`, true]) }, keyed(60_000, (i) => [`b${i}`, 1])],
    ['equal items', { uniqueItems: true }, times(10_000, () => ({ a: { b: [1, 2, 3] } }))],
    ['items equal up to the end', { uniqueItems: true }, times(300, (i) => [...times(300, () => 0), i])],
    ['many lists of unique items', { items: { uniqueItems: true } }, times(500, () => times(60, (i) => ({ i })))],
    ['contained items', { contains: { type: 'string' }, minContains: 3 }, times(400_000, () => 0)],
    ['items that nothing allows', { items: false }, times(400_000, () => 0)],
    ['names that nothing allows', { additionalProperties: false }, keyed(80_000, (i) => [`n${i}`, 0])],
    ['names that must be short', { propertyNames: { maxLength: 2 } }, keyed(80_000, (i) => [`n${i}`, 0])],
    [
      'branches within branches',
      { $defs: { x: { anyOf: times(4, () => ({ properties: { n: { $ref: '#/$defs/x' } } })) } }, $ref: '#/$defs/x' },
      nested(60, (n) => ({ n }), 0),
    ],
    [
      '2^30 branches',
      { $ref: '#/$defs/0', $defs: keyed(31, (i) => [`${i}`, i === 30 ? { type: 'string' } : { oneOf: times(2, () => ({ $ref: `#/$defs/${i + 1}` })) }]) },
      0,
    ],
    ['branches over a wide object', { anyOf: times(1_000, () => ({ minProperties: 100_000 })) }, keyed(60_000, (i) => [`n${i}`, 0])],
    [
      'what was evaluated, level by level',
      nested(28, (inner) => ({ allOf: [inner], unevaluatedProperties: false }), { additionalProperties: {} }) as Schema,
      keyed(20_000, (i) => [`n${i}`, 0]),
    ],
    ['missing names', { items: { required: times(1_000, (i) => `r${i}`) } }, times(100_000, () => ({}))],
    ['a long choice, told each time', { items: { enum: times(900, (i) => `${'x'.repeat(200)}${i}`) } }, times(100_000, () => 0)],
    ['a deep constant', { const: nested(60, (a) => ({ a })) }, nested(60, (a) => ({ a }))],
    ['tiny divisors', { items: { multipleOf: 1e-300 } }, times(100_000, () => 1e300)],
    ['long texts', { allOf: times(500, () => ({ minLength: 900_000 })) }, megabyte],
    [
      'every format',
      { allOf: ['uri', 'uri-reference', 'email', 'hostname', 'ipv6', 'json-pointer', 'duration'].map((format) => ({ format })) },
      `http://${'a.'.repeat(400_000)}`,
    ],
  ])('for %s', (_, schema, value) => {
    checked(schema, value);
  });

  it('for a name as long as the body', () => {
    expect(checked({ additionalProperties: { type: 'string' } }, { ['%'.repeat(1_000_000)]: times(1_000, () => 0) })).toMatchObject([{ path: '' }]);
  });

  it('and says that it was too much', () => {
    expect(
      checked(
        { items: { type: 'number' } },
        times(400_000, () => 0),
      ),
    ).toEqual(tooMuch);
    expect(
      checked(
        { uniqueItems: true },
        times(10_000, (i) => i),
      ),
    ).toEqual(tooMuch);
  });

  it('which one large value does not take from the next', () => {
    const compiled = compileSchema({ items: { type: 'number' } });
    if ('unsupported' in compiled) throw new Error(compiled.unsupported);
    expect(compiled.check(times(400_000, () => 0))).toEqual(tooMuch);
    expect(compiled.check(times(1_000, () => 0))).toEqual([]);
  });
});

describe('names and numbers that mean something to the language mean nothing here', () => {
  it('in schema or value', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    const schema = JSON.parse(
      `{"type":"object","properties":{${names.map((name) => `"${name}":{"type":"number"}`).join()}},"additionalProperties":false}`,
    ) as Schema;
    for (const name of names) {
      expect(checked(schema, JSON.parse(`{"${name}":1}`))).toEqual([]);
      expect(checked(schema, JSON.parse(`{"${name}":"x"}`))).toEqual([{ path: `/${name}`, problem: 'must be a number' }]);
      expect(checked({ additionalProperties: false }, JSON.parse(`{"${name}":1}`))).not.toEqual([]);
      expect(checked({ required: [name] }, {})).toEqual([{ path: `/${name}`, problem: 'is required' }]);
      expect(checked(JSON.parse(`{"patternProperties":{"^${name}$":false}}`), JSON.parse(`{"${name}":1}`))).not.toEqual([]);
    }
    expect(({} as Schema)['polluted']).toBeUndefined();
  });

  it('at the edges of what a number holds', () => {
    expect(checked({ maximum: 2 ** 53 - 1 }, 2 ** 53 - 1)).toEqual([]);
    expect(checked({ minimum: -(2 ** 53) + 1 }, -(2 ** 53) + 1)).toEqual([]);
    expect(checked({ multipleOf: 1e-300 }, 1e300)).toEqual([]);
    expect(checked({ multipleOf: 0.01 }, 0.07)).toEqual([]);
    expect(() => parseJsonStrict('1e400')).toThrow();
    expect(() => parseJsonStrict('9007199254740993')).toThrow();
  });
});

describe('nothing a schema says is fetched', () => {
  afterEach(() => vi.restoreAllMocks());

  it('whatever its addresses', () => {
    const opened = [vi.spyOn(globalThis, 'fetch'), vi.spyOn(Socket.prototype, 'connect'), vi.spyOn(dns, 'lookup')];
    for (const address of ['http://127.0.0.1:1/schema', 'https://evil.example/schema', '//evil.example/x']) {
      for (const schema of [{ $ref: address }, { $id: address }, { $schema: address }, { $dynamicRef: address }, { items: { $id: address, $ref: 'other' } }]) {
        const compiled = compileSchema(schema);
        if ('check' in compiled) compiled.check([{}]);
      }
    }
    for (const spy of opened) expect(spy).not.toHaveBeenCalled();
  });
});

describe('arguments that nobody declared', () => {
  it.each(['http://json-schema.org/draft-07/schema#', 'http://json-schema.org/draft-04/schema#', undefined])(
    'do not pass by way of a reference at the top in the dialect %s, which makes its neighbours ignored',
    ($schema) => {
      const inputSchema = {
        ...($schema === undefined ? {} : { $schema }),
        type: 'object',
        $ref: '#/definitions/pay',
        definitions: { pay: { type: 'object', properties: { amount: { type: 'number' } } } },
      };
      const definition: ToolDefinition = { name: 'pay', inputSchema };
      const manifest = toolManifest.parse({ name: 'pay', effect: 'write', reaches: 'tenant', returns: { sensitivity: 'public' } });
      const upstream = { name: 'ledger', tools: [manifest] } as unknown as Parameters<typeof makeCatalogue>[0];
      const [tool] = makeCatalogue(upstream, [{ tool: 'pay', definition, digest: definitionDigest(definition) }]).tools;
      expect(tool?.validate({ amount: 1 })).toEqual([]);
      expect(tool?.validate({ amount: 1, to: 'me' })).toEqual([{ path: '/to', problem: 'is not an argument this tool takes' }]);
    },
  );
});
