import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BrokeredTool, expand, matchResource } from '../../tools/index.ts';
import { brokered } from './brokered.ts';

const template = (address: string): BrokeredTool => {
  const [tool] = brokered({ templates: [address] });
  if (tool === undefined) throw new Error('not made');
  return tool;
};
const read = (address: string, uri: string): unknown => {
  const found = matchResource([template(address)], uri);
  return typeof found === 'string' ? found : found.arguments;
};

describe('an address', () => {
  it.each([
    ['docs://{name}', 'docs://intro', { name: 'intro' }],
    ['docs://{name}.md', 'docs://intro.v2.md', { name: 'intro.v2' }],
    ['docs://v-{name}/raw', 'docs://v-1/raw', { name: '1' }],
    ['db://{table}/{row}', 'db://users/7', { table: 'users', row: '7' }],
    ['db://{table}.t/{row}', 'db://a.t.t/7', { table: 'a.t', row: '7' }],
    ['db://x?name={name}&by={by}', 'db://x?name=a%26b&by=c', { name: 'a&b', by: 'c' }],
    ['file:///{+path}', 'file:///a/b%20c/d.txt', { path: 'a/b c/d.txt' }],
    ['file:///{+path}', 'file:///a?b#c', { path: 'a?b#c' }],
    ['docs://{name}', 'docs://%C3%BC%25', { name: 'ü%' }],
  ])('of %s is read out of %s', (address, uri, values) => {
    expect(read(address, uri)).toEqual(values);
  });

  it.each([
    ['another scheme', 'docs://{name}', 'dogs://intro'],
    ['an empty value', 'docs://{name}', 'docs://'],
    ['more than the template has', 'docs://{name}', 'docs://intro/more'],
    ['an escape of what needs none', 'docs://{name}', 'docs://%69ntro'],
    ['an escape in lower case', 'docs://{name}', 'docs://%c3%bc'],
    ['something unescaped that must be', 'docs://{name}', 'docs://ü'],
    ['half an escape', 'docs://{name}', 'docs://a%2'],
    ['an escape that is not UTF-8', 'docs://{name}', 'docs://%FF'],
    ['an overlong escape', 'docs://{name}', 'docs://%C0%AE'],
    ['a surrogate in an escape', 'docs://{name}', 'docs://%ED%A0%80'],
    ['a segment that leads up', 'docs://{name}', 'docs://..'],
    ['a segment that leads up within a rest', 'file:///{+path}', 'file:///a/../../etc/passwd'],
    ['one before a query', 'file:///{+path}', 'file:///a/..?b'],
    ['one that is escaped', 'file:///{+path}', 'file:///a/%2E%2e/b'],
    ['a slash that a rest would not escape', 'file:///{+path}', 'file:///a%2Fb'],
    ['a slash in a value', 'docs://{name}', 'docs://..%2F..%2Fetc'],
    ['a backslash in a value', 'docs://{name}', 'docs://a%5Cb'],
    ['a control character in a value', 'docs://{name}', 'docs://a%00'],
    ['a backslash in a rest', 'file:///{+path}', 'file:///a/..%5Cb'],
    ['a control character in a rest', 'file:///{+path}', 'file:///a%0Ab'],
    ['a value that is too long', 'docs://{name}', `docs://${'a'.repeat(1_025)}`],
  ])('with %s is none', (_, address, uri) => {
    expect(read(address, uri)).toBe('none');
  });

  it.each([
    ['docs://{a}{b}', /ends a variable/],
    ['docs://{a}-{b}', /ends a variable/],
    ['docs://{+a}/x', /at its end/],
    ['docs://{a}/{a}', /twice/],
    ['docs://{a*}', /only `\{name\}`/],
    ['docs://{?a}', /only `\{name\}`/],
    ['docs://{a,b}', /only `\{name\}`/],
    ['docs://{a:3}', /only `\{name\}`/],
    ['docs://{a', /only `\{name\}`/],
    ['docs://{__a}', /`__`/],
    ['docs://ü/{a}', /no address may/],
    ['docs://%2/{a}', /no address may/],
    ['docs://../{a}', /between slashes/],
    ['docs://x', /no variable/],
    ['{scheme}://x', /scheme/],
    ['{+uri}', /scheme/],
    [`a:${Array.from({ length: 17 }, (__, at) => `{v${at}}`).join('/')}`, /more than 16/],
  ])('%s is no template that is registered', (address, cause) => {
    expect(() => template(address)).toThrow(cause);
  });

  it('is the resource it names before it is any template’s', () => {
    const tools = brokered({ resources: ['docs://intro'], templates: ['docs://{name}'] });
    expect(matchResource(tools, 'docs://intro')).toMatchObject({ tool: { kind: 'resource' }, arguments: {} });
    expect(matchResource(tools, 'docs://other')).toMatchObject({ tool: { kind: 'template' }, arguments: { name: 'other' } });
  });

  it('that two of a rank have is nobody’s', () => {
    const [one] = brokered({ resources: ['docs://intro'] });
    const both = one === undefined ? [] : [one, { ...one, upstream: 'other', name: 'other__resource_0' }];
    expect(matchResource(both, 'docs://intro')).toBe('ambiguous');
    expect(matchResource(brokered({ templates: ['docs://{name}', 'docs://v{version}'] }), 'docs://v1')).toBe('ambiguous');
    expect(matchResource(brokered({ templates: ['docs://{name}', 'docs://v{version}'] }), 'docs://1')).toMatchObject({ arguments: { name: '1' } });
  });

  it('takes no longer the longer it is than in proportion', () => {
    const tool = template('docs://{a}/{b}/{c}.tail');
    for (const part of ['a', '%41', '/', '.tail', '%', '..', 'ü']) {
      const began = performance.now();
      matchResource([tool], `docs://${part.repeat(8_000)}`);
      matchResource([tool], `docs://a/b/${part.repeat(8_000)}`);
      expect(performance.now() - began).toBeLessThan(50);
    }
  });
});

