import { type BrokeredTool, type Definition, definitionDigest, keyOf, makeCatalogue, upstreamDocument } from '../../tools/index.ts';

/** What tests of resources and prompts share: operations as a catalogue makes them. */

const returns = { sensitivity: 'internal', integrity: 'tenant' } as const;
const labels = { reaches: 'tenant', returns } as const;

export const upstreamOf = (more: object) =>
  upstreamDocument.parse({ kind: 'Upstream', tenant: 'acme', name: 'docs', transport: { type: 'stdio', command: 'c' }, ...more });

export const pinOf = (definition: Definition) => ({ tool: keyOf(definition), definition, digest: definitionDigest(definition) });

export const resourceEntry = (uri: string, as: string) => ({ ...labels, uri, as });
export const templateEntry = (template: string, as: string) => ({ ...labels, template, as });
export const promptEntry = (name: string, more: object = {}) => ({ ...labels, name, ...more });

/** Registers each address as it stands; throws where one is not taken. */
export function brokered({
  resources = [],
  templates = [],
}: {
  readonly resources?: readonly string[];
  readonly templates?: readonly string[];
}): readonly BrokeredTool[] {
  const document = upstreamOf({
    resources: [
      ...resources.map((uri, index) => resourceEntry(uri, `resource_${index}`)),
      ...templates.map((template, index) => templateEntry(template, `template_${index}`)),
    ],
  });
  const { tools, problems } = makeCatalogue(document, [
    ...[...new Set(resources)].map((uri) => pinOf({ kind: 'resource', uri, name: uri })),
    ...[...new Set(templates)].map((uriTemplate) => pinOf({ kind: 'template', uriTemplate, name: uriTemplate })),
  ]);
  if (problems[0]) throw new Error(problems[0].cause);
  return tools;
}
