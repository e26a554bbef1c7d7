import { type OperationKind, operationKey } from './definition.ts';
import type { ToolManifest, UpstreamDocument } from './manifest.ts';

/** A manifest entry of any kind, in the terms a tool's has; `name` is the upstream's own address of it. */
export interface OperationManifest extends ToolManifest {
  readonly kind: OperationKind;
  /** What pins, drift and acceptance call it. */
  readonly key: string;
  /** Where its address stands in the document. */
  readonly place: readonly ['tools' | 'resources' | 'prompts', number, 'name' | 'uri' | 'template'];
}

/** Whatever is read or taken as a prompt has no effect of its own, and nothing to repeat. */
const reading = { effect: 'read', targets: {}, idempotency: 'none', additional_arguments: false } as const;

/** Everything an upstream's document registers, of whatever kind. */
export function operationsOf({ tools, resources = [], prompts = [] }: Pick<UpstreamDocument, 'tools' | 'resources' | 'prompts'>): readonly OperationManifest[] {
  return [
    ...tools.map((tool, index): OperationManifest => ({ ...tool, kind: 'tool', key: tool.name, place: ['tools', index, 'name'] })),
    ...resources.map((resource, index): OperationManifest => {
      const [kind, name] = 'uri' in resource ? (['resource', resource.uri] as const) : (['template', resource.template] as const);
      const { as, says, reaches, accepts, returns } = resource;
      const targets = 'uri' in resource ? {} : resource.targets;
      return {
        ...reading,
        ...{ kind, name, key: operationKey(kind, name), place: ['resources', index, 'uri' in resource ? 'uri' : 'template'], as, reaches, returns, targets },
        ...(says === undefined ? {} : { says }),
        ...(accepts === undefined ? {} : { accepts }),
      };
    }),
    ...prompts.map(
      (prompt, index): OperationManifest => ({
        ...reading,
        ...prompt,
        kind: 'prompt',
        key: operationKey('prompt', prompt.name),
        place: ['prompts', index, 'name'],
      }),
    ),
  ];
}