/** Addresses of every form that is registered, with what names their variables. */
const templates = fc
  .record({
    head: fc.constantFrom('docs://', 'file:///', 'a:', 'http://h.example/x?q=', 'x:a-'),
    middles: fc.array(fc.constantFrom('/', '.md/', '-x/y-', '&b=', '.a.b/', '0/0', '%41/'), { maxLength: 3 }),
    tail: fc.constantFrom('', '.md', '/raw', '%2E', '.', '-x', '#f', '+'),
  })
  .map(({ head, middles, tail }) => `${head}{v0}${middles.map((middle, at) => `${middle}{v${at + 1}}`).join('')}${tail}`);
const values = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
  fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('.', '/', '%', '2', 'E', '\0', 'ü', '\\', '+', ' ', '🙂', '{', '}') }),
  fc.constantFrom('..', '.', '../..', '%2e%2e', '\u0000', '..\\', ';', '?a=b#c', '//evil.example'),
);
const filled = fc.tuple(templates, fc.boolean()).chain(([base, rest]) => {
  const address = rest ? `${base}/{+rest}` : base;
  const names = [...address.matchAll(/\{\+?(\w+)\}/g)].map(([, name]) => String(name));
  return fc.record({ address: fc.constant(address), args: fc.record(Object.fromEntries(names.map((name) => [name, values]))) });
});

describe('variables', () => {
  it('that are taken make an address that reads back as just these, and no others do', () => {
    fc.assert(
      fc.property(filled, ({ address, args }) => {
        const tool = template(address);
        if (tool.validate(args).length > 0) return;
        const uri = expand(tool, args);
        expect(uri).toMatch(/^[!-~]*$/);
        expect(matchResource([tool], uri)).toEqual({ tool, arguments: args });
      }),
      { numRuns: 2_000 },
    );
  });

  it('are refused only where a value divides, or a segment would lead elsewhere', () => {
    fc.assert(
      fc.property(filled, ({ address, args }) => {
        const tool = template(address);
        const led = expand(tool, args)
          .split(/[/?#:;]/)
          .some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
        const divides = Object.entries(args).some(([name, value]) =>
          [...value].some((sign) => sign <= '\x1f' || '\x7f\\'.includes(sign) || (sign === '/' && name !== 'rest')),
        );
        expect(tool.validate(args).length > 0).toBe(led || divides);
      }),
      { numRuns: 2_000 },
    );
  });

  it('read out of any address at all make that very address again', () => {
    const uris = fc.string({ unit: fc.constantFrom('a', '/', '.', '%', '2', 'F', 'f', 'E', 'ü', '?', '#', '-', '.md'), maxLength: 20 });
    const registered = ['docs://{a}', 'docs://{a}/{b}', 'docs://{a}.md', 'docs://{a}/{+b}', 'docs://{+a}'].map(template);
    fc.assert(
      fc.property(fc.constantFrom(...registered), uris, (tool, rest) => {
        const found = matchResource([tool], `docs://${rest}`);
        if (typeof found === 'string') return;
        expect(expand(tool, found.arguments)).toBe(`docs://${rest}`);
        expect(tool.validate(found.arguments)).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('that leave their place do so for no reader of addresses either', () => {
    fc.assert(
      fc.property(values, (value) => {
        const tool = template('https://h.example/files/{name}/raw');
        if (tool.validate({ name: value }).length > 0) return;
        expect(new URL(expand(tool, { name: value })).pathname).toMatch(/^\/files\/[^/]+\/raw$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
