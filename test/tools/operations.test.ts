import { describe, expect, it } from 'vitest';
import { type Definition, definitionDigest, keyOf, makeCatalogue, toPolicyTool, upstreamDocument } from '../../tools/index.ts';
import { pinOf, promptEntry, resourceEntry, templateEntry, upstreamOf } from './brokered.ts';

const resource: Definition = { kind: 'resource', uri: 'docs://handbook', name: 'handbook', mimeType: 'text/markdown' };
const template: Definition = { kind: 'template', uriTemplate: 'docs://{year}/{name}.md', name: 'page' };
const prompt: Definition = {
  kind: 'prompt',
  name: 'summarise',
  arguments: [{ name: 'page', description: 'Which', required: true }, { name: 'words' }],
};

const document = upstreamOf({
  resources: [resourceEntry('docs://handbook', 'handbook'), { ...templateEntry('docs://{year}/{name}.md', 'page'), targets: { name: 'id' } }],
  prompts: [promptEntry('summarise')],
});
const only = (more: object, ...definitions: Definition[]) => makeCatalogue(upstreamOf(more), definitions.map(pinOf));

describe('resources, templates and prompts', () => {
  const { tools, problems } = makeCatalogue(document, [resource, template, prompt].map(pinOf));
  const [handbook, page, summarise] = tools;

  it('are operations like tools, each of its kind and at its address', () => {
    expect(problems).toEqual([]);
    expect(tools.map(({ name, kind, address, manifest }) => [name, kind, address, manifest.effect])).toEqual([
      ['docs__handbook', 'resource', 'docs://handbook', 'read'],
      ['docs__page', 'template', 'docs://{year}/{name}.md', 'read'],
      ['docs__summarise', 'prompt', 'summarise', 'read'],
    ]);
  });

  it('take closed arguments: none, the variables, the declared ones', () => {
    expect(handbook?.validate({})).toEqual([]);
    expect(handbook?.validate({ a: 'b' })).not.toEqual([]);
    expect(page?.validate({ year: '2026', name: 'a b' })).toEqual([]);
    for (const args of [
      { year: '2026', name: 'a/b' },
      { year: '2026' },
      { year: '2026', name: '' },
      { year: 2026, name: 'a' },
      { year: '1', name: 'a', more: 'x' },
    ])
      expect(page?.validate(args)).not.toEqual([]);
    expect(page?.validate({ year: '..', name: 'a' })).toMatchObject([{ problem: expect.stringMatching(/between slashes/) }]);
    expect(page?.validate({ year: '\ud800', name: 'a' })).not.toEqual([]);
    expect(summarise?.validate({ page: 'p' })).toEqual([]);
    for (const args of [{}, { page: 1 }, { page: 'p', more: 'x' }]) expect(summarise?.validate(args)).not.toEqual([]);
  });

  it('are judged by policy like tools that read', () => {
    expect(page && toPolicyTool(page)).toMatchObject({ name: 'docs__page', effect: 'read', reaches: 'tenant', inputSchema: { required: ['year', 'name'] } });
  });

  it.each<[string, object, Definition, RegExp]>([
    ['a prompt of external integrity', { prompts: [promptEntry('summarise', { returns: { sensitivity: 'public' } })] }, prompt, /external integrity/],
    [
      'a prompt with a field of external integrity',
      { prompts: [promptEntry('summarise', { returns: { sensitivity: 'public', integrity: 'tenant', fields: { '/a': { integrity: 'external' } } } })] },
      prompt,
      /external integrity/,
    ],
    [
      'a template that cannot be read back',
      { resources: [templateEntry('docs://{a}{b}', 'page')] },
      { ...template, uriTemplate: 'docs://{a}{b}' },
      /read back/,
    ],
    ['a target that is no variable', { resources: [{ ...templateEntry('docs://{year}/{name}.md', 'p'), targets: { x: 'id' } }] }, template, /no argument/],
    [
      'a prompt whose arguments share a name',
      { prompts: [promptEntry('p')] },
      { kind: 'prompt', name: 'p', arguments: [{ name: 'a' }, { name: 'a' }] },
      /one name/,
    ],
    ['a prompt with an argument of ours', { prompts: [promptEntry('p')] }, { kind: 'prompt', name: 'p', arguments: [{ name: '__proto__' }] }, /`__`/],
    ['a resource that is not listed', { resources: [resourceEntry('docs://other', 'other')] }, resource, /does not list/],
    ['a prompt whose name does not fit', { prompts: [promptEntry('a b')] }, { kind: 'prompt', name: 'a b' }, /does not fit/],
  ])('are refused: %s', (_, more, definition, cause) => {
    const made = only(more, definition);
    expect(made.tools).toEqual([]);
    expect(made.problems).toMatchObject([{ cause: expect.stringMatching(cause), remedy: expect.stringMatching(/./) }]);
  });

  it('share one namespace of brokered names with the tools of their upstream', () => {
    const made = only({ resources: [resourceEntry('docs://handbook', 'summarise')], prompts: [promptEntry('summarise')] }, resource, prompt);
    expect(made.problems).toMatchObject([{ cause: expect.stringMatching(/already called docs__summarise/) }]);
  });

  it('are not pinned by the definition of something else', () => {
    const made = makeCatalogue(
      document,
      [resource, template, prompt].map((one) => ({ ...pinOf(prompt), tool: keyOf(one) })),
    );
    expect(made.tools.map(({ name }) => name)).toEqual(['docs__summarise']);
  });

  it('cannot be confused with a tool by what pins call them', () => {
    const tool = { name: 'resource:docs://handbook', effect: 'read', reaches: 'tenant', returns: { sensitivity: 'public' } };
    expect(upstreamDocument.safeParse({ ...document, tools: [tool] }).success).toBe(false);
  });

  it('may stand in a document without a tool, and something must', () => {
    expect(document.tools).toEqual([]);
    expect(upstreamDocument.safeParse({ ...document, resources: undefined, prompts: [] }).success).toBe(false);
  });
});

describe('the pin of a definition', () => {
  it.each<[string, Definition, object]>([
    ['its kind', { kind: 'prompt', name: 'a' }, { kind: 'resource', uri: 'a:a' }],
    ['a URI', resource, { uri: 'docs://other' }],
    ['a type', resource, { mimeType: 'text/html' }],
    ['a name', resource, { name: 'Handbook' }],
    ['a description', template, { description: 'Pages' }],
    ['annotations', template, { annotations: { audience: ['user'] } }],
    ['a template', template, { uriTemplate: 'docs://{name}' }],
    ['an argument', prompt, { arguments: [{ name: 'page' }] }],
  ])('changes with %s', (_, definition, change) => {
    expect(definitionDigest({ ...definition, ...change } as Definition)).not.toBe(definitionDigest(definition));
  });
});
