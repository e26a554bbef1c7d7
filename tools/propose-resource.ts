import type { TargetType } from '../policies/index.ts';
import { addressOf, type ResourceDefinition, type TemplateDefinition } from './definition.ts';
import type { ToolManifest } from './manifest.ts';
import { freeName, kindNamed, type Proposed, wordsOf, worst, worstReasons } from './propose.ts';
import { parseTemplate } from './uri-template.ts';

/** Labels for a resource or a template nobody has looked at, as strict as a tool's. */

export interface ProposedResource extends Pick<Proposed, 'reasons' | 'words'> {
  readonly manifest: Pick<ToolManifest, 'reaches' | 'accepts'> & {
    readonly uri?: string;
    readonly template?: string;
    readonly as: string;
    readonly targets?: Readonly<Record<string, TargetType>>;
    readonly returns: Proposed['manifest']['returns'];
  };
}

/** `taken` holds the names that others of the upstream have after `<upstream>__`. Says why when it cannot be registered at all. */
export function proposeResource(
  upstream: string,
  definition: ResourceDefinition | TemplateDefinition,
  taken: ReadonlySet<string>,
): ProposedResource | { readonly cause: string } {
  const template = definition.kind === 'template' ? parseTemplate(definition.uriTemplate) : null;
  if (template && 'cause' in template) return { cause: template.cause };
  const as = freeName(upstream, definition.name || addressOf(definition), taken);
  // Naming one target more narrows: each variable decides on what is read, and a string is no amount.
  const targets = template?.variables.map((name) => [name, typeOf(name)] as const) ?? [];
  return {
    manifest: {
      ...(definition.kind === 'resource' ? { uri: definition.uri } : { template: definition.uriTemplate }),
      as,
      ...worst,
      ...(template ? { targets: Object.fromEntries(targets) } : {}),
    },
    reasons: [
      ...worstReasons,
      ...(targets.length > 0 ? [`targets: its variables decide on what is read: ${targets.map(([name, type]) => `${name} (${type})`).join(', ')}`] : []),
    ],
    words: wordsOf(definition),
  };
}

function typeOf(variable: string): TargetType {
  const kind = kindNamed(variable) ?? 'id';
  return kind === 'amount' ? 'id' : kind;
}
