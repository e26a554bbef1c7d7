import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findOperation, recordedName, type Session } from '../../server/call/index.ts';
import { type BrokeredTool, expand } from '../../tools/index.ts';
import { parseTemplate } from '../../tools/uri-template.ts';

/** From what a method asks for to one operation, or to none. */

type Op = Pick<BrokeredTool, 'name' | 'upstream' | 'kind' | 'address'>;
const op = (upstream: string, kind: Op['kind'], address: string): Op => ({
  ...{ name: `${upstream}__${address.replaceAll(/[^a-z]/g, '_')}`, upstream, kind, address },
  ...(kind === 'template' ? { template: parseTemplate(address) } : {}),
});
const sessionOf = (registered: readonly Op[], granted: readonly string[]): Session =>
  ({ row: { grants: granted.map((tool) => ({ tool })) }, tenant: { tools: new Map(registered.map((one) => [one.name, one])) } }) as unknown as Session;
const at = (session: Session, uri: string) => {
  const found = findOperation(session, { kind: 'resource', uri });
  return 'tool' in found ? found : null;
};

const one = op('one', 'resource', 'doc://one/a');
const any = op('one', 'template', 'doc://one/{name}');
const rest = op('one', 'template', 'doc://{+path}');
const elsewhere = op('two', 'template', 'doc://one/{name}');
const same = op('two', 'resource', 'doc://one/a');

const namesOf = (tools: readonly { readonly name: string }[]): string[] => tools.map(({ name }) => name);

describe('an address', () => {
  it('is that of a resource before that of a template', () => {
    expect(at(sessionOf([one, any], [one.name, any.name]), 'doc://one/a')).toEqual({ tool: one.name, arguments: {} });
    expect(at(sessionOf([one, any], [one.name, any.name]), 'doc://one/b')).toEqual({ tool: any.name, arguments: { name: 'b' } });
  });

  it('of something registered is that of nothing else of its upstream, granted or not', () => {
    expect(at(sessionOf([one, any], [any.name]), 'doc://one/a')).toBeNull();
    expect(at(sessionOf([any, rest], [rest.name]), 'doc://one/b')).toBeNull();
    expect(at(sessionOf([any, rest], [rest.name]), 'doc://other/b')).toEqual({ tool: rest.name, arguments: { path: 'other/b' } });
  });

  it('that two upstreams have is that of the one granted, and of neither when both are; a resource still goes before a template', () => {
    const all = [one, same, elsewhere];
    expect(at(sessionOf(all, [one.name]), 'doc://one/a')?.tool).toBe(one.name);
    expect(at(sessionOf(all, [one.name, same.name]), 'doc://one/a')).toBeNull();
    expect(at(sessionOf([one, elsewhere], [one.name, elsewhere.name]), 'doc://one/a')?.tool).toBe(one.name);
    expect(at(sessionOf([any, elsewhere], [any.name, elsewhere.name]), 'doc://one/b')).toBeNull();
  });

  it('leads to what is granted and makes it again, or nowhere; whoever is granted less never comes to something else of an upstream', () => {
    const pool = [one, any, rest, elsewhere, same, op('two', 'resource', 'doc://two/z'), op('one', 'prompt', 'doc://one/a b'), op('one', 'tool', 'a')];
    const part = fc.constantFrom('a', 'b', 'z', '%20', '..', 'ü');
    const uris = fc
      .tuple(fc.constantFrom('doc://one/', 'doc://two/', 'doc://', 'doc:'), fc.array(part, { maxLength: 3 }))
      .map(([head, tail]) => head + tail.join(''));
    fc.assert(
      fc.property(fc.subarray(pool), fc.infiniteStream(fc.boolean()), fc.infiniteStream(fc.boolean()), uris, (registered, some, fewer, uri) => {
        const granted = registered.filter(() => some.next().value);
        const less = granted.filter(() => fewer.next().value);
        const foundWith = (some: typeof granted) => at(sessionOf(registered, namesOf(some)), uri);
        const found = foundWith(granted);
        const op = granted.find(({ name }) => name === found?.tool);
        if (found) expect(op && expand(op, found.arguments as Record<string, string>)).toBe(uri);
        const still = foundWith(less);
        const other = granted.find(({ name }) => name === still?.tool);
        if (found && still && op?.upstream === other?.upstream) expect(still).toEqual(found);
      }),
    );
  });
});

describe('a name', () => {
  it('is asked for by the method of its kind alone', () => {
    const prompt = op('one', 'prompt', 'ask');
    const session = sessionOf([prompt, one, any], [prompt.name, one.name, any.name]);
    expect(findOperation(session, { kind: 'prompt', tool: prompt.name, arguments: {} })).toMatchObject({ tool: prompt.name });
    for (const tool of [prompt.name, one.name, any.name])
      expect(findOperation(session, { kind: 'tool', tool, arguments: {} })).toMatchObject({ refused: 'tool.not_granted' });
    for (const tool of [one.name, any.name])
      expect(findOperation(session, { kind: 'prompt', tool, arguments: {} })).toMatchObject({ refused: 'tool.not_granted' });
  });

  it('stands on the record for an address, and the address never does', () => {
    const session = sessionOf([any], [any.name]);
    expect(recordedName(session, { kind: 'resource', uri: 'doc://one/secret' })).toBe(any.name);
    expect(recordedName(session, { kind: 'resource', uri: 'doc://secret/1' })).toBe('resources/read');
    expect(recordedName(null, { kind: 'resource', uri: 'doc://one/secret' })).toBe('resources/read');
  });
});
